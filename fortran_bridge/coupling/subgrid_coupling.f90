!> Blend learned and physical tendencies by variable: weight, ramp in time, limiter, fallback, counters. Manual: docs/coupling.md
!>
!> Levels and columns come as (nlev, ncol), or as (ncol, nlev) with level_dimension=2; values of a column without levels as (ncol).
!> real32 or real64. No state in the module: a coupler may be shared by threads, counters and arrays belong to one thread.
module subgrid_coupling
   use subgrid_coupling_columns, only: couple_columns_dp, couple_columns_sp, coupling_task, screen_columns_dp, screen_columns_sp
   use subgrid_coupling_requests, only: begin, demand, expect
   use subgrid_coupling_rules, only: operator(+), subgrid_couple_variable, subgrid_coupler, subgrid_coupling_counts, &
      subgrid_coupling_reset, subgrid_ramp
   use subgrid_errors, only: conclude, status_ok
   use subgrid_kinds, only: dp, sp
   implicit none (type, external)
   private
   public :: subgrid_coupler, subgrid_coupling_counts, subgrid_ramp                     ! types
   public :: subgrid_couple_variable                                                    ! set up
   public :: subgrid_coupling_weight, subgrid_screen, subgrid_couple                    ! each step
   public :: subgrid_coupling_reset, operator(+)                                        ! counters

   !> call subgrid_couple(coupler, name, time, step, learned, tendency, counts, state, trusted, level_dimension, stat, errmsg)
   !> The learned array is not looked at while the weight is 0: the network need not have run.
   interface subgrid_couple
      module procedure couple_sp1, couple_sp2, couple_dp1, couple_dp2
   end interface subgrid_couple

   !> call subgrid_screen(coupler, name, time, learned, trusted, level_dimension, stat, errmsg): clear trusted(column) where the
   !> learned tendency is not finite or outside its range, so that all variables of that column can fall back together.
   interface subgrid_screen
      module procedure screen_sp1, screen_sp2, screen_dp1, screen_dp2
   end interface subgrid_screen

contains

   !> Physical tendency in, coupled one out: a value of the column without levels, single precision.
   subroutine couple_sp1(coupler, name, time, step, learned, tendency, counts, state, trusted, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time  !< s, on the clock of the ramp
      real(dp), intent(in) :: step  !< length of the step over which the tendency acts, s
      real(sp), intent(in) :: learned(:)       !< (column), units of the tendency; not looked at while the weight is 0
      real(sp), intent(inout) :: tendency(:)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(sp), intent(in), optional :: state(:)  !< before the step, units of the tendency × s; needed by non_negative
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
         call couple_columns_sp(task, task%extents(1), task%extents(2), task%extents(3), learned, tendency, counts, state, &
            trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine couple_sp1

   !> Physical tendency in, coupled one out: profiles, single precision.
   subroutine couple_sp2(coupler, name, time, step, learned, tendency, counts, state, trusted, level_dimension, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time  !< s, on the clock of the ramp
      real(dp), intent(in) :: step  !< length of the step over which the tendency acts, s
      real(sp), intent(in) :: learned(:, :)       !< (level, column) or as level_dimension says, units of the tendency
      real(sp), intent(inout) :: tendency(:, :)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(sp), intent(in), optional :: state(:, :)  !< before the step, units of the tendency × s; needed by non_negative
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
         call couple_columns_sp(task, task%extents(1), task%extents(2), task%extents(3), learned, tendency, counts, state, &
            trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine couple_sp2

   !> Physical tendency in, coupled one out: a value of the column without levels, double precision.
   subroutine couple_dp1(coupler, name, time, step, learned, tendency, counts, state, trusted, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time  !< s, on the clock of the ramp
      real(dp), intent(in) :: step  !< length of the step over which the tendency acts, s
      real(dp), intent(in) :: learned(:)       !< (column), units of the tendency; not looked at while the weight is 0
      real(dp), intent(inout) :: tendency(:)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(dp), intent(in), optional :: state(:)  !< before the step, units of the tendency × s; needed by non_negative
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
         call couple_columns_dp(task, task%extents(1), task%extents(2), task%extents(3), learned, tendency, counts, state, &
            trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine couple_dp1

   !> Physical tendency in, coupled one out: profiles, double precision.
   subroutine couple_dp2(coupler, name, time, step, learned, tendency, counts, state, trusted, level_dimension, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time  !< s, on the clock of the ramp
      real(dp), intent(in) :: step  !< length of the step over which the tendency acts, s
      real(dp), intent(in) :: learned(:, :)       !< (level, column) or as level_dimension says, units of the tendency
      real(dp), intent(inout) :: tendency(:, :)   !< physical in, coupled out, units of the tendency
      type(subgrid_coupling_counts), intent(inout) :: counts
      real(dp), intent(in), optional :: state(:, :)  !< before the step, units of the tendency × s; needed by non_negative
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
         call couple_columns_dp(task, task%extents(1), task%extents(2), task%extents(3), learned, tendency, counts, state, &
            trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine couple_dp2

   !> Which columns to believe: values of the column without levels, single precision.
   subroutine screen_sp1(coupler, name, time, learned, trusted, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time              !< s, on the clock of the ramp; while the weight is 0 nothing is judged
      real(sp), intent(in) :: learned(:)    !< (column), units of the tendency
      logical, intent(inout) :: trusted(:)      !< (column)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, [1, size(learned)], 1, code, message)
      call expect(task, 'trusted', shape(trusted), [task%extents(1)*task%extents(3)], code, message)
      if (code == status_ok .and. task%weight > 0) then
         call screen_columns_sp(task, task%extents(1), task%extents(2), task%extents(3), learned, trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine screen_sp1

   !> Which columns to believe: profiles, single precision.
   subroutine screen_sp2(coupler, name, time, learned, trusted, level_dimension, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time              !< s, on the clock of the ramp; while the weight is 0 nothing is judged
      real(sp), intent(in) :: learned(:, :)    !< (level, column), or as level_dimension says, units of the tendency
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
         call screen_columns_sp(task, task%extents(1), task%extents(2), task%extents(3), learned, trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine screen_sp2

   !> Which columns to believe: values of the column without levels, double precision.
   subroutine screen_dp1(coupler, name, time, learned, trusted, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time              !< s, on the clock of the ramp; while the weight is 0 nothing is judged
      real(dp), intent(in) :: learned(:)    !< (column), units of the tendency
      logical, intent(inout) :: trusted(:)      !< (column)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_task) :: task
      integer :: code

      call begin(task, coupler, name, time, [1, size(learned)], 1, code, message)
      call expect(task, 'trusted', shape(trusted), [task%extents(1)*task%extents(3)], code, message)
      if (code == status_ok .and. task%weight > 0) then
         call screen_columns_dp(task, task%extents(1), task%extents(2), task%extents(3), learned, trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine screen_dp1

   !> Which columns to believe: profiles, double precision.
   subroutine screen_dp2(coupler, name, time, learned, trusted, level_dimension, stat, errmsg)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time              !< s, on the clock of the ramp; while the weight is 0 nothing is judged
      real(dp), intent(in) :: learned(:, :)    !< (level, column), or as level_dimension says, units of the tendency
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
         call screen_columns_dp(task, task%extents(1), task%extents(2), task%extents(3), learned, trusted)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine screen_dp2

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
