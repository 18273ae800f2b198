!> The column after one convective time scale, and the CAPE that it would have (specification §3.9 and §3.10).
module subgrid_mskf_adjusted_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: dry_lapse_rate, gravity, heat_capacity, virtual_factor
   use subgrid_mskf_mixing_dp, only: loaded_virtual_temperature
   use subgrid_mskf_saturation_dp, only: saturate_levels
   use subgrid_mskf_source_dp, only: find_lcl_level, mix_source
   use subgrid_mskf_state_dp, only: closure_type, downdraft_type, environment_type, source_type, updraft_type
   use subgrid_mskf_thermodynamics_dp, only: bolton_theta_e, dew_point, latent_heat_vapour, lcl_temperature, &
      log_inverse_pressure, moist_exponent, saturation_mixing_ratio, saturation_slope, theta_e_of, theta_factor, &
      thermodynamics_type
   use subgrid_mskf_transport_dp, only: set_compensating_motion, transport_heat_and_moisture
   implicit none (type, external)
   private
   public :: adjust_profile, remaining_cape

   real(wp), parameter :: least_vapour = 1.0e-9_wp   !< left behind by the repair of negative moisture [kg kg-1]

contains

   !> Temperature and moisture after the drafts and the compensating motion have worked for the time scale.
   pure subroutine adjust_profile(env, up, down, cloud_base, closure)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      integer, intent(in) :: cloud_base   !< KLCL; lender of the highest level in the repair of negative moisture
      type(closure_type), intent(inout) :: closure
      real(wp) :: x
      integer :: k

      call set_compensating_motion(env, up, down, closure)
      call transport_heat_and_moisture(env, up, down, closure)
      call repair_negative_moisture(env%mass, up%top, cloud_base, closure%q)
      ! T' = (θ + δθ)/Π(q') = T Π(q)/Π(q') + δθ/Π(q'), the first ratio being e^x with a small x.
      do k = 1, up%top
         x = (moist_exponent(env%q(k)) - moist_exponent(closure%q(k)))*env%log_p(k)
         closure%gain(k) = closure%gain(k)/theta_factor(env%log_p(k), closure%q(k)) &
            + env%t(k)*x*(1.0_wp + x/2.0_wp*(1.0_wp + x/3.0_wp*(1.0_wp + x/4.0_wp*(1.0_wp + x/5.0_wp))))
         closure%t(k) = env%t(k) + closure%gain(k)
      end do
      closure%t(up%top + 1:env%levels) = env%t(up%top + 1:env%levels)
      closure%q(up%top + 1:env%levels) = env%q(up%top + 1:env%levels)
      closure%tv(:env%levels) = closure%t(:env%levels) + closure%t(:env%levels)*virtual_factor*closure%q(:env%levels)
   end subroutine adjust_profile

   !> A level that ran dry borrows from its neighbours, in proportion to the squares of what they have.
   pure subroutine repair_negative_moisture(mass, top, cloud_base, q)
      real(wp), intent(in) :: mass(:)     !< [kg]
      integer, intent(in) :: top, cloud_base
      real(wp), intent(inout) :: q(:)     !< [kg kg-1]
      real(wp) :: above, below, missing, share
      integer :: k, lender

      do k = 2, top
         if (q(k) >= 0.0_wp) cycle
         lender = k + 1
         if (k == top) lender = cloud_base
         above = q(lender)*mass(lender)
         below = q(k - 1)*mass(k - 1)
         missing = (least_vapour - q(k))*mass(k)
         share = missing/(above**2/below + below)
         q(k) = least_vapour
         q(lender) = (above - share*above**2/below)/mass(lender)
         q(k - 1) = (below - share*below)/mass(k - 1)
      end do
   end subroutine repair_negative_moisture

   !> Dilute CAPE of the adjusted profile: the same source layer, dilution and load as in the ascent.
   pure subroutine remaining_cape(thermo, env, source, up, closure, cape)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(closure_type), intent(inout) :: closure
      real(wp), intent(out) :: cape   !< [J kg-1]
      type(source_type) :: mixture
      real(wp) :: weight, tv_env, tv_below, tv, distance, env_below
      integer :: k, n
      logical :: found

      mixture%base = source%base
      call mix_source(env, closure%t, closure%q, mixture, found)
      call condense_mixture(thermo, mixture)
      mixture%z_lcl = mixture%z + (mixture%t - mixture%t_lcl)/dry_lapse_rate
      closure%cloud_base = min(env%levels, max(2, find_lcl_level(env, source%base, mixture%z_lcl)))
      closure%z_lcl = mixture%z_lcl
      k = closure%cloud_base - 1
      weight = (mixture%z_lcl - env%z(k))/env%dz(k)
      tv_env = (closure%t(k) + weight*(closure%t(k + 1) - closure%t(k))) &
         *(1.0_wp + virtual_factor*(closure%q(k) + weight*(closure%q(k + 1) - closure%q(k))))
      closure%theta_e(k + 1) = bolton_theta_e(log_inverse_pressure(mixture%p), mixture%t, mixture%q, mixture%t_lcl)
      call dilute_and_saturate(thermo, env, up%dilution, k + 1, up%top, closure)
      cape = 0.0_wp
      tv_below = mixture%t_lcl*(1.0_wp + virtual_factor*mixture%q)
      do n = k + 1, up%top
         tv = loaded_virtual_temperature(closure%t_parcel(n), closure%q_parcel(n), up%liquid(n), up%ice(n))
         distance = env%dz(n - 1)
         env_below = closure%tv(n - 1)
         if (n == k + 1) then
            distance = env%z(n) - mixture%z_lcl
            env_below = tv_env
         end if
         cape = cape + gravity*distance*max(0.0_wp, ((tv_below - env_below) + (tv - closure%tv(n)))/(env_below + closure%tv(n)))
         tv_below = tv
      end do
   end subroutine remaining_cape

   !> The parcel of the CAPE from its θ_e at the level `first` on: at each level it saturates, then takes in the adjusted air.
   pure subroutine dilute_and_saturate(thermo, env, dilution, first, last, closure)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      real(wp), intent(in) :: dilution(:)   !< flux after over before entrainment [1]
      integer, intent(in) :: first, last
      type(closure_type), intent(inout) :: closure
      integer :: n

      associate (c => closure)
         do n = first, last - 1   ! of the environment, for the moment
            c%theta_e(n + 1) = theta_e_of(thermo, env%p(n), env%log_p(n), c%t(n), c%q(n))
         end do
         do n = first + 1, last
            c%theta_e(n) = c%theta_e(n) + (c%theta_e(n - 1) - c%theta_e(n))/dilution(n - 1)
         end do
         call saturate_levels(thermo, env%p(first:last), env%log_p(first:last), c%theta_e(first:last), &
            c%t_parcel(first:last), c%q_parcel(first:last), c%step(first:last))
      end associate
   end subroutine dilute_and_saturate

   !> Condensation temperature of the adjusted mixture; a supersaturated one is brought to saturation in one step.
   pure subroutine condense_mixture(thermo, mixture)
      type(thermodynamics_type), intent(in) :: thermo
      type(source_type), intent(inout) :: mixture
      real(wp) :: saturated, excess, latent, capacity

      saturated = saturation_mixing_ratio(mixture%t, mixture%p)
      if (mixture%q > saturated) then
         latent = latent_heat_vapour(mixture%t)
         capacity = heat_capacity*(1.0_wp + 0.887_wp*mixture%q)
         excess = (mixture%q - saturated)/(1.0_wp + latent*saturated*saturation_slope(mixture%t)/capacity)
         mixture%t = mixture%t + latent/heat_capacity*excess
         mixture%q = mixture%q - excess
         mixture%t_lcl = mixture%t
      else
         mixture%q = max(mixture%q, 0.0_wp)
         mixture%t_lcl = min(mixture%t, lcl_temperature(mixture%t, dew_point(thermo, mixture%p, mixture%q)))
      end if
   end subroutine condense_mixture
end module subgrid_mskf_adjusted_dp
