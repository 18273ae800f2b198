!> What a time integrator is: it advances the carried modes by one step, and knows no physics but the equation's split.
module subgrid_stepper
   use subgrid_equation, only: equation_type
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: stepper_type

   type, abstract :: stepper_type
   contains
      procedure(set_up), deferred :: set_up
      procedure(step), deferred :: step
   end type stepper_type

   abstract interface
      !> Tabulate the linear operator for a time step and forget the past.
      subroutine set_up(self, equation, dt)
         import :: dp, equation_type, stepper_type
         implicit none (type, external)
         class(stepper_type), intent(inout) :: self
         type(equation_type), intent(in) :: equation
         real(dp), intent(in) :: dt  !< time step [1]
      end subroutine set_up

      !> One step in place; on failure (of the closure) the state is the one before the step.
      subroutine step(self, equation, vorticity_hat, stat, errmsg)
         import :: dp, equation_type, stepper_type
         implicit none (type, external)
         class(stepper_type), intent(inout) :: self
         type(equation_type), intent(inout) :: equation
         complex(dp), intent(inout) :: vorticity_hat(0:, :)  !< (0:K, 2 K + 1) [1]
         integer, intent(out) :: stat
         character(len=:), allocatable, intent(inout) :: errmsg
      end subroutine step
   end interface
end module subgrid_stepper
