!> What a closure is: a tendency Pi of the vorticity. Every closure, physical or learned, extends this type.
module subgrid_closure
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_transforms, only: transforms_type
   implicit none (type, external)
   private
   public :: closure_type

   type, abstract :: closure_type
   contains
      procedure(tendency), deferred :: tendency
   end type closure_type

   abstract interface
      !> Pi^(omega^) of the carried modes; the mean is zero.
      subroutine tendency(self, grid, transforms, vorticity_hat, pi_hat, stat, errmsg)
         import :: closure_type, dp, grid_type, transforms_type
         implicit none (type, external)
         class(closure_type), intent(inout) :: self
         type(grid_type), intent(in) :: grid
         type(transforms_type), intent(inout) :: transforms
         complex(dp), intent(in) :: vorticity_hat(0:, :)   !< (0:K, 2 K + 1) [1]
         complex(dp), intent(inout) :: pi_hat(0:, :)       !< (0:K, 2 K + 1), the tendency is added to it [1]
         integer, intent(out) :: stat
         character(len=:), allocatable, intent(inout) :: errmsg
      end subroutine tendency
   end interface
end module subgrid_closure
