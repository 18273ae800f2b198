!> Saturated air at (p, θ_e), tabulated as WRF does ("match") or in closed form ("clean"), and the adjustment of parcels to it.
module subgrid_mskf_saturation_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: heat_capacity, vapour_ratio
   use subgrid_mskf_thermodynamics_dp, only: cell, latent_heat_vapour, magnus_a, magnus_b, magnus_c, moist_exponent, &
      saturation_mixing_ratio, table_pressure_step, table_pressures, table_theta_step, table_thetas, table_top, &
      thermodynamics_type, triple_pressure
   implicit none (type, external)
   private
   public :: saturate, adjust_saturation

contains

   !> Temperature and mixing ratio of saturated air at (p, θ_e).
   pure subroutine saturate(thermo, p, log_p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, theta_e   !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(out) :: t, q        !< [K], [kg kg-1]

      if (thermo%tabulated) then
         call saturate_by_table(thermo, p, theta_e, t, q)
      else
         call saturate_by_halley(thermo, p, log_p, theta_e, t, q)
      end if
   end subroutine saturate

   !> Bilinear in pressure and in the distance of θ_e from the (interpolated) coldest entry.
   pure subroutine saturate_by_table(thermo, p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, theta_e   !< [Pa], [K]
      real(wp), intent(out) :: t, q        !< [K], [kg kg-1]
      real(wp) :: x, y, w00, w10, w01, w11
      integer :: i, j

      x = (p - table_top)/table_pressure_step
      i = cell(x, table_pressures)
      x = x - real(i - 1, wp)
      y = (theta_e - (thermo%coldest(i) + x*(thermo%coldest(i + 1) - thermo%coldest(i))))/table_theta_step
      j = cell(y, table_thetas)
      y = y - real(j - 1, wp)
      w00 = (1.0_wp - x)*(1.0_wp - y)
      w10 = (1.0_wp - x)*y
      w01 = x*(1.0_wp - y)
      w11 = x*y
      t = w00*thermo%t(j, i) + w10*thermo%t(j + 1, i) + w01*thermo%t(j, i + 1) + w11*thermo%t(j + 1, i + 1)
      q = w00*thermo%q(j, i) + w10*thermo%q(j + 1, i) + w01*thermo%q(j, i + 1) + w11*thermo%q(j + 1, i + 1)
   end subroutine saturate_by_table

   !> Halley's method on f(T) = ln θ_es(T; p) - ln θ_e. The look-up tables, where they reach, only give the first guess, good
   !> to 1e-3 K in the lower and 1e-2 K in the upper troposphere: the answer is good to 1e-7 K with or without them. For f''
   !> the moist part of f' is taken to grow as e_s does.
   pure subroutine saturate_by_halley(thermo, p, log_p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, theta_e   !< [Pa], ln(1e5/p) [1], [K]
      real(wp), intent(out) :: t, q               !< [K], [kg kg-1]
      real(wp), parameter :: tolerance = 5.0e-5_wp   ! of a step relative to T; the error is its cube times some 1e-3 K-2
      real(wp), parameter :: magnus_d = magnus_c - magnus_a*magnus_b
      integer, parameter :: most_steps = 60
      real(wp) :: step, e, moisture, factor, relative_slope, slope, inverse_t, inverse_b, inverse_gradient
      integer :: n

      if (p >= table_top .and. theta_e > thermo%coldest(1) .and. theta_e < 380.0_wp) then
         call saturate_by_table(thermo, p, theta_e, t, q)
      else
         t = theta_e*exp(-0.2854_wp*log_p)
         t = min(t, 273.0_wp + 0.25_wp*(t - 273.0_wp))
      end if
      do n = 1, most_steps
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
         if (abs(step) < 1.0_wp) step = step*(1.0_wp + 0.5_wp*step*(relative_slope*(1.0_wp - inverse_t*inverse_gradient) &
            - inverse_t**2*inverse_gradient))
         t = max(100.0_wp, t - step)
         q = q - slope*step*(1.0_wp - 0.5_wp*step*relative_slope)
         if (abs(step) < tolerance*t) return
      end do
      q = saturation_mixing_ratio(t, p)
   end subroutine saturate_by_halley

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
