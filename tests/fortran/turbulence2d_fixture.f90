!> Flows and fields that the suites of the solver share.
module turbulence2d_fixture
   use subgrid_errors, only: status_ok
   use subgrid_kinds, only: dp
   use subgrid_testing, only: check
   use subgrid_turbulence2d, only: closure_type, make_closure, numerics_type, physics_type, turbulence_type
   implicit none (type, external)
   private
   public :: at, both, ideal, lively_field, marched, pi, prepare, taylor_green

   real(dp), parameter :: pi = acos(-1.0_dp)
   type(physics_type), parameter :: ideal = physics_type(forcing_wavenumber=0, beta=0.0_dp, viscosity=0.0_dp, drag=0.0_dp)
   character(len=*), parameter :: both(2) = [character(len=10) :: 'two_thirds', 'none']  !< ways of dealiasing

contains

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

   !> Coordinate of the grid point i [1].
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

   !> cos(2x) cos(2y), whose advection vanishes.
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
end module turbulence2d_fixture
