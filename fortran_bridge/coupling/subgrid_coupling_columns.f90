!> The arithmetic of coupling, column by column.
!>
!>     tendency = w·min(max(learned, −limit), limit) + (1 − w)·physical         where the learned column is believed
!>     tendency = max(tendency, −state/step)                                    where the state must not become negative
!>
!> A column that is not believed, and every column at w = 0, keeps the physical tendency bit for bit; at w = 1 the learned one
!> comes through bit for bit. Arithmetic is in double precision and rounded once. Arrays are (inner, level, outer): one of `inner`
!> and `outer` is 1, the other the number of columns, so that both orders of a host's indices need no copy.
module subgrid_coupling_columns
   use subgrid_coupling_rules, only: coupling_rule, subgrid_coupling_counts
   use subgrid_kinds, only: dp, sp
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   implicit none (type, external)
   private
   public :: coupling_task, couple_columns_sp, couple_columns_dp, screen_columns_sp, screen_columns_dp

   !> One variable at one time.
   type :: coupling_task
      type(coupling_rule) :: rule
      real(dp) :: weight = 0          !< of the learned tendency at this time, 1
      real(dp) :: step = 0            !< of time, s
      integer :: extents(3) = 0       !< inner, levels, outer
   end type coupling_task

contains

   subroutine couple_columns_sp(task, inner, levels, outer, learned, tendency, counts, state, trusted)
      type(coupling_task), intent(in) :: task
      integer, intent(in) :: inner, levels, outer
      real(sp), intent(in) :: learned(inner, levels, outer)       !< units of the tendency
      real(sp), intent(inout) :: tendency(inner, levels, outer)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(sp), intent(in), optional :: state(inner, levels, outer)  !< before the step, units of the tendency × s
      logical, intent(in), optional :: trusted(inner, outer)
      real(dp) :: column(levels)
      integer :: i, j

      do j = 1, outer
         do i = 1, inner
            if (.not. believed(task, real(learned(i, :, j), dp), counts, i, j, trusted)) cycle
            column = blended(task, real(learned(i, :, j), dp), real(tendency(i, :, j), dp), counts)
            if (task%rule%non_negative) then
               call keep_positive(column, real(state(i, :, j), dp), task%step, real(epsilon(1.0_sp), dp), counts)
            end if
            tendency(i, :, j) = real(column, sp)
         end do
      end do
   end subroutine couple_columns_sp

   subroutine couple_columns_dp(task, inner, levels, outer, learned, tendency, counts, state, trusted)
      type(coupling_task), intent(in) :: task
      integer, intent(in) :: inner, levels, outer
      real(dp), intent(in) :: learned(inner, levels, outer)       !< units of the tendency
      real(dp), intent(inout) :: tendency(inner, levels, outer)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(dp), intent(in), optional :: state(inner, levels, outer)  !< before the step, units of the tendency × s
      logical, intent(in), optional :: trusted(inner, outer)
      real(dp) :: column(levels)
      integer :: i, j

      do j = 1, outer
         do i = 1, inner
            if (.not. believed(task, learned(i, :, j), counts, i, j, trusted)) cycle
            column = blended(task, learned(i, :, j), tendency(i, :, j), counts)
            if (task%rule%non_negative) call keep_positive(column, state(i, :, j), task%step, epsilon(1.0_dp), counts)
            tendency(i, :, j) = column
         end do
      end do
   end subroutine couple_columns_dp

   !> Clear `trusted` in the columns that the rule does not believe; others stay as they are.
   subroutine screen_columns_sp(task, inner, levels, outer, learned, trusted)
      type(coupling_task), intent(in) :: task
      integer, intent(in) :: inner, levels, outer
      real(sp), intent(in) :: learned(inner, levels, outer)  !< units of the tendency
      logical, intent(inout) :: trusted(inner, outer)
      integer :: i, j

      do j = 1, outer
         do i = 1, inner
            trusted(i, j) = trusted(i, j) .and. acceptable(task%rule, real(learned(i, :, j), dp))
         end do
      end do
   end subroutine screen_columns_sp

   !> The same in double precision.
   subroutine screen_columns_dp(task, inner, levels, outer, learned, trusted)
      type(coupling_task), intent(in) :: task
      integer, intent(in) :: inner, levels, outer
      real(dp), intent(in) :: learned(inner, levels, outer)  !< units of the tendency
      logical, intent(inout) :: trusted(inner, outer)
      integer :: i, j

      do j = 1, outer
         do i = 1, inner
            trusted(i, j) = trusted(i, j) .and. acceptable(task%rule, learned(i, :, j))
         end do
      end do
   end subroutine screen_columns_dp

   !> Whether column (i, j) takes part; counts it, and its fallback if it does not.
   logical function believed(task, learned, counts, i, j, trusted)
      type(coupling_task), intent(in) :: task
      real(dp), intent(in) :: learned(:)  !< (level), units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      integer, intent(in) :: i, j
      logical, intent(in), optional :: trusted(:, :)

      counts%columns = counts%columns + 1
      believed = acceptable(task%rule, learned)
      if (present(trusted)) believed = believed .and. trusted(i, j)
      if (.not. believed) counts%fallen_back = counts%fallen_back + 1
   end function believed

   !> Finite at all levels and inside the allowed range.
   pure logical function acceptable(rule, learned)
      type(coupling_rule), intent(in) :: rule
      real(dp), intent(in) :: learned(:)  !< (level), units of the tendency

      acceptable = all(ieee_is_finite(learned))
      ! Not in one expression: comparing a NaN traps in a host that traps invalid operations.
      if (acceptable) acceptable = all(learned >= rule%lowest .and. learned <= rule%highest)
   end function acceptable

   function blended(task, learned, physical, counts) result(tendency)
      type(coupling_task), intent(in) :: task
      real(dp), intent(in) :: learned(:), physical(:)  !< (level), units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(dp) :: tendency(size(learned))

      tendency = learned
      if (any(abs(learned) > task%rule%limit)) then
         counts%limited = counts%limited + 1
         tendency = min(max(learned, -task%rule%limit), task%rule%limit)
      end if
      if (task%weight < 1) tendency = task%weight*tendency + (1 - task%weight)*physical
   end function blended

   !> Raise the tendency where state + step·tendency < 0; two units in the last place further, lest the host's sum round below 0.
   subroutine keep_positive(tendency, state, step, precision, counts)
      real(dp), intent(inout) :: tendency(:)  !< (level), units of the state / s
      real(dp), intent(in) :: state(:)        !< (level), before the step
      real(dp), intent(in) :: step            !< s
      real(dp), intent(in) :: precision       !< epsilon of the host's kind, 1
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(dp) :: least(size(tendency))

      least = (-state + 2*precision*abs(state))/step
      if (any(tendency < least)) then
         counts%kept_positive = counts%kept_positive + 1
         tendency = max(tendency, least)
      end if
   end subroutine keep_positive
end module subgrid_coupling_columns
