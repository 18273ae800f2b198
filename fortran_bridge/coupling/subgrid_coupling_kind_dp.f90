!> Blending of tendencies in the host's kind. Arithmetic is in double precision and rounded once. The kernels take arrays
!> (inner, level, outer): one of `inner` and `outer` is 1, the other the number of columns, so that both orders of a host's
!> indices need no copy.
module subgrid_coupling_kind_dp
   use subgrid_coupling_columns, only: acceptable, believed, blended, coupling_task, keep_positive
   use subgrid_coupling_requests, only: begin, demand, expect
   use subgrid_coupling_rules, only: subgrid_coupler, subgrid_coupling_counts
   use subgrid_errors, only: conclude, status_ok
   use subgrid_kinds, only: dp, wp => dp
   implicit none (type, external)
   private
   public :: subgrid_couple, subgrid_screen

   !> call subgrid_couple(coupler, name, time, step, learned, tendency, counts, state, trusted, level_dimension, stat, errmsg)
   !> The learned array is not looked at while the weight is 0: the network need not have run.
   interface subgrid_couple
      module procedure couple_values, couple_profiles
   end interface subgrid_couple

   !> call subgrid_screen(coupler, name, time, learned, trusted, level_dimension, stat, errmsg): clear trusted(column) where the
   !> learned tendency is not finite or outside its range, so that all variables of that column can fall back together.
   interface subgrid_screen
      module procedure screen_values, screen_profiles
   end interface subgrid_screen

contains

   !> Physical tendency in, coupled one out: a value of the column without levels.
   subroutine couple_values(coupler, name, time, step, learned, tendency, counts, state, trusted, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time  !< s, on the clock of the ramp
      real(dp), intent(in) :: step  !< length of the step over which the tendency acts, s
      real(wp), intent(in) :: learned(:)       !< (column), units of the tendency; not looked at while the weight is 0
      real(wp), intent(inout) :: tendency(:)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(wp), intent(in), optional :: state(:)  !< before the step, units of the tendency × s; needed by non_negative
      logical, intent(in), optional :: trusted(:)  !< (column); false: the column falls back. Absent: all are true
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, [1, size(learned)], 1, code, message)
      call demand(task, step, present(state), code, message)
      call expect(task, 'tendency', shape(tendency), shape(learned), code, message)
      if (present(state)) call expect(task, 'state', shape(state), shape(learned), code, message)
      if (present(trusted)) call expect(task, 'trusted', shape(trusted), [task%extents(1)*task%extents(3)], code, message)
      if (code == status_ok) counts%calls = counts%calls + 1
      if (code == status_ok .and. task%weight > 0) then
         call couple_columns(task, task%extents(1), task%extents(2), task%extents(3), learned, tendency, counts, state, &
            trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine couple_values

   !> Physical tendency in, coupled one out: profiles.
   subroutine couple_profiles(coupler, name, time, step, learned, tendency, counts, state, trusted, level_dimension, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time  !< s, on the clock of the ramp
      real(dp), intent(in) :: step  !< length of the step over which the tendency acts, s
      real(wp), intent(in) :: learned(:, :)       !< (level, column) or as level_dimension says, units of the tendency
      real(wp), intent(inout) :: tendency(:, :)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(wp), intent(in), optional :: state(:, :)  !< before the step, units of the tendency × s; needed by non_negative
      logical, intent(in), optional :: trusted(:)  !< (column); false: the column falls back. Absent: all are true
      integer, intent(in), optional :: level_dimension   !< of the arrays; absent: 1
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, shape(learned), level_dimension, code, message)
      call demand(task, step, present(state), code, message)
      call expect(task, 'tendency', shape(tendency), shape(learned), code, message)
      if (present(state)) call expect(task, 'state', shape(state), shape(learned), code, message)
      if (present(trusted)) call expect(task, 'trusted', shape(trusted), [task%extents(1)*task%extents(3)], code, message)
      if (code == status_ok) counts%calls = counts%calls + 1
      if (code == status_ok .and. task%weight > 0) then
         call couple_columns(task, task%extents(1), task%extents(2), task%extents(3), learned, tendency, counts, state, &
            trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine couple_profiles

   !> Which columns to believe: values of the column without levels.
   subroutine screen_values(coupler, name, time, learned, trusted, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time              !< s, on the clock of the ramp; while the weight is 0 nothing is judged
      real(wp), intent(in) :: learned(:)    !< (column), units of the tendency
      logical, intent(inout) :: trusted(:)      !< (column)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, [1, size(learned)], 1, code, message)
      call expect(task, 'trusted', shape(trusted), [task%extents(1)*task%extents(3)], code, message)
      if (code == status_ok .and. task%weight > 0) then
         call screen_columns(task, task%extents(1), task%extents(2), task%extents(3), learned, trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine screen_values

   !> Which columns to believe: profiles.
   subroutine screen_profiles(coupler, name, time, learned, trusted, level_dimension, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time              !< s, on the clock of the ramp; while the weight is 0 nothing is judged
      real(wp), intent(in) :: learned(:, :)    !< (level, column), or as level_dimension says, units of the tendency
      logical, intent(inout) :: trusted(:)      !< (column)
      integer, intent(in), optional :: level_dimension  !< of the array; absent: 1
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, shape(learned), level_dimension, code, message)
      call expect(task, 'trusted', shape(trusted), [task%extents(1)*task%extents(3)], code, message)
      if (code == status_ok .and. task%weight > 0) then
         call screen_columns(task, task%extents(1), task%extents(2), task%extents(3), learned, trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine screen_profiles

   subroutine couple_columns(task, inner, levels, outer, learned, tendency, counts, state, trusted)
      type(coupling_task), intent(in) :: task
      integer, intent(in) :: inner, levels, outer
      real(wp), intent(in) :: learned(inner, levels, outer)       !< units of the tendency
      real(wp), intent(inout) :: tendency(inner, levels, outer)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(wp), intent(in), optional :: state(inner, levels, outer)  !< before the step, units of the tendency × s
      logical, intent(in), optional :: trusted(inner, outer)
      real(dp) :: column(levels)
      integer :: i, j

      do j = 1, outer
         do i = 1, inner
            if (.not. believed(task, real(learned(i, :, j), dp), counts, i, j, trusted)) cycle
            column = blended(task, real(learned(i, :, j), dp), real(tendency(i, :, j), dp), counts)
            if (task%rule%non_negative) then
               call keep_positive(column, real(state(i, :, j), dp), task%step, real(epsilon(1.0_wp), dp), counts)
            end if
            tendency(i, :, j) = real(column, wp)
         end do
      end do
   end subroutine couple_columns

   !> Clear `trusted` in the columns that the rule does not believe; others stay as they are.
   subroutine screen_columns(task, inner, levels, outer, learned, trusted)
      type(coupling_task), intent(in) :: task
      integer, intent(in) :: inner, levels, outer
      real(wp), intent(in) :: learned(inner, levels, outer)  !< units of the tendency
      logical, intent(inout) :: trusted(inner, outer)
      integer :: i, j

      do j = 1, outer
         do i = 1, inner
            trusted(i, j) = trusted(i, j) .and. acceptable(task%rule, real(learned(i, :, j), dp))
         end do
      end do
   end subroutine screen_columns
end module subgrid_coupling_kind_dp
