!> Blend learned and physical tendencies by variable: weight, ramp in time, limiter, fallback, counters. Manual: docs/coupling.md
!>
!> Levels and columns come as (nlev, ncol), or as (ncol, nlev) with level_dimension=2; values of a column without levels as (ncol).
!> real32 or real64. No state in the module: a coupler may be shared by threads, counters and arrays belong to one thread.
module subgrid_coupling
   use subgrid_coupling_columns, only: coupling_task
   use subgrid_coupling_kind_dp, only: subgrid_couple, subgrid_screen
   use subgrid_coupling_kind_sp, only: subgrid_couple, subgrid_screen
   use subgrid_coupling_requests, only: begin
   use subgrid_coupling_rules, only: operator(+), subgrid_couple_variable, subgrid_coupler, subgrid_coupling_counts, &
      subgrid_coupling_reset, subgrid_ramp
   use subgrid_errors, only: conclude
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: subgrid_coupler, subgrid_coupling_counts, subgrid_ramp                     ! types
   public :: subgrid_couple_variable                                                    ! set up
   public :: subgrid_coupling_weight, subgrid_screen, subgrid_couple                    ! each step
   public :: subgrid_coupling_reset, operator(+)                                        ! counters

contains

   !> Weight of the learned tendency of a variable, 1; a host need not run its network while all are 0.
   subroutine subgrid_coupling_weight(coupler, name, time, weight, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time     !< s, on the clock of the ramp
      real(dp), intent(out) :: weight  !< 0 … 1, 1; 0 on failure
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, [1, 1], 1, code, message)
      weight = task%weight
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_coupling_weight
end module subgrid_coupling
