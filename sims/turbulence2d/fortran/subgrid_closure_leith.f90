!> Leith's closure: Pi = nu_e lap(omega), nu_e = (C_l Delta)^3 mean(|grad omega|), Delta = 2 pi/N.
module subgrid_closure_leith
   use subgrid_closure, only: closure_type
   use subgrid_eddy_viscosity, only: add_uniform_diffusion
   use subgrid_errors, only: status_ok
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_multipliers, only: multiplier_type, vorticity_gradient_of
   use subgrid_transforms, only: rows_at_once, transforms_type
   implicit none (type, external)
   private
   public :: leith_type

   type, extends(closure_type) :: leith_type
      real(dp) :: constant = 0.17_dp  !< C_l [1]
      type(multiplier_type), private :: gradient  !< omega^ -> d_x omega + i d_y omega
   contains
      procedure :: tendency
   end type leith_type

contains

   subroutine tendency(self, grid, transforms, vorticity_hat, pi_hat, stat, errmsg)
      class(leith_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: vorticity_hat(0:, :)
      complex(dp), intent(inout) :: pi_hat(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp) :: mean_gradient
      integer :: j

      stat = status_ok
      if (.not. allocated(self%gradient%values)) self%gradient = vorticity_gradient_of(grid)
      call transforms%spectrum_to_columns(1, vorticity_hat, self%gradient)
      mean_gradient = 0
      do j = 1, grid%n, rows_at_once
         call transforms%columns_to_grid(1, j)  ! rows beyond the last one are zero
         mean_gradient = mean_gradient + sum(sqrt(real(transforms%rows(:, :, 1))**2 + aimag(transforms%rows(:, :, 1))**2))
      end do
      mean_gradient = mean_gradient/real(grid%n, dp)**2
      call add_uniform_diffusion(grid, (self%constant*grid%spacing)**3*mean_gradient, vorticity_hat, pi_hat)
   end subroutine tendency
end module subgrid_closure_leith
