!> The Fortran solver against exact solutions, orders in time, and the modes that it carries.
module test_turbulence2d
   use subgrid_errors, only: status_ok
   use subgrid_kinds, only: dp
   use subgrid_testing, only: check, check_close, new_case, test_case
   use subgrid_turbulence2d, only: grid_type, physics_type, turbulence_type
   use turbulence2d_fixture, only: at, both, ideal, lively_field, marched, prepare, taylor_green
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [new_case('carried_modes_are_symmetric', carried_modes_are_symmetric), &
               new_case('a_field_survives_the_round_trip', a_field_survives_the_round_trip), &
               new_case('taylor_green_decays_exactly', taylor_green_decays_exactly), &
               new_case('ab2cn_decays_taylor_green', ab2cn_decays_taylor_green), &
               new_case('a_rossby_wave_travels_west', a_rossby_wave_travels_west), &
               new_case('ifrk4_converges_with_order_four', ifrk4_converges_with_order_four), &
               new_case('ab2cn_converges_with_order_one', ab2cn_converges_with_order_one), &
               new_case('forcing_is_that_of_the_page', forcing_is_that_of_the_page), &
               new_case('a_wrong_decay_rate_is_noticed', a_wrong_decay_rate_is_noticed, should_fail=.true.)]
   end subroutine collect

   subroutine carried_modes_are_symmetric(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(grid_type) :: grid
      character(len=:), allocatable :: errmsg
      integer, parameter :: sizes(4) = [4, 32, 64, 96], cutoffs(4, 2) = reshape([1, 10, 21, 31, 1, 15, 31, 47], [4, 2])
      integer :: i, d, stat

      do d = 1, 2
         do i = 1, size(sizes)
            call grid%create(sizes(i), trim(both(d)), stat, errmsg)
            call check(failure, stat == status_ok, 'the grid is good')
            call check(failure, grid%cutoff == cutoffs(i, d), 'the cutoff is that of the page')
            call check(failure, abs(sum(grid%ky)) < 0.5_dp, 'for each ky there is -ky')
            call check(failure, nint(maxval(grid%kx)) == nint(maxval(grid%ky)), 'kx and ky reach equally far')
            call check(failure, grid%carries(-grid%cutoff) .and. .not. grid%carries(grid%cutoff + 1), 'carries')
         end do
      end do
   end subroutine carried_modes_are_symmetric

   subroutine a_field_survives_the_round_trip(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      integer, parameter :: sizes(5) = [16, 18, 22, 50, 64]
      integer :: d, i

      do d = 1, 2
         do i = 1, size(sizes)
            associate (n => sizes(i))
               call prepare(flow, ideal, n, 0.01_dp, 'ifrk4', both(d), 'none', lively_field(n) + 7, failure)
               if (allocated(failure)) return
               call check_close(failure, maxval(abs(marched(flow, 0, failure) - lively_field(n))), 0.0_dp, 1.0e-13_dp, &
                                'the field without its mean comes back')
               call check_close(failure, flow%enstrophy(), 0.5_dp*sum(lively_field(n)**2)/n**2, 1.0e-13_dp, 'Parseval')
            end associate
         end do
      end do
   end subroutine a_field_survives_the_round_trip

   !> cos(2x) cos(2y) has no advection: it decays as exp(-(8 nu + r) t), which ifrk4 does exactly.
   subroutine taylor_green_decays_exactly(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer :: d

      do d = 1, 2
         call check_decay(failure, both(d), 'ifrk4', exp(-(8*0.05_dp + 0.1_dp)*0.5_dp), 1.0e-14_dp)
      end do
   end subroutine taylor_green_decays_exactly

   !> The same by ab2cn: 50 times the factor (1 - dt/2 nu k^2)/(1 + dt r + dt/2 nu k^2).
   subroutine ab2cn_decays_taylor_green(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer :: d

      do d = 1, 2
         call check_decay(failure, both(d), 'ab2cn', ((1 - 0.002_dp)/(1 + 0.001_dp + 0.002_dp))**50, 1.0e-13_dp)
      end do
   end subroutine ab2cn_decays_taylor_green

   subroutine a_wrong_decay_rate_is_noticed(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check_decay(failure, 'two_thirds', 'ifrk4', exp(-(4*0.05_dp + 0.1_dp)*0.5_dp), 1.0e-14_dp)
   end subroutine a_wrong_decay_rate_is_noticed

   subroutine check_decay(failure, dealiasing, integrator, factor, tolerance)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: dealiasing, integrator
      real(dp), intent(in) :: factor, tolerance
      type(turbulence_type) :: flow

      call prepare(flow, physics_type(0, 0.0_dp, 0.05_dp, 0.1_dp), 32, 0.01_dp, integrator, dealiasing, 'none', taylor_green(32), &
                   failure)
      if (allocated(failure)) return
      call check_close(failure, maxval(abs(marched(flow, 50, failure) - factor*taylor_green(32))), 0.0_dp, tolerance, 'decay')
   end subroutine check_decay

   !> A single wave cos(kx x + ky y) turns with beta kx/k^2: it becomes cos(kx x + ky y + beta kx/k^2 t).
   subroutine a_rossby_wave_travels_west(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      real(dp), allocatable :: final(:, :)
      real(dp) :: start(32, 32), expected(32, 32)
      real(dp), parameter :: phase = 20.0_dp*3/(3**2 + 2**2)*0.25_dp
      integer :: i, j

      do j = 1, 32
         do i = 1, 32
            start(i, j) = cos(3*at(i, 32) + 2*at(j, 32))
            expected(i, j) = cos(3*at(i, 32) + 2*at(j, 32) + phase)
         end do
      end do
      call prepare(flow, physics_type(0, 20.0_dp, 0.0_dp, 0.0_dp), 32, 0.01_dp, 'ifrk4', 'two_thirds', 'none', start, failure)
      if (allocated(failure)) return
      final = marched(flow, 25, failure)
      call check_close(failure, maxval(abs(final - expected)), 0.0_dp, 1.0e-13_dp, 'the wave is where it should be')
   end subroutine a_rossby_wave_travels_west

   !> Ratio of the errors at dt and dt/2, from three runs to t = 0.4.
   function error_ratio(integrator, steps, failure) result(ratio)
      character(len=*), intent(in) :: integrator
      integer, intent(in) :: steps
      character(len=:), allocatable, intent(inout) :: failure
      type(turbulence_type) :: flow
      real(dp) :: ratio, results(24, 24, 3)
      integer :: i

      ratio = 0
      do i = 1, 3
         call prepare(flow, physics_type(4, 2.0_dp, 0.01_dp, 0.1_dp), 24, 0.4_dp/(steps*2**(i - 1)), integrator, 'two_thirds', &
                      'none', lively_field(24), failure)
         if (allocated(failure)) return
         results(:, :, i) = marched(flow, steps*2**(i - 1), failure)
      end do
      ratio = norm2(results(:, :, 1) - results(:, :, 2))/norm2(results(:, :, 2) - results(:, :, 3))
   end function error_ratio

   subroutine ifrk4_converges_with_order_four(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check_close(failure, log(error_ratio('ifrk4', 20, failure))/log(2.0_dp), 4.0_dp, 0.2_dp, 'order in time')
   end subroutine ifrk4_converges_with_order_four

   !> Forcing, beta and drag are of first order.
   subroutine ab2cn_converges_with_order_one(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check_close(failure, log(error_ratio('ab2cn', 200, failure))/log(2.0_dp), 1.0_dp, 0.1_dp, 'order in time')
   end subroutine ab2cn_converges_with_order_one

   !> From rest, for a short time dt: omega = dt F, F = -k_f [cos(k_f x) + cos(k_f y)].
   subroutine forcing_is_that_of_the_page(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      real(dp), allocatable :: final(:, :)
      real(dp) :: rest(32, 32), expected(32, 32)
      integer :: i, j, d

      rest = 0
      do j = 1, 32
         do i = 1, 32
            expected(i, j) = -4*(cos(4*at(i, 32)) + cos(4*at(j, 32)))
         end do
      end do
      do d = 1, 2
         call prepare(flow, physics_type(4, 0.0_dp, 0.0_dp, 0.0_dp), 32, 1.0e-5_dp, 'ab2cn', both(d), 'none', rest, failure)
         if (allocated(failure)) return
         final = marched(flow, 1, failure)
         call check_close(failure, maxval(abs(final/1.0e-5_dp - expected)), 0.0_dp, 1.0e-12_dp, 'forcing')
      end do
   end subroutine forcing_is_that_of_the_page
end module test_turbulence2d
