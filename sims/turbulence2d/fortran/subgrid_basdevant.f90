!> Advection in Basdevant's form, for a dealiased grid:
!>
!>     -u.grad(omega) = -(d_xx - d_yy)(uv) - d_xy (v^2 - u^2)
!>
!> Both products are the parts of one complex square, (u + iv)^2 = (u^2 - v^2) + i 2uv, so that the four real transforms
!> of the form are two complex ones. Without dealiasing it blows up within a few time units: use subgrid_skew there.
!>
!> Source: Basdevant (1983), J. Comput. Phys. 50, 209.
module subgrid_basdevant
   use subgrid_advection, only: advection_type
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_multipliers, only: basdevant_of, multiplier_type, velocity_of
   use subgrid_transforms, only: rows_at_once, transforms_type
   implicit none (type, external)
   private
   public :: basdevant_type

   type, extends(advection_type) :: basdevant_type
      private
      type(multiplier_type) :: velocity  !< omega^ -> u + iv
      type(multiplier_type) :: flux      !< (u + iv)^2 -> -u.grad(omega)
   contains
      procedure :: set_up
      procedure :: add_tendency
   end type basdevant_type

contains

   pure subroutine set_up(self, grid)
      class(basdevant_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid

      self%velocity = velocity_of(grid)
      self%flux = basdevant_of(grid)
   end subroutine set_up

   subroutine add_tendency(self, transforms, vorticity_hat, tendency)
      class(basdevant_type), intent(in) :: self
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: vorticity_hat(0:, :)
      complex(dp), intent(inout) :: tendency(0:, :)
      integer :: j

      call transforms%spectrum_to_columns(1, vorticity_hat, self%velocity)
      do j = 1, transforms%n, rows_at_once
         call transforms%columns_to_grid(1, j)
         transforms%rows(:, :, 1) = transforms%rows(:, :, 1)**2
         call transforms%grid_to_columns(1, j)
      end do
      call transforms%add_spectrum(1, self%flux, 1.0_dp, tendency)
   end subroutine add_tendency
end module subgrid_basdevant
