!> Milliseconds of one stage (advection, forcing, integrating factor) of our solver on one core in float64, beside four bare
!> real two-dimensional FFTW transforms and the two products of Basdevant's form, in the same run.
program benchmark_steps
   ! allow(C121)
   use, intrinsic :: iso_c_binding  ! no list: FFTW's interface file uses what it likes
   use, intrinsic :: iso_fortran_env, only: int64, output_unit
   use subgrid_kinds, only: dp
   use subgrid_turbulence2d, only: closure_type, make_closure, numerics_type, physics_type, turbulence_type
   implicit none (type, external)
   include 'fftw3.f03'
   integer, parameter :: sizes(5) = [64, 128, 256, 512, 1024]
   integer, parameter :: repeats = 7, stages = 4
   integer :: i

   write (output_unit, '(a)') '      n   ms/stage   ms/bare-transforms   ratio'
   do i = 1, size(sizes)
      call measure(sizes(i))
   end do

contains

   subroutine measure(n)
      integer, intent(in) :: n
      real(dp) :: ours, bare

      ours = stage_milliseconds(n)
      bare = transforms_milliseconds(n)
      write (output_unit, '(i7, 2x, f9.4, 2x, f19.4, 2x, f6.3)') n, ours, bare, ours/bare
   end subroutine measure

   !> A decaying vortex field that is smooth and finite.
   function field(n)
      integer, intent(in) :: n
      real(dp), allocatable :: field(:, :)
      integer :: p, q

      allocate (field(n, n))
      do q = 1, n
         do p = 1, n
            field(p, q) = sin(6.3_dp*p/n)*cos(12.5_dp*q/n) + cos(18.9_dp*(p + q)/n)
         end do
      end do
   end function field

   function stage_milliseconds(n) result(best)
      integer, intent(in) :: n
      real(dp) :: best, now
      type(turbulence_type) :: flow
      type(numerics_type) :: numerics
      class(closure_type), allocatable :: closure
      character(len=:), allocatable :: errmsg
      integer :: stat, k, r, steps

      numerics = numerics_type(n=n, dt=1.0e-4_dp, integrator='ifrk4', dealiasing='two_thirds')
      call make_closure('none', closure, stat, errmsg)
      call flow%create(physics_type(), numerics, closure, stat, errmsg)
      if (stat == 0) call flow%set_vorticity(field(n), stat, errmsg)
      if (stat /= 0) error stop errmsg
      steps = max(1, 500000/n**2)
      best = huge(best)
      do r = 1, repeats
         now = seconds()
         do k = 1, steps
            call flow%step(stat, errmsg)
         end do
         best = min(best, 1.0e3_dp*(seconds() - now)/(steps*stages))
      end do
   end function stage_milliseconds

   function transforms_milliseconds(n) result(best)
      integer, intent(in) :: n
      real(dp) :: best, now
      real(dp), allocatable :: u(:, :), v(:, :), products(:, :, :)
      complex(dp), allocatable :: s(:, :, :)
      type(c_ptr) :: forward, backward
      integer :: k, r, times

      allocate (u(n, n), v(n, n), products(n, n, 2), s(n/2 + 1, n, 2))
      forward = fftw_plan_dft_r2c_2d(n, n, u, s(:, :, 1), fftw_estimate)
      backward = fftw_plan_dft_c2r_2d(n, n, s(:, :, 1), u, fftw_estimate)
      u = field(n)
      v = u
      times = max(1, 500000/n**2)
      best = huge(best)
      do r = 1, repeats
         s = 0
         now = seconds()
         do k = 1, times
            call fftw_execute_dft_c2r(backward, s(:, :, 1), u)
            call fftw_execute_dft_c2r(backward, s(:, :, 2), v)
            products(:, :, 1) = u*v
            products(:, :, 2) = v*v - u*u
            call fftw_execute_dft_r2c(forward, products(:, :, 1), s(:, :, 1))
            call fftw_execute_dft_r2c(forward, products(:, :, 2), s(:, :, 2))
         end do
         best = min(best, 1.0e3_dp*(seconds() - now)/times)
      end do
      call fftw_destroy_plan(forward)
      call fftw_destroy_plan(backward)
   end function transforms_milliseconds

   real(dp) function seconds()
      integer(int64) :: ticks, rate

      call system_clock(ticks, rate)
      seconds = real(ticks, dp)/rate
   end function seconds
end program benchmark_steps
