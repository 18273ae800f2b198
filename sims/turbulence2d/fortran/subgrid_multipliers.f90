!> Linear operators of the solver as one complex number per carried mode.
!>
!> Two real fields a and b travel as ONE complex field a + ib, so that one complex transform does the work of two
!> real ones. With kappa = kx + i ky and omega^ the vorticity, the pairs that the solver needs are
!>
!>     (u + iv)^           =  kappa/k^2 omega^
!>     (d_x w + i d_y w)^  =  i kappa omega^
!>
!> A multiplier is stored for kx >= 0; `parity` says how it continues: m(-k) = parity m(k). The mean is always zero.
module subgrid_multipliers
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: multiplier_type, vorticity_of, velocity_of, vorticity_gradient_of
   public :: spectrum_of_real_part, divergence_of, basdevant_of

   type :: multiplier_type
      complex(dp), allocatable :: values(:, :)  !< (0:K, 2 K + 1) [1]
      real(dp) :: parity = 1                    !< +1 even, -1 odd under k -> -k
   end type multiplier_type

   complex(dp), parameter :: i_unit = (0.0_dp, 1.0_dp)

contains

   !> kappa = kx + i ky of all carried modes [1].
   pure function kappa(grid) result(values)
      type(grid_type), intent(in) :: grid
      complex(dp), allocatable :: values(:, :)
      integer :: row

      allocate (values(0:grid%cutoff, grid%rows))
      do row = 1, grid%rows
         values(:, row) = cmplx(grid%kx, grid%ky(row), dp)
      end do
   end function kappa

   ! From a spectrum to the grid: these carry the 1/N^2 of the inverse transform.

   !> omega^ -> omega + i0.
   pure function vorticity_of(grid) result(multiplier)
      type(grid_type), intent(in) :: grid
      type(multiplier_type) :: multiplier

      allocate (multiplier%values(0:grid%cutoff, grid%rows))
      multiplier%values = cmplx(1/real(grid%n, dp)**2, 0, dp)
      multiplier%values(0, 1) = 0
   end function vorticity_of

   !> omega^ -> u + iv, from u = -d_y psi, v = d_x psi, lap psi = omega.
   pure function velocity_of(grid) result(multiplier)
      type(grid_type), intent(in) :: grid
      type(multiplier_type) :: multiplier

      allocate (multiplier%values(0:grid%cutoff, grid%rows))
      multiplier%values = kappa(grid)*grid%inverse_square/real(grid%n, dp)**2
      multiplier%parity = -1
   end function velocity_of

   !> omega^ -> d_x omega + i d_y omega.
   pure function vorticity_gradient_of(grid) result(multiplier)
      type(grid_type), intent(in) :: grid
      type(multiplier_type) :: multiplier

      allocate (multiplier%values(0:grid%cutoff, grid%rows))
      multiplier%values = i_unit*kappa(grid)/real(grid%n, dp)**2
      multiplier%parity = -1
   end function vorticity_gradient_of

   ! From the grid to a spectrum: the result is that of the REAL part of (multiplier applied to z), z a complex field.
   ! The halves below come from Re q = (q + conj q)/2.

   !> z -> (Re z)^.
   pure function spectrum_of_real_part(grid) result(multiplier)
      type(grid_type), intent(in) :: grid
      type(multiplier_type) :: multiplier

      allocate (multiplier%values(0:grid%cutoff, grid%rows))
      multiplier%values = (0.5_dp, 0.0_dp)
      multiplier%values(0, 1) = 0
   end function spectrum_of_real_part

   !> z = a + ib -> (d_x a + d_y b)^ = (Re [(d_x - i d_y) z])^.
   pure function divergence_of(grid) result(multiplier)
      type(grid_type), intent(in) :: grid
      type(multiplier_type) :: multiplier

      allocate (multiplier%values(0:grid%cutoff, grid%rows))
      multiplier%values = 0.5_dp*i_unit*conjg(kappa(grid))
      multiplier%parity = -1
   end function divergence_of

   !> z = (u + iv)^2 = (u^2 - v^2) + i 2uv  ->  (kx^2 - ky^2) (uv)^ + kx ky (v^2 - u^2)^ = (Re [-i/2 (conj kappa)^2 z])^.
   pure function basdevant_of(grid) result(multiplier)
      type(grid_type), intent(in) :: grid
      type(multiplier_type) :: multiplier

      allocate (multiplier%values(0:grid%cutoff, grid%rows))
      multiplier%values = -0.25_dp*i_unit*conjg(kappa(grid))**2
   end function basdevant_of
end module subgrid_multipliers
