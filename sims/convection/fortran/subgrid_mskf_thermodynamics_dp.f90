!> Moist thermodynamics of the scheme, tabulated as WRF does ("match") or in closed form ("clean").
!>
!> Saturation vapour pressure  e_s(T) = 611.2 exp[17.67 (T - 273.15)/(T - 29.65)] Pa.
!> Equivalent potential temperature (Bolton 1980)
!>    θ_e = T (1e5/p)^{0.2854 (1 - 0.28 q)} exp[(3374.6525/T_L - 2.5403) q (1 + 0.81 q)].
module subgrid_mskf_thermodynamics_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: freezing_point, heat_capacity, reference_pressure, vapour_ratio
   implicit none (type, external)
   private
   public :: thermodynamics_type, saturation_pressure, mixing_ratio, saturation_mixing_ratio, saturation_slope
   public :: latent_heat_vapour, moist_exponent, theta_factor, bolton_theta_e, theta_e_of, dew_point, lcl_temperature
   public :: saturate, adjust_saturation

   real(wp), parameter :: triple_pressure = 611.2_wp                            ! [Pa]
   real(wp), parameter :: magnus_a = 17.67_wp, magnus_b = 29.65_wp, magnus_c = 17.67_wp*273.15_wp
   integer, parameter, public :: table_pressures = 220, table_thetas = 250, table_logs = 200
   real(wp), parameter, public :: table_top = 5.0e3_wp, table_pressure_step = 1.05e5_wp/219.0_wp  ! [Pa]
   real(wp), parameter, public :: table_theta_step = 1.0_wp, table_coldest = 150.0_wp    ! [K]
   real(wp), parameter, public :: table_log_start = 1.0e-3_wp, table_log_step = 0.075_wp ! of e/611.2 [1]

   !> WRF's look-up tables, built once, read by all threads: the thermodynamics itself (tabulated) or only the first guess.
   type :: thermodynamics_type
      logical :: tabulated = .false.
      real(wp), allocatable :: t(:, :)      !< saturated temperature (theta, pressure) [K]
      real(wp), allocatable :: q(:, :)      !< saturation mixing ratio (theta, pressure) [kg kg-1]
      real(wp), allocatable :: coldest(:)   !< first θ_es of each pressure [K]
      real(wp), allocatable :: log_e(:)     !< ln(0.001 + 0.075 n) [1]
   end type thermodynamics_type

