!> Classical Runge-Kutta of order four on the variable exp(-L t) omega^: the linear part is exact. With E = exp(L dt/2)
!> and N(omega^) = A^ + F^ + Pi^(omega^):
!>
!>     a = N(w);  b = N(E (w + dt/2 a));  c = N(E w + dt/2 b);  d = N(E^2 w + dt E c)
!>     w+ = E^2 w + dt/6 [E^2 a + 2 E (b + c) + d]
!>
!> Good values: dt = 4e-4 at N = 1024, 5e-3 at N = 64 (all cases).
module subgrid_ifrk4
   use subgrid_equation, only: equation_type
   use subgrid_errors, only: status_ok
   use subgrid_kinds, only: dp
   use subgrid_stepper, only: stepper_type
   implicit none (type, external)
   private
   public :: ifrk4_type

   type, extends(stepper_type) :: ifrk4_type
      private
      real(dp) :: dt = 0.0_dp                              !< time step [1]
      complex(dp), allocatable :: half_step(:, :)          !< E (0:K, 2 K + 1) [1]
      complex(dp), allocatable :: stage(:, :)              !< where N is evaluated
      complex(dp), allocatable :: explicit(:, :)           !< N of the stage
      complex(dp), allocatable :: total(:, :)              !< the new state so far
   contains
      procedure :: set_up
      procedure :: step
   end type ifrk4_type

contains

   subroutine set_up(self, equation, dt)
      class(ifrk4_type), intent(inout) :: self
      type(equation_type), intent(in) :: equation
      real(dp), intent(in) :: dt

      self%dt = dt
      if (allocated(self%half_step)) deallocate (self%half_step, self%stage, self%explicit, self%total)
      allocate (self%half_step(0:equation%grid%cutoff, equation%grid%rows))
      self%half_step = exp(0.5_dp*dt*cmplx(-equation%physics%viscosity*equation%grid%square - equation%physics%drag, &
                                           equation%rossby_frequency(), dp))
      self%half_step(0, 1) = 1
      allocate (self%stage, self%explicit, self%total, mold=self%half_step)
   end subroutine set_up

   subroutine step(self, equation, vorticity_hat, stat, errmsg)
      class(ifrk4_type), intent(inout) :: self
      type(equation_type), intent(inout) :: equation
      complex(dp), intent(inout) :: vorticity_hat(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: modes

      modes = size(vorticity_hat)
      call evaluate(equation, vorticity_hat, self%explicit, stat, errmsg)
      if (stat /= status_ok) return
      call after_first(modes, self%dt, self%half_step, vorticity_hat, self%explicit, self%stage, self%total)
      call evaluate(equation, self%stage, self%explicit, stat, errmsg)
      if (stat /= status_ok) return
      call after_second(modes, self%dt, self%half_step, vorticity_hat, self%explicit, self%stage, self%total)
      call evaluate(equation, self%stage, self%explicit, stat, errmsg)
      if (stat /= status_ok) return
      call after_third(modes, self%dt, self%half_step, vorticity_hat, self%explicit, self%stage, self%total)
      call evaluate(equation, self%stage, self%explicit, stat, errmsg)
      if (stat /= status_ok) return
      vorticity_hat = self%total + (self%dt/6)*self%explicit
   end subroutine step

   !> explicit = N(stage).
   subroutine evaluate(equation, stage, explicit, stat, errmsg)
      type(equation_type), intent(inout) :: equation
      complex(dp), intent(in) :: stage(0:, :)
      complex(dp), intent(out) :: explicit(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      explicit = 0
      call equation%add_advection(stage, explicit)
      call equation%add_sources(stage, explicit, stat, errmsg)
   end subroutine evaluate

   !> stage = E (w + dt/2 a);  total = E^2 (w + dt/6 a).
   pure subroutine after_first(modes, dt, e, w, a, stage, total)
      integer, intent(in) :: modes
      real(dp), intent(in) :: dt
      complex(dp), intent(in) :: e(modes), w(modes), a(modes)
      complex(dp), intent(out) :: stage(modes), total(modes)
      integer :: i

      do i = 1, modes
         stage(i) = e(i)*(w(i) + (0.5_dp*dt)*a(i))
         total(i) = e(i)*(e(i)*(w(i) + (dt/6)*a(i)))
      end do
   end subroutine after_first

   !> stage = E w + dt/2 b;  total += dt/3 E b.
   pure subroutine after_second(modes, dt, e, w, b, stage, total)
      integer, intent(in) :: modes
      real(dp), intent(in) :: dt
      complex(dp), intent(in) :: e(modes), w(modes), b(modes)
      complex(dp), intent(out) :: stage(modes)
      complex(dp), intent(inout) :: total(modes)
      integer :: i

      do i = 1, modes
         stage(i) = e(i)*w(i) + (0.5_dp*dt)*b(i)
         total(i) = total(i) + (dt/3)*(e(i)*b(i))
      end do
   end subroutine after_second

   !> stage = E (E w + dt c);  total += dt/3 E c.
   pure subroutine after_third(modes, dt, e, w, c, stage, total)
      integer, intent(in) :: modes
      real(dp), intent(in) :: dt
      complex(dp), intent(in) :: e(modes), w(modes), c(modes)
      complex(dp), intent(out) :: stage(modes)
      complex(dp), intent(inout) :: total(modes)
      integer :: i

      do i = 1, modes
         stage(i) = e(i)*(e(i)*w(i) + dt*c(i))
         total(i) = total(i) + (dt/3)*(e(i)*c(i))
      end do
   end subroutine after_third
end module subgrid_ifrk4
