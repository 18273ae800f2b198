!> Saturated air at (p, θ_e), tabulated as WRF does ("match") or in closed form ("clean"), and the adjustment of parcels to it.
module subgrid_mskf_saturation_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: heat_capacity, vapour_ratio
   use subgrid_mskf_thermodynamics_dp, only: cell, latent_heat_vapour, magnus_a, magnus_b, magnus_c, moist_exponent, &
      saturation_mixing_ratio, table_pressure_step, table_pressures, table_theta_step, table_thetas, table_top, &
      thermodynamics_type, triple_pressure
   implicit none (type, external)
   private
   public :: saturate, saturate_levels, adjust_saturation

   real(wp), parameter :: tolerance = 5.0e-5_wp   ! of a Halley step relative to T; the error is its cube times some 1e-3 K-2

   !> A cell of the look-up tables and where in it.
   type :: position_type
      integer :: i = 1, j = 1   !< pressure, θ_e
      real(wp) :: x = 0.0_wp, y = 0.0_wp   !< 0 to 1 within the cell; beyond at the tables' ends
   end type position_type

contains

   !> Temperature and mixing ratio of saturated air at (p, θ_e).
   pure subroutine saturate(thermo, p, log_p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, theta_e   !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(out) :: t, q        !< [K], [kg kg-1]
      type(position_type) :: at

      if (thermo%tabulated) then
         at = position_in_table(thermo%coldest, p, theta_e)
         t = interpolated(thermo%t, at)
         q = interpolated(thermo%q, at)
      else
         call saturate_by_halley(thermo, p, log_p, theta_e, t, q)
      end if
   end subroutine saturate

   !> The same on many levels, in loops that a compiler makes vectors of.
   pure subroutine saturate_levels(thermo, p, log_p, theta_e, t, q, step)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in), contiguous :: p(:), log_p(:), theta_e(:)   !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(out), contiguous :: t(:), q(:)        !< [K], [kg kg-1]
      real(wp), intent(out), contiguous :: step(:)           !< scratch [K]
      type(position_type) :: at
      integer :: k

      if (thermo%tabulated) then
         do k = 1, size(p)
            at = position_in_table(thermo%coldest, p(k), theta_e(k))
            t(k) = interpolated(thermo%t, at)
            q(k) = interpolated(thermo%q, at)
         end do
         return
      end if
      do k = 1, size(p)
         t(k) = interpolated(thermo%t, position_in_table(thermo%coldest, p(k), theta_e(k)))
      end do
      do k = 1, size(p)
         call step_by_halley(p(k), log_p(k), theta_e(k), t(k), q(k), step(k))
      end do
      do k = 1, size(p)
         if (abs(step(k)) >= tolerance*t(k)) call saturate_by_halley(thermo, p(k), log_p(k), theta_e(k), t(k), q(k))
      end do
   end subroutine saturate_levels

   !> Where (p, θ_e) lies: the second coordinate is the distance of θ_e from the (interpolated) coldest entry.
   pure type(position_type) function position_in_table(coldest, p, theta_e) result(at)
      real(wp), intent(in), contiguous :: coldest(:)   !< first θ_e of each pressure [K]
      real(wp), intent(in) :: p, theta_e   !< [Pa], [K]

      at%x = (p - table_top)/table_pressure_step
      at%i = cell(at%x, table_pressures)
      at%x = at%x - real(at%i - 1, wp)
      at%y = (theta_e - (coldest(at%i) + at%x*(coldest(at%i + 1) - coldest(at%i))))/table_theta_step
      at%j = cell(at%y, table_thetas)
      at%y = at%y - real(at%j - 1, wp)
   end function position_in_table

   !> Bilinear interpolation, as what comes on top of one entry: in single precision that keeps a digit.
   pure real(wp) function interpolated(table, at)
      real(wp), intent(in), contiguous :: table(:, :)   !< (θ_e, pressure)
      type(position_type), intent(in) :: at

      associate (i => at%i, j => at%j)
         interpolated = table(j, i) + ((1.0_wp - at%x)*at%y*(table(j + 1, i) - table(j, i)) &
            + at%x*((table(j, i + 1) - table(j, i)) + at%y*(table(j + 1, i + 1) - table(j, i + 1))))
      end associate
   end function interpolated

   !> Halley's method on f(T) = ln θ_es(T; p) - ln θ_e. The look-up tables, where they reach, only give the first guess, good
   !> to 1e-3 K in the lower and 1e-2 K in the upper troposphere, so that one step is enough: the answer is good to 1e-7 K
   !> with or without them.
   pure subroutine saturate_by_halley(thermo, p, log_p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, theta_e   !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(out) :: t, q               !< [K], [kg kg-1]
      integer, parameter :: most_steps = 60
      type(position_type) :: at
      real(wp) :: step
      integer :: n

      at = position_in_table(thermo%coldest, p, theta_e)
      if (min(at%x, at%y) >= 0.0_wp .and. max(at%x, at%y) <= 1.0_wp) then
         t = interpolated(thermo%t, at)
      else
         t = theta_e*exp(-0.2854_wp*log_p)
         t = min(t, 273.0_wp + 0.25_wp*(t - 273.0_wp))
      end if
      do n = 1, most_steps
         call step_by_halley(p, log_p, theta_e, t, q, step)
         if (abs(step) < tolerance*t) return
      end do
      q = saturation_mixing_ratio(t, p)
   end subroutine saturate_by_halley

   !> One step, and q after it. For f'' the moist part of f' is taken to grow as e_s does.
   elemental pure subroutine step_by_halley(p, log_p, theta_e, t, q, step)
      real(wp), intent(in) :: p, log_p, theta_e   !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(inout) :: t                !< [K]
      real(wp), intent(out) :: q, step            !< [kg kg-1], by how much t fell [K]
      real(wp), parameter :: magnus_d = magnus_c - magnus_a*magnus_b
      real(wp) :: e, moisture, factor, relative_slope, slope, inverse_t, inverse_b, inverse_gradient

      inverse_t = 1.0_wp/t
      inverse_b = 1.0_wp/(t - magnus_b)
      relative_slope = magnus_d*inverse_b**2
      e = min(triple_pressure*exp(magnus_a - magnus_d*inverse_b), 0.9_wp*p)
      q = vapour_ratio*e/(p - e)
      moisture = q*(1.0_wp + 0.81_wp*q)
      factor = 3374.6525_wp*inverse_t - 2.5403_wp
      slope = relative_slope*q*(1.0_wp + q*(1.0_wp/vapour_ratio))
      inverse_gradient = 1.0_wp/((1.0_wp - 3374.6525_wp*inverse_t*moisture)*inverse_t &
         + slope*(factor*(1.0_wp + 1.62_wp*q) - 0.2854_wp*0.28_wp*log_p))
      step = (log(t/theta_e) + moist_exponent(q)*log_p + factor*moisture)*inverse_gradient
      step = max(-15.0_wp, min(15.0_wp, step))
      step = step*(1.0_wp + max(-0.5_wp, min(0.5_wp, 0.5_wp*step*(relative_slope*(1.0_wp - inverse_t*inverse_gradient) &
         - inverse_t**2*inverse_gradient))))
      t = max(100.0_wp, t - step)
      q = q - slope*step*(1.0_wp - 0.5_wp*step*relative_slope)
   end subroutine step_by_halley

   !> Saturate a parcel at (p, θ_e): excess vapour condenses; a deficit is met by its condensate, pro rata, as far as
   !> that goes, and the rest leaves the parcel warmer than saturated air of the same θ_e.
   pure subroutine adjust_saturation(thermo, p, log_p, theta_e, t, q, liquid, ice, fresh)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, theta_e         !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(out) :: t                        !< [K]
      real(wp), intent(inout) :: q, liquid, ice         !< [kg kg-1]
      real(wp), intent(out) :: fresh                    !< newly condensed liquid [kg kg-1]
      real(wp), parameter :: tiny_water = 1.0e-10_wp
      real(wp) :: q_saturated, deficit, condensate, capacity

      call saturate(thermo, p, log_p, theta_e, t, q_saturated)
      fresh = 0.0_wp
      deficit = q_saturated - q
      condensate = liquid + ice
      if (deficit <= 0.0_wp) then
         fresh = -deficit
         q = q_saturated
      else if (condensate >= deficit) then
         ! WRF divides by 1e-10 more, which makes a little water of nothing (1e-9 of the column's, rarely).
         if (thermo%tabulated) condensate = condensate + tiny_water
         liquid = liquid - deficit*(liquid/condensate)
         ice = ice - deficit*(ice/condensate)
         q = q_saturated
      else
         capacity = heat_capacity*(1.0_wp + 0.89_wp*q)
         if (condensate >= tiny_water) then
            deficit = deficit - condensate
            q = q + condensate
            liquid = 0.0_wp
            ice = 0.0_wp
         end if
         t = t + latent_heat_vapour(t)*deficit/(1.0_wp + deficit)/capacity
      end if
   end subroutine adjust_saturation
end module subgrid_mskf_saturation_dp
