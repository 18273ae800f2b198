!> Norms of the vorticity and the tendency nu_e lap(omega), which the eddy-viscosity closures share.
module subgrid_eddy_viscosity
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: add_uniform_diffusion, mean_square_vorticity

contains

   !> <omega^2> over the grid [1], by Parseval's theorem from the carried modes (kx > 0 stands for +-kx).
   pure function mean_square_vorticity(grid, vorticity_hat) result(mean_square)
      type(grid_type), intent(in) :: grid
      complex(dp), intent(in) :: vorticity_hat(0:, :)  !< (0:K, 2 K + 1) [1]
      real(dp) :: mean_square
      integer :: row

      mean_square = 0
      do row = 1, grid%rows
         mean_square = mean_square + sum_of_squares(vorticity_hat(:, row)) - 0.5_dp*abs_square(vorticity_hat(0, row))
      end do
      mean_square = 2*mean_square/real(grid%n, dp)**4
   end function mean_square_vorticity

   pure function sum_of_squares(row) result(total)
      complex(dp), intent(in) :: row(:)
      real(dp) :: total

      total = sum(real(row)**2 + aimag(row)**2)
   end function sum_of_squares

   pure elemental function abs_square(value)
      complex(dp), intent(in) :: value
      real(dp) :: abs_square

      abs_square = real(value)**2 + aimag(value)**2
   end function abs_square

   !> pi_hat += (nu_e lap(omega))^ = -nu_e k^2 omega^.
   pure subroutine add_uniform_diffusion(grid, eddy_viscosity, vorticity_hat, pi_hat)
      type(grid_type), intent(in) :: grid
      real(dp), intent(in) :: eddy_viscosity           !< nu_e [1]
      complex(dp), intent(in) :: vorticity_hat(0:, :)  !< (0:K, 2 K + 1) [1]
      complex(dp), intent(inout) :: pi_hat(0:, :)      !< (0:K, 2 K + 1) [1]

      pi_hat = pi_hat - eddy_viscosity*grid%square*vorticity_hat
   end subroutine add_uniform_diffusion
end module subgrid_eddy_viscosity
