!> What the Fortran solver conserves, its symmetries, and the eddy viscosities of its closures.
module test_turbulence2d_invariances
   use subgrid_kinds, only: dp
   use subgrid_testing, only: check, check_close, new_case, test_case
   use subgrid_turbulence2d, only: physics_type, turbulence_type
   use turbulence2d_fixture, only: at, both, ideal, lively_field, marched, pi, prepare, taylor_green
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [new_case('ideal_flow_conserves', ideal_flow_conserves), &
               new_case('a_shift_shifts_the_answer', a_shift_shifts_the_answer), &
               new_case('a_mirror_mirrors_the_answer', a_mirror_mirrors_the_answer), &
               new_case('smagorinsky_has_the_viscosity_of_its_formula', smagorinsky_has_the_viscosity_of_its_formula), &
               new_case('leith_has_the_viscosity_of_its_formula', leith_has_the_viscosity_of_its_formula), &
               new_case('two_runs_agree_bit_for_bit', two_runs_agree_bit_for_bit)]
   end subroutine collect

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
end module test_turbulence2d_invariances
