!> What a call of the coupler asks for, checked: rule, time, step and shapes. The first failure is the one that is reported.
module subgrid_coupling_requests
   use subgrid_coupling_columns, only: coupling_task
   use subgrid_coupling_rules, only: find_rule, subgrid_coupler, weight_at
   use subgrid_errors, only: report, status_ok, status_shape, status_value
   use subgrid_kinds, only: dp
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   implicit none (type, external)
   private
   public :: begin, demand, expect

contains

   !> Rule, weight and extents of one call.
   subroutine begin(task, coupler, name, time, extents, level_dimension, code, message)
      type(coupling_task), intent(out) :: task
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: time                  !< s
      integer, intent(in) :: extents(2)             !< of the arrays
      integer, intent(in), optional :: level_dimension  !< 1 or 2; absent: 1
      integer, intent(out) :: code
      character(len=:), allocatable, intent(inout) :: message
      integer :: level

      level = 1
      if (present(level_dimension)) level = level_dimension
      call find_rule(coupler, name, task%rule, code, message)
      if (code /= status_ok) return
      if (.not. ieee_is_finite(time)) then
         call report(code, message, status_value, 'coupling of "'//task%rule%name//'": time is not a finite number of seconds')
      else if (level == 1) then
         task%extents = [1, extents(1), extents(2)]
      else if (level == 2) then
         task%extents = [extents(1), extents(2), 1]
      else
         call report(code, message, status_value, 'coupling of "'//task%rule%name//'": level_dimension must be 1 for arrays '// &
            '(level, column) or 2 for (column, level)')
      end if
      if (code == status_ok) task%weight = weight_at(task%rule, time)
   end subroutine begin

   !> What subgrid_couple needs beyond `begin`: a step, and a state for water.
   subroutine demand(task, step, has_state, code, message)
      type(coupling_task), intent(inout) :: task
      real(dp), intent(in) :: step  !< s
      logical, intent(in) :: has_state
      integer, intent(inout) :: code
      character(len=:), allocatable, intent(inout) :: message
      logical :: positive

      if (code /= status_ok) return
      positive = ieee_is_finite(step)
      if (positive) positive = step > 0
      if (.not. positive) then
         call report(code, message, status_value, 'coupling of "'//task%rule%name//'": step is not a positive number of seconds')
      else if (task%rule%non_negative .and. .not. has_state) then
         call report(code, message, status_value, 'coupling of "'//task%rule%name//'": its rule keeps the state non-negative; '// &
            'give the argument state')
      end if
      task%step = step
   end subroutine demand

   !> A shape that has to be that of learned, or of its columns.
   subroutine expect(task, what, found, expected, code, message)
      type(coupling_task), intent(in) :: task
      character(len=*), intent(in) :: what
      integer, intent(in) :: found(:), expected(:)
      integer, intent(inout) :: code
      character(len=:), allocatable, intent(inout) :: message

      if (code /= status_ok) return
      if (all(found == expected)) return
      call report(code, message, status_shape, 'coupling of "'//task%rule%name//'": '//what//' has the shape ('//listed(found)// &
         '); expected ('//listed(expected)//') beside learned')
   end subroutine expect

   function listed(extents) result(text)
      integer, intent(in) :: extents(:)
      character(len=:), allocatable :: text
      character(len=60) :: buffer

      write (buffer, '(*(i0,:,", "))') extents
      text = trim(buffer)
   end function listed
end module subgrid_coupling_requests
