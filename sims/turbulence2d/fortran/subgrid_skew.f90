!> Advection in the skew-symmetric form, for a grid without dealiasing:
!>
!>     -u.grad(omega) = -1/2 [div(u omega) + u.grad(omega)]
!>
!> It conserves energy and enstrophy in spite of aliasing, at the price of five complex transforms instead of two.
module subgrid_skew
   use subgrid_advection, only: advection_type
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_multipliers, only: divergence_of, multiplier_type, spectrum_of_real_part, velocity_of, vorticity_gradient_of, &
                                  vorticity_of
   use subgrid_transforms, only: rows_at_once, transforms_type
   implicit none (type, external)
   private
   public :: skew_type, skew_fields

   integer, parameter :: skew_fields = 3  !< complex fields that are on the grid at the same time

   type, extends(advection_type) :: skew_type
      private
      type(multiplier_type) :: velocity    !< omega^ -> u + iv
      type(multiplier_type) :: gradient    !< omega^ -> d_x omega + i d_y omega
      type(multiplier_type) :: vorticity   !< omega^ -> omega
      type(multiplier_type) :: divergence  !< a + ib -> d_x a + d_y b
      type(multiplier_type) :: real_part   !< a + ib -> a
   contains
      procedure :: set_up
      procedure :: add_tendency
   end type skew_type

contains

   pure subroutine set_up(self, grid)
      class(skew_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid

      self%velocity = velocity_of(grid)
      self%gradient = vorticity_gradient_of(grid)
      self%vorticity = vorticity_of(grid)
      self%divergence = divergence_of(grid)
      self%real_part = spectrum_of_real_part(grid)
   end subroutine set_up

   subroutine add_tendency(self, transforms, vorticity_hat, tendency)
      class(skew_type), intent(in) :: self
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: vorticity_hat(0:, :)
      complex(dp), intent(inout) :: tendency(0:, :)
      integer :: field, j

      call transforms%spectrum_to_columns(1, vorticity_hat, self%velocity)
      call transforms%spectrum_to_columns(2, vorticity_hat, self%gradient)
      call transforms%spectrum_to_columns(3, vorticity_hat, self%vorticity)
      do j = 1, transforms%n, rows_at_once
         do field = 1, skew_fields
            call transforms%columns_to_grid(field, j)
         end do
         associate (velocity => transforms%rows(:, :, 1), gradient => transforms%rows(:, :, 2), &
                    vorticity => transforms%rows(:, :, 3))
            gradient = cmplx(real(velocity)*real(gradient) + aimag(velocity)*aimag(gradient), 0, dp)
            velocity = velocity*real(vorticity)
         end associate
         call transforms%grid_to_columns(1, j)
         call transforms%grid_to_columns(2, j)
      end do
      call transforms%add_spectrum(1, self%divergence, -0.5_dp, tendency)
      call transforms%add_spectrum(2, self%real_part, -0.5_dp, tendency)
   end subroutine add_tendency
end module subgrid_skew
