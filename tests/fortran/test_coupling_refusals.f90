!> What the coupler refuses, with which status, and that a refused call changes nothing.
module test_coupling_refusals
   use coupling_fixture, only: columns, fields, levels, new_fields, time_step
   use subgrid_coupling, only: subgrid_couple, subgrid_couple_variable, subgrid_coupler, subgrid_coupling_counts, &
      subgrid_coupling_weight, subgrid_ramp, subgrid_screen
   use subgrid_errors, only: status_name, status_ok, status_shape, status_value
   use subgrid_kinds, only: dp
   use subgrid_testing, only: check, new_case, test_case
   use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('bad_weights', bad_weights), &
         new_case('bad_limits', bad_limits), &
         new_case('bad_ramps', bad_ramps), &
         new_case('bad_names', bad_names), &
         new_case('wrong_shapes', wrong_shapes), &
         new_case('wrong_times', wrong_times), &
         new_case('water_without_state', water_without_state)]
   end subroutine collect

   !> Outside 0 … 1, and not a number; a refused rule is not kept.
   subroutine bad_weights(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      character(len=:), allocatable :: errmsg
      real(dp) :: weight, bad(3)
      integer :: i, stat

      bad = [-0.1_dp, 1.5_dp, ieee_value(1.0_dp, ieee_quiet_nan)]
      do i = 1, size(bad)
         call subgrid_couple_variable(coupler, 't', weight=bad(i), stat=stat, errmsg=errmsg)
         call check(failure, stat == status_value, 'a bad weight was taken')
         call check(failure, index(errmsg, '"t"') > 0 .and. index(errmsg, 'weight') > 0, 'the message names variable and argument')
      end do
      call subgrid_couple_variable(coupler, 't', weight=1.5_dp, stat=stat, errmsg=errmsg)
      call check(failure, index(errmsg, '1.5') > 0 .and. index(errmsg, 'expected 0 … 1') > 0, 'found and expected: '//errmsg)
      call subgrid_coupling_weight(coupler, 't', 0.0_dp, weight, stat)
      call check(failure, stat == status_name .and. weight <= 0, 'the refused rule is there')
   end subroutine bad_weights

   subroutine bad_limits(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      character(len=:), allocatable :: errmsg
      integer :: stat

      call subgrid_couple_variable(coupler, 't', limit=0.0_dp, stat=stat, errmsg=errmsg)
      call check(failure, stat == status_value .and. index(errmsg, 'limit') > 0, 'limit 0')
      call subgrid_couple_variable(coupler, 't', lowest=1.0_dp, highest=-1.0_dp, stat=stat, errmsg=errmsg)
      call check(failure, stat == status_value .and. index(errmsg, 'lowest') > 0, 'lowest above highest')
   end subroutine bad_limits

   subroutine bad_ramps(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      integer :: stat

      call subgrid_couple_variable(coupler, 't', ramp=subgrid_ramp(length=-1.0_dp), stat=stat)
      call check(failure, stat == status_value, 'a negative length')
      call subgrid_couple_variable(coupler, 't', ramp=subgrid_ramp(on=-1.0_dp, off=2.0_dp), stat=stat)
      call check(failure, stat == status_value, 'a negative part of the cycle')
      call subgrid_couple_variable(coupler, 't', ramp=subgrid_ramp(start=ieee_value(1.0_dp, ieee_quiet_nan)), stat=stat)
      call check(failure, stat == status_value, 'a start that is not a number')
   end subroutine bad_ramps

   subroutine bad_names(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      character(len=:), allocatable :: errmsg
      integer :: stat

      f = new_fields()
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, f%physical, counts, stat=stat)
      call check(failure, stat == status_name, 'a coupler without rules')
      call subgrid_couple_variable(coupler, '', stat=stat)
      call check(failure, stat == status_value, 'an empty name')
      call subgrid_couple_variable(coupler, 't', stat=stat)
      call check(failure, stat == status_ok, 'a good rule')
      call subgrid_couple_variable(coupler, 't', weight=0.5_dp, stat=stat, errmsg=errmsg)
      call check(failure, stat == status_name .and. index(errmsg, '"t"') > 0, 'a second rule for one variable')
      call subgrid_couple(coupler, 'u', 0.0_dp, time_step, f%learned, f%physical, counts, stat=stat, errmsg=errmsg)
      call check(failure, stat == status_name .and. index(errmsg, '"u"') > 0, 'an unknown variable')
   end subroutine bad_names

   !> Each argument in turn; tendency and counters stay as they were.
   subroutine wrong_shapes(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      character(len=:), allocatable :: errmsg
      real(dp) :: before(levels, columns)
      logical :: trusted(columns)
      integer :: stat

      f = new_fields()
      before = f%physical
      trusted = .true.
      call subgrid_couple_variable(coupler, 'q', non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned(:, 2:), f%physical, counts, f%state, stat=stat, errmsg=errmsg)
      call check(failure, stat == status_shape .and. index(errmsg, 'tendency has the shape (4, 6)') > 0, 'tendency: '//errmsg)
      call check(failure, index(errmsg, '(4, 5)') > 0, 'expected shape: '//errmsg)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, f%physical, counts, f%state(2:, :), stat=stat, errmsg=errmsg)
      call check(failure, stat == status_shape .and. index(errmsg, 'state') > 0, 'state: '//errmsg)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, f%physical, counts, f%state, trusted(2:), stat=stat)
      call check(failure, stat == status_shape, 'trusted')
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, f%physical, counts, f%state, trusted, 2, stat)
      call check(failure, stat == status_shape, 'trusted by columns, arrays by levels')
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, f%physical, counts, f%state, level_dimension=3, stat=stat)
      call check(failure, stat == status_value, 'a third dimension')
      call subgrid_screen(coupler, 'q', 0.0_dp, f%learned, trusted(2:), stat=stat)
      call check(failure, stat == status_shape, 'trusted in subgrid_screen')
      call check(failure, all(transfer(before, [0]) == transfer(f%physical, [0])), 'a refused call changed the tendency')
      call check(failure, max(counts%calls, counts%columns) == 0, 'a refused call was counted')
   end subroutine wrong_shapes

   subroutine wrong_times(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: nan
      integer :: stat

      f = new_fields()
      nan = ieee_value(1.0_dp, ieee_quiet_nan)
      call subgrid_couple_variable(coupler, 't')
      call subgrid_couple(coupler, 't', nan, time_step, f%learned, f%physical, counts, stat=stat)
      call check(failure, stat == status_value, 'a time that is not a number')
      call subgrid_couple(coupler, 't', 0.0_dp, nan, f%learned, f%physical, counts, stat=stat)
      call check(failure, stat == status_value, 'a step that is not a number')
      call subgrid_couple(coupler, 't', 0.0_dp, 0.0_dp, f%learned, f%physical, counts, stat=stat)
      call check(failure, stat == status_value, 'a step of 0 s')
   end subroutine wrong_times

   subroutine water_without_state(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      character(len=:), allocatable :: errmsg
      integer :: stat

      f = new_fields()
      call subgrid_couple_variable(coupler, 'q', non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, f%physical, counts, stat=stat, errmsg=errmsg)
      call check(failure, stat == status_value .and. index(errmsg, 'state') > 0, 'water without its state')
   end subroutine water_without_state
end module test_coupling_refusals
