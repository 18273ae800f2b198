!> A list runner for the Fortran tests.
!>
!> A suite is a module `test_<suite>` that exports `collect(cases)`; CMake writes the driver (`subgrid_add_suite(<suite> …)`).
!> A case is a subroutine with one argument, `failure`, which stays unallocated when all is well:
!>
!>     subroutine test_sum(failure)
!>        character(len=:), allocatable, intent(out) :: failure
!>        call check(failure, 1 + 1 == 2, '1 + 1 is 2')
!>        if (allocated(failure)) return
!>        call check_close(failure, computed, expected, 1e-12_dp, 'area of the unit circle')
!>     end subroutine
!>
!> The driver takes the name of one case as argument, or none for all, and ends with a non-zero status when a case failed.
module subgrid_testing
   use subgrid_kinds, only: dp
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: iso_fortran_env, only: error_unit, output_unit
   implicit none (type, external)
   private
   public :: test_case, new_case, check, check_close, run_cases

   abstract interface
      subroutine test_procedure(failure)
         implicit none (type, external)
         character(len=:), allocatable, intent(out) :: failure  !< first thing that was wrong, unallocated if nothing was
      end subroutine test_procedure
   end interface

   type :: test_case
      character(len=:), allocatable :: name
      procedure(test_procedure), pointer, nopass :: run => null()
      logical :: should_fail = .false.
   end type test_case

contains

   !> One entry of a suite's list.
   function new_case(name, run, should_fail) result(entry)
      character(len=*), intent(in) :: name
      procedure(test_procedure) :: run
      logical, intent(in), optional :: should_fail  !< the case proves that a check does fail
      type(test_case) :: entry

      entry%name = name
      entry%run => run
      if (present(should_fail)) entry%should_fail = should_fail
   end function new_case

   !> Record `message` as the failure unless `condition` holds or an earlier check has failed already.
   subroutine check(failure, condition, message)
      character(len=:), allocatable, intent(inout) :: failure
      logical, intent(in) :: condition
      character(len=*), intent(in) :: message

      if (.not. condition .and. .not. allocated(failure)) failure = message
   end subroutine check

   !> |actual − expected| ≤ tolerance, the absolute tolerance being given by the caller; a NaN fails.
   subroutine check_close(failure, actual, expected, tolerance, message)
      character(len=:), allocatable, intent(inout) :: failure
      real(dp), intent(in) :: actual, expected, tolerance
      character(len=*), intent(in) :: message
      character(len=120) :: numbers

      if (ieee_is_finite(actual)) then  ! a comparison with NaN would trap in a Debug build
         if (abs(actual - expected) <= tolerance) return
      end if
      write (numbers, '(3(a,es23.15e3))') ': found ', actual, ', expected ', expected, ' within ', tolerance
      call check(failure, .false., message//trim(numbers))
   end subroutine check_close

   !> Run the case that the command line names, or all; the only place that may end the process.
   subroutine run_cases(suite, cases)
      character(len=*), intent(in) :: suite
      type(test_case), intent(in) :: cases(:)
      character(len=200) :: only
      integer :: i, ran, failed

      call get_command_argument(1, only)
      ran = 0
      failed = 0
      do i = 1, size(cases)
         if (only /= '' .and. only /= cases(i)%name) cycle
         ran = ran + 1
         if (.not. passed(suite, cases(i))) failed = failed + 1
      end do
      write (output_unit, '(a,": ",i0," cases, ",i0," failed")') suite, ran, failed
      flush (output_unit)
      if (ran == 0) write (error_unit, '(3a)') 'no case named "', trim(only), '" in suite '//suite
      if (failed > 0 .or. ran == 0) stop 1
   end subroutine run_cases

   logical function passed(suite, entry)
      character(len=*), intent(in) :: suite
      type(test_case), intent(in) :: entry
      character(len=:), allocatable :: failure

      write (output_unit, '(5a)', advance='no') suite, '/', entry%name, ' ... '
      flush (output_unit)
      call entry%run(failure)
      passed = allocated(failure) .eqv. entry%should_fail
      if (passed .and. entry%should_fail) then
         write (output_unit, '(2a)') 'fails as it should: ', failure
      else if (passed) then
         write (output_unit, '(a)') 'passed'
      else if (entry%should_fail) then
         write (output_unit, '(a)') 'FAILED: expected a failure, and every check passed'
      else
         write (output_unit, '(2a)') 'FAILED: ', failure
      end if
      flush (output_unit)
   end function passed
end module subgrid_testing
