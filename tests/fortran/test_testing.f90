!> The runner tests itself: checks that hold, checks that must fail.
module test_testing
   use subgrid_kinds, only: dp
   use subgrid_testing, only: check, check_close, new_case, test_case
   use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('true_passes', true_passes), &
         new_case('false_fails', false_fails, should_fail=.true.), &
         new_case('far_fails', far_fails, should_fail=.true.), &
         new_case('nan_fails', nan_fails, should_fail=.true.), &
         new_case('first_failure_is_kept', first_failure_is_kept)]
   end subroutine collect

   subroutine true_passes(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check(failure, .true., 'a true condition')
      call check_close(failure, 1.0_dp, 1.0_dp + 1e-13_dp, 1e-12_dp, 'nearly one')
   end subroutine true_passes

   subroutine false_fails(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check(failure, .false., 'a false condition')
   end subroutine false_fails

   subroutine far_fails(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check_close(failure, 1.0_dp, 2.0_dp, 0.5_dp, 'one and two')
   end subroutine far_fails

   subroutine nan_fails(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check_close(failure, ieee_value(1.0_dp, ieee_quiet_nan), 0.0_dp, 1.0_dp, 'not a number')
   end subroutine nan_fails

   subroutine first_failure_is_kept(failure)
      character(len=:), allocatable, intent(out) :: failure
      character(len=:), allocatable :: inner

      call check(inner, .false., 'first')
      call check(inner, .false., 'second')
      call check(failure, inner == 'first', 'the first failure is the one that is reported')
   end subroutine first_failure_is_kept
end module test_testing
