!> The papers' scheme: Adams-Bashforth 2 on advection (Euler on the first step), Crank-Nicolson on viscosity, backward
!> Euler on drag, forward Euler on forcing, closure and beta:
!>
!>     w+ = [w + dt (3/2 A - 1/2 A-) - dt/2 nu k^2 w + dt (F + Pi + i beta kx/k^2 w)] / [1 + dt r + dt/2 nu k^2]
!>
!> Good values: dt = 5e-4 at N <= 128; at N = 1024 it needs dt <= 5e-5 with beta = 20.
module subgrid_ab2cn
   use subgrid_equation, only: equation_type
   use subgrid_errors, only: status_ok
   use subgrid_kinds, only: dp
   use subgrid_stepper, only: stepper_type
   implicit none (type, external)
   private
   public :: ab2cn_type

   type, extends(stepper_type) :: ab2cn_type
      logical :: has_previous = .false.                      !< whether a step was made before
      complex(dp), allocatable :: previous_advection(:, :)   !< A- (0:K, 2 K + 1) [1]
      real(dp), private :: dt = 0.0_dp                       !< time step [1]
      complex(dp), allocatable, private :: numerator(:, :)   !< 1 - dt/2 nu k^2 + dt i beta kx/k^2 [1]
      real(dp), allocatable, private :: denominator(:, :)    !< 1 + dt r + dt/2 nu k^2 [1]
      complex(dp), allocatable, private :: advection(:, :)   !< A
      complex(dp), allocatable, private :: sources(:, :)     !< F + Pi
   contains
      procedure :: set_up
      procedure :: step
   end type ab2cn_type

contains

   subroutine set_up(self, equation, dt)
      class(ab2cn_type), intent(inout) :: self
      type(equation_type), intent(in) :: equation
      real(dp), intent(in) :: dt
      real(dp), allocatable :: diffusion(:, :)

      self%dt = dt
      self%has_previous = .false.
      allocate (diffusion, source=0.5_dp*dt*equation%physics%viscosity*equation%grid%square)
      self%numerator = cmplx(1 - diffusion, dt*equation%rossby_frequency(), dp)
      self%denominator = 1 + dt*equation%physics%drag + diffusion
      if (allocated(self%advection)) deallocate (self%advection, self%sources, self%previous_advection)
      allocate (self%advection, self%sources, self%previous_advection, mold=self%numerator)
      self%previous_advection = 0
   end subroutine set_up

   subroutine step(self, equation, vorticity_hat, stat, errmsg)
      class(ab2cn_type), intent(inout) :: self
      type(equation_type), intent(inout) :: equation
      complex(dp), intent(inout) :: vorticity_hat(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      self%advection = 0
      self%sources = 0
      call equation%add_advection(vorticity_hat, self%advection)
      call equation%add_sources(vorticity_hat, self%sources, stat, errmsg)
      if (stat /= status_ok) return
      if (.not. self%has_previous) self%previous_advection = self%advection
      vorticity_hat = (self%numerator*vorticity_hat &
                       + self%dt*(1.5_dp*self%advection - 0.5_dp*self%previous_advection + self%sources))/self%denominator
      self%previous_advection = self%advection
      self%has_previous = .true.
   end subroutine step
end module subgrid_ab2cn