contains

   !> Vapour pressure over water at saturation [Pa].
   elemental pure real(wp) function saturation_pressure(t)
      real(wp), intent(in) :: t   !< temperature [K]

      saturation_pressure = triple_pressure*exp((magnus_a*t - magnus_c)/(t - magnus_b))
   end function saturation_pressure

   !> Mixing ratio [kg kg-1] of vapour pressure e; e is held below 0.9 p so that hot thin air stays finite.
   elemental pure real(wp) function mixing_ratio(e, p)
      real(wp), intent(in) :: e, p   !< [Pa]
      real(wp) :: bounded

      bounded = min(e, 0.9_wp*p)
      mixing_ratio = vapour_ratio*bounded/(p - bounded)
   end function mixing_ratio

   !> Saturation mixing ratio over water [kg kg-1].
   elemental pure real(wp) function saturation_mixing_ratio(t, p)
      real(wp), intent(in) :: t, p   !< [K], [Pa]

      saturation_mixing_ratio = mixing_ratio(saturation_pressure(t), p)
   end function saturation_mixing_ratio

   !> d ln e_s/dT [K-1].
   elemental pure real(wp) function saturation_slope(t)
      real(wp), intent(in) :: t   !< [K]

      saturation_slope = (magnus_c - magnus_a*magnus_b)/(t - magnus_b)**2
   end function saturation_slope

   !> Latent heat of vaporisation [J kg-1].
   elemental pure real(wp) function latent_heat_vapour(t)
      real(wp), intent(in) :: t   !< [K]

      latent_heat_vapour = 3.15e6_wp - 2370.0_wp*t
   end function latent_heat_vapour

   !> Exponent of the moist Exner function [1].
   elemental pure real(wp) function moist_exponent(q)
      real(wp), intent(in) :: q   !< [kg kg-1]

      moist_exponent = 0.2854_wp*(1.0_wp - 0.28_wp*q)
   end function moist_exponent

   !> θ/T = (1e5/p)^{0.2854 (1 - 0.28 q)} [1].
   elemental pure real(wp) function theta_factor(p, q)
      real(wp), intent(in) :: p, q   !< [Pa], [kg kg-1]

      theta_factor = (reference_pressure/p)**moist_exponent(q)
   end function theta_factor

   !> θ_e [K] of air whose saturation temperature is known.
   elemental pure real(wp) function bolton_theta_e(p, t, q, t_sat)
      real(wp), intent(in) :: p, t, q   !< [Pa], [K], [kg kg-1]
      real(wp), intent(in) :: t_sat     !< temperature at its condensation level [K]

      bolton_theta_e = t*exp(moist_exponent(q)*log(reference_pressure/p) &
         + (3374.6525_wp/t_sat - 2.5403_wp)*q*(1.0_wp + 0.81_wp*q))
   end function bolton_theta_e

   !> θ_e [K] of environmental air.
   pure real(wp) function theta_e_of(thermo, p, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, t, q   !< [Pa], [K], [kg kg-1]

      theta_e_of = bolton_theta_e(p, t, q, lcl_temperature(t, dew_point(thermo, p, q)))
   end function theta_e_of

   !> Dew point [K]: T_d = (17.67·273.15 - 29.65 λ)/(17.67 - λ), λ = ln(e/611.2).
   pure real(wp) function dew_point(thermo, p, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, q   !< [Pa], [kg kg-1]
      real(wp) :: logarithm, position, ratio
      integer :: n

      ratio = q*p/((vapour_ratio + q)*triple_pressure)
      if (thermo%tabulated) then
         position = (ratio - table_log_start)/table_log_step
         n = cell(position, table_logs)
         position = position - real(n - 1, wp)
         logarithm = position*thermo%log_e(n + 1) + (1.0_wp - position)*thermo%log_e(n)
      else
         logarithm = log(ratio)
      end if
      dew_point = (magnus_c - magnus_b*logarithm)/(magnus_a - logarithm)
   end function dew_point

   !> Temperature at the condensation level of air at t with the dew point t_dew [K].
   elemental pure real(wp) function lcl_temperature(t, t_dew)
      real(wp), intent(in) :: t, t_dew   !< [K]

      lcl_temperature = t_dew - (0.212_wp + 1.571e-3_wp*(t_dew - freezing_point) &
         - 4.36e-4_wp*(t - freezing_point))*(t - t_dew)
   end function lcl_temperature

   !> Temperature and mixing ratio of saturated air at (p, θ_e).
   pure subroutine saturate(thermo, p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, theta_e   !< [Pa], [K]
      real(wp), intent(out) :: t, q        !< [K], [kg kg-1]

      if (thermo%tabulated) then
         call saturate_by_table(thermo, p, theta_e, t, q)
      else
         call saturate_by_halley(thermo, p, theta_e, t, q)
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

   !> Interval of a table that holds a position counted from 0; the outermost ones extrapolate.
   elemental pure integer function cell(position, entries)
      real(wp), intent(in) :: position   !< [1]
      integer, intent(in) :: entries

      cell = int(max(0.0_wp, min(position, real(entries - 2, wp)))) + 1
   end function cell

   !> Halley's method on f = ln θ_es(T; p) - ln θ_e. The look-up tables, where they reach, only give the first guess, good to
   !> some 1e-3 K: the answer is good to 1e-7 K with or without them. f'' is that of the moist part, which grows with e_s.
   pure subroutine saturate_by_halley(thermo, p, theta_e, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, theta_e   !< [Pa], [K]
      real(wp), intent(out) :: t, q        !< [K], [kg kg-1]
      real(wp), parameter :: tolerance = 2.0e-5_wp   ! of a step, whose error is its cube times some 1e-3 K-2
      integer, parameter :: most_steps = 60
      real(wp) :: log_p, step, moisture, factor, relative_slope, slope, gradient
      integer :: n

      log_p = log(reference_pressure/p)
      if (p >= table_top .and. theta_e > thermo%coldest(1) .and. theta_e < 380.0_wp) then
         call saturate_by_table(thermo, p, theta_e, t, q)
      else
         t = theta_e*exp(-0.2854_wp*log_p)
         t = min(t, 273.0_wp + 0.25_wp*(t - 273.0_wp))
      end if
      do n = 1, most_steps
         q = saturation_mixing_ratio(t, p)
         moisture = q*(1.0_wp + 0.81_wp*q)
         factor = 3374.6525_wp/t - 2.5403_wp
         relative_slope = saturation_slope(t)
         slope = relative_slope*q*(1.0_wp + q/vapour_ratio)
         gradient = (1.0_wp - 3374.6525_wp/t*moisture)/t &
            + slope*(factor*(1.0_wp + 1.62_wp*q) - 0.2854_wp*0.28_wp*log_p)
         step = (log(t/theta_e) + moist_exponent(q)*log_p + factor*moisture)/gradient
         step = max(-15.0_wp, min(15.0_wp, step))
         if (abs(step) < 1.0_wp) step = step*(1.0_wp + 0.5_wp*step*relative_slope*(1.0_wp - 1.0_wp/(t*gradient)))
         t = max(100.0_wp, t - step)
         q = q - slope*step*(1.0_wp - 0.5_wp*step*relative_slope)
         if (abs(step) < tolerance*t) return
      end do
      q = saturation_mixing_ratio(t, p)
   end subroutine saturate_by_halley

   !> Saturate a parcel at (p, θ_e): excess vapour condenses; a deficit is met by its condensate, pro rata, as far as
   !> that goes, and the rest leaves the parcel warmer than saturated air of the same θ_e.
   pure subroutine adjust_saturation(thermo, p, theta_e, t, q, liquid, ice, fresh)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, theta_e                !< [Pa], [K]
      real(wp), intent(out) :: t                        !< [K]
      real(wp), intent(inout) :: q, liquid, ice         !< [kg kg-1]
      real(wp), intent(out) :: fresh                    !< newly condensed liquid [kg kg-1]
      real(wp), parameter :: tiny_water = 1.0e-10_wp
      real(wp) :: q_saturated, deficit, condensate, capacity

      call saturate(thermo, p, theta_e, t, q_saturated)
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
end module subgrid_mskf_thermodynamics_dp
