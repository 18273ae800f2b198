!> Moist thermodynamics of the scheme, tabulated as WRF does ("match") or in closed form ("clean").
!>
!> Saturation vapour pressure  e_s(T) = 611.2 exp[17.67 (T - 273.15)/(T - 29.65)] Pa.
!> Equivalent potential temperature (Bolton 1980)
!>    θ_e = T (1e5/p)^{0.2854 (1 - 0.28 q)} exp[(3374.6525/T_L - 2.5403) q (1 + 0.81 q)].
module subgrid_mskf_thermodynamics_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: freezing_point, reference_pressure, vapour_ratio
   implicit none (type, external)
   private
   public :: thermodynamics_type, saturation_pressure, mixing_ratio, saturation_mixing_ratio, saturation_slope
   public :: latent_heat_vapour, moist_exponent, theta_factor, bolton_theta_e, theta_e_of, dew_point, lcl_temperature
   public :: log_inverse_pressure, cell

   real(wp), parameter, public :: triple_pressure = 611.2_wp                    ! [Pa]
   real(wp), parameter, public :: magnus_a = 17.67_wp, magnus_b = 29.65_wp, magnus_c = 17.67_wp*273.15_wp
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

      saturation_pressure = triple_pressure*exp(magnus_a*(t - 273.15_wp)/(t - magnus_b))
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

   !> ln(1e5/p) [1].
   elemental pure real(wp) function log_inverse_pressure(p)
      real(wp), intent(in) :: p   !< [Pa]

      log_inverse_pressure = log(reference_pressure/p)
   end function log_inverse_pressure

   !> Exponent of the moist Exner function [1].
   elemental pure real(wp) function moist_exponent(q)
      real(wp), intent(in) :: q   !< [kg kg-1]

      moist_exponent = 0.2854_wp*(1.0_wp - 0.28_wp*q)
   end function moist_exponent

   !> θ/T = (1e5/p)^{0.2854 (1 - 0.28 q)} [1].
   elemental pure real(wp) function theta_factor(log_p, q)
      real(wp), intent(in) :: log_p, q   !< ln(1e5/p) [1], [kg kg-1]

      theta_factor = exp(moist_exponent(q)*log_p)
   end function theta_factor

   !> θ_e [K] of air whose saturation temperature is known.
   elemental pure real(wp) function bolton_theta_e(log_p, t, q, t_sat)
      real(wp), intent(in) :: log_p, t, q   !< ln(1e5/p) [1], [K], [kg kg-1]
      real(wp), intent(in) :: t_sat     !< temperature at its condensation level [K]

      bolton_theta_e = t*exp(moist_exponent(q)*log_p &
         + (3374.6525_wp/t_sat - 2.5403_wp)*q*(1.0_wp + 0.81_wp*q))
   end function bolton_theta_e

   !> θ_e [K] of environmental air.
   pure real(wp) function theta_e_of(thermo, p, log_p, t, q)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, t, q   !< [Pa], ln(1e5/p) [1], [K], [kg kg-1]

      theta_e_of = bolton_theta_e(log_p, t, q, lcl_temperature(t, dew_point(thermo, p, q)))
   end function theta_e_of

   !> Dew point [K]: T_d = 273.15 + (273.15 - 29.65) λ/(17.67 - λ), λ = ln(e/611.2).
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
      dew_point = 273.15_wp + (273.15_wp - magnus_b)*logarithm/(magnus_a - logarithm)
   end function dew_point

   !> Temperature at the condensation level of air at t with the dew point t_dew [K].
   elemental pure real(wp) function lcl_temperature(t, t_dew)
      real(wp), intent(in) :: t, t_dew   !< [K]

      lcl_temperature = t_dew - (0.212_wp + 1.571e-3_wp*(t_dew - freezing_point) &
         - 4.36e-4_wp*(t - freezing_point))*(t - t_dew)
   end function lcl_temperature

   !> Interval of a table that holds a position counted from 0; the outermost ones extrapolate.
   elemental pure integer function cell(position, entries)
      real(wp), intent(in) :: position   !< [1]
      integer, intent(in) :: entries

      cell = int(max(0.0_wp, min(position, real(entries - 2, wp)))) + 1
   end function cell
end module subgrid_mskf_thermodynamics_dp
