!> Smagorinsky's closure: Pi = nu_e lap(omega), nu_e = (C_s Delta)^2 rms(|S|), Delta = 2 pi/N, |S| = 2 sqrt(S11^2 + S12^2).
!>
!> In the doubly periodic square <|S|^2> = <omega^2>: mode by mode, 4 |S11^ + i S12^|^2 = |kappa^2/k^2|^2 |omega^|^2 =
!> |omega^|^2. So rms(|S|) needs no transform.
module subgrid_closure_smagorinsky
   use subgrid_closure, only: closure_type
   use subgrid_eddy_viscosity, only: add_uniform_diffusion, mean_square_vorticity
   use subgrid_errors, only: status_ok
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_transforms, only: transforms_type
   implicit none (type, external)
   private
   public :: smagorinsky_type

   type, extends(closure_type) :: smagorinsky_type
      real(dp) :: constant = 0.11_dp  !< C_s [1]
   contains
      procedure :: tendency
   end type smagorinsky_type

contains

   subroutine tendency(self, grid, transforms, vorticity_hat, pi_hat, stat, errmsg)
      class(smagorinsky_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: vorticity_hat(0:, :)
      complex(dp), intent(inout) :: pi_hat(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp) :: eddy_viscosity

      stat = status_ok
      eddy_viscosity = (self%constant*grid%spacing)**2*sqrt(mean_square_vorticity(grid, vorticity_hat))
      call add_uniform_diffusion(grid, eddy_viscosity, vorticity_hat, pi_hat)
   end subroutine tendency
end module subgrid_closure_smagorinsky
