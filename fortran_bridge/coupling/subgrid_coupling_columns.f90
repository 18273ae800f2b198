!> The arithmetic of coupling, column by column.
!>
!>     tendency = w·min(max(learned, −limit), limit) + (1 − w)·physical         where the learned column is believed
!>     tendency = max(tendency, −state/step)                                    where the state must not become negative
!>
!> A column that is not believed, and every column at w = 0, keeps the physical tendency bit for bit; at w = 1 the learned one
!> comes through bit for bit.
module subgrid_coupling_columns
   use subgrid_coupling_rules, only: coupling_rule, subgrid_coupling_counts
   use subgrid_kinds, only: dp
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   implicit none (type, external)
   private
   public :: coupling_task, acceptable, believed, blended, keep_positive

   !> One variable at one time.
   type :: coupling_task
      type(coupling_rule) :: rule
      real(dp) :: weight = 0          !< of the learned tendency at this time, 1
      real(dp) :: step = 0            !< of time, s
      integer :: extents(3) = 0       !< inner, levels, outer
   end type coupling_task

contains

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
