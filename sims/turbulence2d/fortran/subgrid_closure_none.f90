!> No closure: Pi = 0, as in a direct numerical simulation.
module subgrid_closure_none
   use subgrid_closure, only: closure_type
   use subgrid_errors, only: status_ok
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_transforms, only: transforms_type
   implicit none (type, external)
   private
   public :: no_closure_type

   type, extends(closure_type) :: no_closure_type
   contains
      procedure :: tendency
   end type no_closure_type

contains

   subroutine tendency(self, grid, transforms, vorticity_hat, pi_hat, stat, errmsg)
      class(no_closure_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: vorticity_hat(0:, :)
      complex(dp), intent(inout) :: pi_hat(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
   end subroutine tendency
end module subgrid_closure_none
