!> Freezing, precipitation and the speed of the rising parcel (specification §3.4, steps 2 and 4).
module subgrid_mskf_fallout_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: freezing_ends, freezing_point, freezing_starts, gravity, heat_capacity
   use subgrid_mskf_thermodynamics_dp, only: bolton_theta_e, saturation_mixing_ratio, saturation_slope
   implicit none (type, external)
   private
   public :: freeze, shed_precipitation

contains

   !> Freeze a share of the condensate between 268.16 and 248.16 K; the parcel warms and stays saturated, the vapour
   !> coming from the ice (in the clean scheme no more than there is).
   pure subroutine freeze(clean, p, log_p, t_before, t, theta_e, q, liquid, ice, fresh_liquid, fresh_ice)
      logical, intent(in) :: clean
      real(wp), intent(in) :: p, log_p                 !< [Pa], ln(1e5/p) [1]
      real(wp), intent(inout) :: t_before              !< T at the last level, for the next one [K]
      real(wp), intent(inout) :: t, theta_e            !< [K]
      real(wp), intent(inout) :: q, liquid, ice        !< [kg kg-1]
      real(wp), intent(inout) :: fresh_liquid          !< condensed on the way to this level [kg kg-1]
      real(wp), intent(out) :: fresh_ice               !< [kg kg-1]
      real(wp) :: share, frozen, sublimation, fusion, capacity, vapour

      fresh_ice = 0.0_wp
      if (t > freezing_starts) return
      share = 1.0_wp
      if (t > freezing_ends) share = (min(t_before, freezing_starts) - t)/(min(t_before, freezing_starts) - freezing_ends)
      t_before = t
      frozen = share*(liquid + fresh_liquid)
      fresh_ice = share*fresh_liquid
      fresh_liquid = fresh_liquid - fresh_ice
      ice = ice + share*liquid
      liquid = liquid - share*liquid

      sublimation = 2833922.0_wp - 259.532_wp*(t - freezing_point)
      fusion = sublimation - (2.5e6_wp - 2369.276_wp*(t - freezing_point))
      capacity = heat_capacity*(1.0_wp + 0.89_wp*q)
      t = t + fusion*frozen/(capacity + sublimation*q*saturation_slope(t))
      vapour = saturation_mixing_ratio(t, p) - q
      if (clean) vapour = min(vapour, ice)
      ice = ice - vapour
      q = q + vapour
      theta_e = bolton_theta_e(log_p, t, q, t)
   end subroutine freeze

   !> Speed and load. The removal in the layer is 1 - exp(-rate Δz/w̄) of the carried condensate and of 60 % of the
   !> fresh; w̄ comes from a first guess of w² that carries half of all condensate.
   pure subroutine shed_precipitation(distance, gain, rate, fresh_liquid, fresh_ice, w2, liquid, ice, rain, snow)
      real(wp), intent(in) :: distance                   !< [m]
      real(wp), intent(in) :: gain                       !< buoyancy minus entrainment drag [m2 s-2]
      real(wp), intent(in) :: rate                       !< [s-1]
      real(wp), intent(in) :: fresh_liquid, fresh_ice    !< [kg kg-1]
      real(wp), intent(inout) :: w2                      !< [m2 s-2]
      real(wp), intent(inout) :: liquid, ice             !< [kg kg-1]
      real(wp), intent(out) :: rain, snow                !< removed here [kg kg-1]
      real(wp), parameter :: tiny_water = 1.0e-8_wp
      real(wp) :: carried, fresh, before, guess, speed, liquid_share, fresh_share, load

      carried = liquid + ice
      fresh = fresh_liquid + fresh_ice
      guess = max(0.0_wp, w2 + gain - 2.0_wp*gravity*distance*0.5_wp*(carried + fresh)/1.5_wp)
      speed = 0.5_wp*(sqrt(w2) + sqrt(guess))
      fresh_share = fresh_liquid/(fresh + tiny_water)
      before = carried + 0.6_wp*fresh
      liquid_share = (0.6_wp*fresh_liquid + liquid)/(before + tiny_water)
      carried = before*exp(-rate*distance/speed)
      rain = liquid_share*(before - carried)
      snow = (1.0_wp - liquid_share)*(before - carried)
      load = 0.5_wp*(before + carried - 0.2_wp*fresh)
      w2 = w2 + gain - 2.0_wp*gravity*distance*load/1.5_wp
      if (abs(w2) < 1.0e-4_wp) w2 = 1.0e-4_wp
      liquid = liquid_share*carried + fresh_share*0.4_wp*fresh
      ice = (1.0_wp - liquid_share)*carried + (1.0_wp - fresh_share)*0.4_wp*fresh
   end subroutine shed_precipitation
end module subgrid_mskf_fallout_dp
