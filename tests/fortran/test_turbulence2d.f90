!> The Fortran solver by physics: exact solutions, invariants, symmetries, order in time, and what it refuses.
module test_turbulence2d
   use subgrid_errors, only: status_name, status_ok, status_shape, status_value
   use subgrid_kinds, only: dp
   use subgrid_testing, only: check, check_close, new_case, test_case
   use subgrid_turbulence2d, only: closure_type, grid_type, make_closure, numerics_type, physics_type, turbulence_type
   implicit none (type, external)
   private
   public :: collect

   real(dp), parameter :: pi = acos(-1.0_dp)
   type(physics_type), parameter :: ideal = physics_type(forcing_wavenumber=0, beta=0.0_dp, viscosity=0.0_dp, drag=0.0_dp)
   character(len=*), parameter :: both(2) = [character(len=10) :: 'two_thirds', 'none']

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
               new_case('ideal_flow_conserves', ideal_flow_conserves), &
               new_case('forcing_is_that_of_the_page', forcing_is_that_of_the_page), &
               new_case('a_shift_shifts_the_answer', a_shift_shifts_the_answer), &
               new_case('a_mirror_mirrors_the_answer', a_mirror_mirrors_the_answer), &
               new_case('smagorinsky_has_the_viscosity_of_its_formula', smagorinsky_has_the_viscosity_of_its_formula), &
               new_case('leith_has_the_viscosity_of_its_formula', leith_has_the_viscosity_of_its_formula), &
               new_case('two_runs_agree_bit_for_bit', two_runs_agree_bit_for_bit), &
               new_case('odd_grid_is_refused', odd_grid_is_refused), &
               new_case('coarse_grid_is_refused', coarse_grid_is_refused), &
               new_case('bad_settings_are_refused', bad_settings_are_refused), &
               new_case('bad_fields_are_refused', bad_fields_are_refused), &
               new_case('unknown_closure_is_refused', unknown_closure_is_refused), &
               new_case('a_wrong_decay_rate_is_noticed', a_wrong_decay_rate_is_noticed, should_fail=.true.)]
   end subroutine collect

   !> A flow that is ready to step.
   subroutine prepare(flow, physics, n, dt, integrator, dealiasing, closure_name, vorticity, failure, constant)
      type(turbulence_type), intent(inout) :: flow
      type(physics_type), intent(in) :: physics
      integer, intent(in) :: n
      real(dp), intent(in) :: dt, vorticity(:, :)
      character(len=*), intent(in) :: integrator, dealiasing, closure_name
      character(len=:), allocatable, intent(inout) :: failure
      real(dp), intent(in), optional :: constant
      class(closure_type), allocatable :: closure
      type(numerics_type) :: numerics
      character(len=:), allocatable :: errmsg
      integer :: stat

      numerics%n = n
      numerics%dt = dt
      numerics%integrator = trim(integrator)
      numerics%dealiasing = trim(dealiasing)
      call make_closure(closure_name, closure, stat, errmsg, constant)
      if (stat == status_ok) call flow%create(physics, numerics, closure, stat, errmsg)
      if (stat == status_ok) call flow%set_vorticity(vorticity, stat, errmsg)
      call check(failure, stat == status_ok, 'the flow could be set up')
   end subroutine prepare

   !> The vorticity after some steps.
   function marched(flow, steps, failure) result(vorticity)
      type(turbulence_type), intent(inout) :: flow
      integer, intent(in) :: steps
      character(len=:), allocatable, intent(inout) :: failure
      real(dp), allocatable :: vorticity(:, :)
      character(len=:), allocatable :: errmsg
      integer :: i, stat

      do i = 1, steps
         call flow%step(stat, errmsg)
         call check(failure, stat == status_ok, 'a step succeeded')
      end do
      allocate (vorticity(flow%equation%grid%n, flow%equation%grid%n))
      call flow%get_vorticity(vorticity, stat, errmsg)
      call check(failure, stat == status_ok, 'the vorticity was given')
   end function marched

   pure elemental real(dp) function at(i, n)
      integer, intent(in) :: i, n

      at = 2*pi*(i - 1)/n
   end function at

   !> A smooth field without any symmetry, of zero mean.
   pure function lively_field(n) result(field)
      integer, intent(in) :: n
      real(dp) :: field(n, n)
      integer :: i, j

      do j = 1, n
         do i = 1, n
            associate (x => at(i, n), y => at(j, n))
               field(i, j) = 3*sin(2*x + y) + 2*cos(3*y - x + 0.4_dp) + 1.5_dp*sin(4*x - 3*y) + cos(5*y) - 2*sin(x + 1.1_dp)
            end associate
         end do
      end do
   end function lively_field

   pure function taylor_green(n) result(field)
      integer, intent(in) :: n
      real(dp) :: field(n, n)
      integer :: i, j

      do j = 1, n
         do i = 1, n
            field(i, j) = cos(2*at(i, n))*cos(2*at(j, n))
         end do
      end do
   end function taylor_green

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

   subroutine ideal_flow_conserves(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      real(dp), allocatable :: final(:, :)
      real(dp) :: energy, enstrophy
      integer :: d

      do d = 1, 2
         call prepare(flow, ideal, 32, 0.0005_dp, 'ifrk4', both(d), 'none', lively_field(32), failure)
         if (allocated(failure)) return
         energy = flow%energy()
         enstrophy = flow%enstrophy()
         final = marched(flow, 400, failure)
         call check(failure, maxval(abs(final - lively_field(32))) > 1, 'the flow did move')
         call check_close(failure, flow%energy()/energy, 1.0_dp, 1.0e-8_dp, 'energy')
         call check_close(failure, flow%enstrophy()/enstrophy, 1.0_dp, 1.0e-8_dp, 'enstrophy')
      end do
   end subroutine ideal_flow_conserves

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

   !> Without forcing, the answer to a shifted field is the shifted answer.
   subroutine a_shift_shifts_the_answer(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      real(dp), allocatable :: here(:, :), there(:, :)
      real(dp) :: start(32, 32)
      integer :: d

      start = lively_field(32)
      do d = 1, 2
         call prepare(flow, physics_type(0, 5.0_dp, 0.01_dp, 0.1_dp), 32, 0.01_dp, 'ifrk4', both(d), 'leith', start, failure)
         here = marched(flow, 20, failure)
         call prepare(flow, physics_type(0, 5.0_dp, 0.01_dp, 0.1_dp), 32, 0.01_dp, 'ifrk4', both(d), 'leith', &
                      shifted(start), failure)
         there = marched(flow, 20, failure)
         call check_close(failure, maxval(abs(there - shifted(here))), 0.0_dp, 1.0e-12_dp, 'shift by (5, -3)')
      end do
   end subroutine a_shift_shifts_the_answer

   pure function shifted(field)
      real(dp), intent(in) :: field(:, :)
      real(dp) :: shifted(size(field, 1), size(field, 2))

      shifted = cshift(cshift(field, 5, dim=1), -3, dim=2)
   end function shifted

   !> y -> -y takes omega to -omega, also on the beta-plane.
   subroutine a_mirror_mirrors_the_answer(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      real(dp), allocatable :: here(:, :), there(:, :)
      real(dp) :: start(32, 32)
      integer :: d

      start = lively_field(32)
      do d = 1, 2
         call prepare(flow, physics_type(0, 5.0_dp, 0.01_dp, 0.1_dp), 32, 0.01_dp, 'ifrk4', both(d), 'smagorinsky', start, failure)
         here = marched(flow, 20, failure)
         call prepare(flow, physics_type(0, 5.0_dp, 0.01_dp, 0.1_dp), 32, 0.01_dp, 'ifrk4', both(d), 'smagorinsky', &
                      mirrored(start), failure)
         there = marched(flow, 20, failure)
         call check_close(failure, maxval(abs(there - mirrored(here))), 0.0_dp, 1.0e-12_dp, 'mirror')
      end do
   end subroutine a_mirror_mirrors_the_answer

   pure function mirrored(field)
      real(dp), intent(in) :: field(:, :)
      real(dp) :: mirrored(size(field, 1), size(field, 2))
      integer :: j

      do j = 1, size(field, 2)
         mirrored(:, j) = -field(:, 1 + modulo(1 - j, size(field, 2)))
      end do
   end function mirrored

   !> For cos(2x) cos(2y): rms(|S|) = rms(omega) = 1/2, so omega decays at the rate 8 (0.3 Delta)^2/2.
   subroutine smagorinsky_has_the_viscosity_of_its_formula(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check_eddy_viscosity(failure, 'smagorinsky', (0.3_dp*2*pi/32)**2*0.5_dp)
   end subroutine smagorinsky_has_the_viscosity_of_its_formula

   !> For cos(2x) cos(2y): |grad omega| = 2 sqrt(sin^2 2x cos^2 2y + cos^2 2x sin^2 2y), averaged over the grid.
   subroutine leith_has_the_viscosity_of_its_formula(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(dp) :: mean_gradient
      integer :: i, j

      mean_gradient = 0
      do j = 1, 32
         do i = 1, 32
            associate (x => 2*at(i, 32), y => 2*at(j, 32))
               mean_gradient = mean_gradient + 2*sqrt((sin(x)*cos(y))**2 + (cos(x)*sin(y))**2)/32**2
            end associate
         end do
      end do
      call check_eddy_viscosity(failure, 'leith', (0.3_dp*2*pi/32)**3*mean_gradient)
   end subroutine leith_has_the_viscosity_of_its_formula

   !> One Euler step of an ideal flow: omega+ = (1 - 8 nu_e dt) omega.
   subroutine check_eddy_viscosity(failure, name, expected)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: name
      real(dp), intent(in) :: expected
      type(turbulence_type) :: flow
      real(dp), allocatable :: final(:, :)

      call prepare(flow, ideal, 32, 0.01_dp, 'ab2cn', 'two_thirds', name, taylor_green(32), failure, constant=0.3_dp)
      if (allocated(failure)) return
      final = marched(flow, 1, failure)
      call check_close(failure, (1 - final(1, 1))/(8*0.01_dp), expected, 1.0e-12_dp, 'eddy viscosity of '//name)
   end subroutine check_eddy_viscosity

   subroutine two_runs_agree_bit_for_bit(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: one, two
      integer :: d

      do d = 1, 2
         call prepare(one, physics_type(), 32, 0.01_dp, 'ifrk4', both(d), 'leith', lively_field(32), failure)
         call prepare(two, physics_type(), 32, 0.01_dp, 'ifrk4', both(d), 'leith', lively_field(32), failure)
         if (allocated(failure)) return
         call check(failure, all(transfer(marched(one, 20, failure), [0]) == transfer(marched(two, 20, failure), [0])), &
                    'two flows of one process agree in every bit')
      end do
   end subroutine two_runs_agree_bit_for_bit

   subroutine odd_grid_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(grid_type) :: grid
      character(len=:), allocatable :: errmsg
      integer :: stat

      call grid%create(33, 'two_thirds', stat, errmsg)
      call check(failure, stat == status_value, 'status of an odd grid')
      call check(failure, index(errmsg, 'n = 33') > 0, 'the sentence names the grid')
      call grid%create(32, 'half', stat, errmsg)
      call check(failure, stat == status_value, 'status of an unknown dealiasing')
      call check(failure, index(errmsg, "'half'") > 0, 'the sentence names the dealiasing')
   end subroutine odd_grid_is_refused

   subroutine coarse_grid_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 25, 74, 'two_thirds', 'ifrk4', 0.01_dp, '76')
      call refuse(failure, 25, 50, 'none', 'ifrk4', 0.01_dp, '52')
      call refuse(failure, -4, 64, 'none', 'ifrk4', 0.01_dp, 'negative')
   end subroutine coarse_grid_is_refused

   subroutine bad_settings_are_refused(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 4, 64, 'two_thirds', 'euler', 0.01_dp, "'euler'")
      call refuse(failure, 4, 64, 'two_thirds', 'ifrk4', 0.0_dp, 'dt')
      call refuse(failure, 4, 64, 'two_thirds', 'ifrk4', -1.0_dp, 'dt')
   end subroutine bad_settings_are_refused

   subroutine refuse(failure, forcing_wavenumber, n, dealiasing, integrator, dt, word)
      character(len=:), allocatable, intent(inout) :: failure
      integer, intent(in) :: forcing_wavenumber, n
      character(len=*), intent(in) :: dealiasing, integrator, word
      real(dp), intent(in) :: dt
      type(turbulence_type) :: flow
      class(closure_type), allocatable :: closure
      type(numerics_type) :: numerics
      character(len=:), allocatable :: errmsg
      integer :: stat

      numerics%n = n
      numerics%dt = dt
      numerics%integrator = integrator
      numerics%dealiasing = dealiasing
      call make_closure('none', closure, stat, errmsg)
      call flow%create(physics_type(forcing_wavenumber=forcing_wavenumber), numerics, closure, stat, errmsg)
      call check(failure, stat == status_value, 'status of a refusal that names '//word)
      if (stat /= status_ok) call check(failure, index(errmsg, word) > 0, 'the sentence names '//word)
   end subroutine refuse

   subroutine bad_fields_are_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      character(len=:), allocatable :: errmsg
      real(dp) :: field(16, 16), small(15, 16)
      integer :: stat

      call prepare(flow, ideal, 16, 0.01_dp, 'ifrk4', 'two_thirds', 'none', lively_field(16), failure)
      if (allocated(failure)) return
      small = 0
      call flow%set_vorticity(small, stat, errmsg)
      call check(failure, stat == status_shape, 'status of another shape')
      call check(failure, index(errmsg, '(15, 16)') > 0, 'the sentence names the shape')
      call flow%get_vorticity(small, stat, errmsg)
      call check(failure, stat == status_shape, 'status of another shape for the answer')
      field = lively_field(16)
      field(3, 4) = transfer(9221120237041090560_8, 1.0_dp)  ! a quiet NaN, made without a trap
      call flow%set_vorticity(field, stat, errmsg)
      call check(failure, stat == status_value, 'status of a field with a NaN')
      call check(failure, index(errmsg, ' 1 value') > 0, 'the sentence counts the values')
   end subroutine bad_fields_are_refused

   subroutine unknown_closure_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      class(closure_type), allocatable :: closure
      character(len=:), allocatable :: errmsg
      integer :: stat

      call make_closure('magic', closure, stat, errmsg)
      call check(failure, stat == status_name .and. .not. allocated(closure), 'status of an unknown closure')
      call check(failure, index(errmsg, "'magic'") > 0, 'the sentence names the closure')
      call make_closure('leith', closure, stat, errmsg, constant=-1.0_dp)
      call check(failure, stat == status_value, 'status of a negative constant')
   end subroutine unknown_closure_is_refused
end module test_turbulence2d
