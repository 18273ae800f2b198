!> What an advection scheme is: a tendency -u.grad(omega) of the carried modes.
module subgrid_advection
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_transforms, only: transforms_type
   implicit none (type, external)
   private
   public :: advection_type

   type, abstract :: advection_type
   contains
      procedure(set_up), deferred :: set_up
      procedure(add_tendency), deferred :: add_tendency
   end type advection_type

   abstract interface
      !> Tabulate the operators of the scheme.
      pure subroutine set_up(self, grid)
         import :: advection_type, grid_type
         implicit none (type, external)
         class(advection_type), intent(inout) :: self
         type(grid_type), intent(in) :: grid
      end subroutine set_up

      !> tendency += (-u.grad omega)^.
      subroutine add_tendency(self, transforms, vorticity_hat, tendency)
         import :: advection_type, dp, transforms_type
         implicit none (type, external)
         class(advection_type), intent(in) :: self
         type(transforms_type), intent(inout) :: transforms
         complex(dp), intent(in) :: vorticity_hat(0:, :)   !< (0:K, 2 K + 1) [1]
         complex(dp), intent(inout) :: tendency(0:, :)     !< (0:K, 2 K + 1) [1]
      end subroutine add_tendency
   end interface
end module subgrid_advection
