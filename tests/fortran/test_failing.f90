!> A suite that fails on purpose; CTest demands that its driver ends with a non-zero status.
module test_failing
   use subgrid_testing, only: check, new_case, test_case
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [new_case('fails', fails), new_case('passes_though_it_should_not', passes, should_fail=.true.)]
   end subroutine collect

   subroutine fails(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check(failure, 1 + 1 == 3, 'one and one are three')
   end subroutine fails

   subroutine passes(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check(failure, .true., 'nothing is wrong')
   end subroutine passes
end module test_failing
