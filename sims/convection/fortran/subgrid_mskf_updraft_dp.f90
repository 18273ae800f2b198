!> The entraining, detraining, precipitating updraft for a unit cloud-base flux (specification §3.4).
module subgrid_mskf_updraft_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: fallout_rate, gravity, least_flux, tokioka, virtual_factor
   use subgrid_mskf_fallout_dp, only: freeze, shed_precipitation
   use subgrid_mskf_mixing_dp, only: loaded_virtual_temperature, sort_mixtures
   use subgrid_mskf_saturation_dp, only: adjust_saturation
   use subgrid_mskf_source_dp, only: fill_theta_e
   use subgrid_mskf_state_dp, only: environment_type, source_type, updraft_type
   use subgrid_mskf_thermodynamics_dp, only: thermodynamics_type
   implicit none (type, external)
   private
   public :: rise

   !> What one level passes to the next.
   type :: ascent_type
      real(wp) :: w2 = 0.0_wp             !< w² [m2 s-2]
      real(wp) :: rate = 0.0_wp           !< environmental inflow ε_R of the level before [kg s-1]
      real(wp) :: entrained = 1.0_wp      !< E of the level before [1]
      real(wp) :: detrained = 0.0_wp      !< D of the level before [1]
      real(wp) :: undiluted = 0.0_wp      !< flux after detrainment, before entrainment [kg s-1]
      real(wp) :: t_freezing = 0.0_wp     !< T of the level before, at most 268.16 K [K]
      real(wp) :: cape_step = 0.0_wp      !< last addition to the CAPE [J kg-1]
   end type ascent_type

contains

   !> Carry the parcel from the condensation level to the level where it stops.
   pure subroutine rise(thermo, env, source, up)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(inout) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(inout) :: up
      type(ascent_type) :: state
      integer :: n
      logical :: goes_on

      call start_ascent(source, up, state)
      up%top = env%levels
      do n = source%above, env%levels
         call fill_theta_e(thermo, env, n)
         call reach_level(thermo, env, source, up, state, n, goes_on)
         if (goes_on) call exchange_with_environment(thermo, env, source, up, state, n, goes_on)
         if (.not. goes_on) then
            up%top = n - 1
            exit
         end if
      end do
      up%depth = env%z(up%top) - source%z_lcl
   end subroutine rise

   !> The parcel at K, the level below the condensation level, stands for the parcel at the condensation level.
   pure subroutine start_ascent(source, up, state)
      type(source_type), intent(in) :: source
      type(updraft_type), intent(inout) :: up
      type(ascent_type), intent(out) :: state
      integer :: k

      k = source%above - 1
      up%equilibrium = source%above
      up%cape = 0.0_wp
      up%precipitation = 0.0_wp
      up%flux(k) = source%flux
      up%t(k) = source%t_lcl
      up%q(k) = source%q
      up%theta_e(k) = source%theta_e
      up%tv(k) = source%tv_lcl
      up%tv_loaded(k) = source%tv_lcl
      up%w(k) = source%w_lcl
      up%liquid(k) = 0.0_wp
      up%ice(k) = 0.0_wp
      state%w2 = source%w_lcl**2
      state%undiluted = source%flux
      state%t_freezing = 268.16_wp
   end subroutine start_ascent

   !> Steps 1 to 5: saturation, freezing, buoyancy, fallout, vertical speed, CAPE.
   pure subroutine reach_level(thermo, env, source, up, state, n, goes_on)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(inout) :: up
      type(ascent_type), intent(inout) :: state
      integer, intent(in) :: n
      logical, intent(out) :: goes_on
      real(wp) :: fresh_liquid, fresh_ice, distance, env_below, buoyancy, work, drag

      up%theta_e(n) = up%theta_e(n - 1)
      up%q(n) = up%q(n - 1)
      up%liquid(n) = up%liquid(n - 1)
      up%ice(n) = up%ice(n - 1)
      call adjust_saturation(thermo, env%p(n), env%log_p(n), up%theta_e(n), up%t(n), up%q(n), up%liquid(n), up%ice(n), &
         fresh_liquid)
      call freeze(env%clean, env%p(n), env%log_p(n), state%t_freezing, up%t(n), up%theta_e(n), up%q(n), up%liquid(n), up%ice(n), &
         fresh_liquid, fresh_ice)
      up%tv(n) = up%t(n) + up%t(n)*virtual_factor*up%q(n)
      distance = env%dz(n - 1)
      env_below = env%tv(n - 1)
      if (n == source%above) then
         distance = env%z(n) - source%z_lcl
         env_below = source%tv_env
      end if
      ! Differences first: the ratio less one would lose three digits.
      buoyancy = ((up%tv(n - 1) - env_below) + (up%tv(n) - env%tv(n)))/(env_below + env%tv(n))
      work = 2.0_wp*distance*gravity*buoyancy/1.5_wp
      drag = 2.0_wp*state%rate*state%w2/state%undiluted
      call shed_precipitation(distance, work - drag, fallout_rate/env%beta, fresh_liquid, fresh_ice, state%w2, &
         up%liquid(n), up%ice(n), up%liquid_fallout(n), up%ice_fallout(n))
      goes_on = state%w2 >= 1.0e-3_wp
      if (.not. goes_on) return
      up%w(n) = sqrt(state%w2)
      up%tv_loaded(n) = loaded_virtual_temperature(up%t(n), up%q(n), up%liquid(n), up%ice(n))
      buoyancy = ((up%tv_loaded(n - 1) - env_below) + (up%tv_loaded(n) - env%tv(n)))/(env_below + env%tv(n))
      state%cape_step = gravity*distance*max(0.0_wp, buoyancy)
      up%cape = up%cape + state%cape_step
   end subroutine reach_level

   !> Steps 5 to 8: entrainment and detrainment by buoyancy sorting, dilution, precipitation source.
   pure subroutine exchange_with_environment(thermo, env, source, up, state, n, goes_on)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(inout) :: up
      type(ascent_type), intent(inout) :: state
      integer, intent(in) :: n
      logical, intent(out) :: goes_on
      real(wp) :: entrained, detrained, diluted

      state%rate = source%flux*env%dp(n)*tokioka*env%beta/source%radius
      if (up%tv_loaded(n) <= env%tv(n)) then
         entrained = 0.5_wp
         detrained = 1.0_wp
      else
         up%equilibrium = n
         call sort_mixtures(thermo, env%p(n), env%log_p(n), [env%theta_e(n), env%q(n)], &
            [up%theta_e(n), up%q(n), up%liquid(n), up%ice(n)], env%tv(n), up%tv_loaded(n), entrained, detrained)
      end if
      entrained = max(entrained, 0.5_wp)
      detrained = 1.5_wp*detrained
      up%entrained(n) = 0.5_wp*state%rate*(state%entrained + entrained)
      up%detrained(n) = 0.5_wp*state%rate*(state%detrained + detrained)
      goes_on = up%flux(n - 1) - up%detrained(n) >= least_flux
      if (.not. goes_on) then
         up%cape = up%cape - state%cape_step
         up%equilibrium = n - 1
         return
      end if
      state%entrained = entrained
      state%detrained = detrained
      state%undiluted = up%flux(n - 1) - up%detrained(n)
      diluted = state%undiluted + up%entrained(n)
      up%flux(n) = diluted
      up%dilution(n) = diluted/state%undiluted
      up%liquid_detrained(n) = up%liquid(n)*up%detrained(n)
      up%ice_detrained(n) = up%ice(n)*up%detrained(n)
      up%q_detrained(n) = up%q(n)
      up%q(n) = up%q(n) + (env%q(n) - up%q(n))*(up%entrained(n)/diluted)
      up%theta_e(n) = up%theta_e(n) + (env%theta_e(n) - up%theta_e(n))*(up%entrained(n)/diluted)
      up%liquid(n) = up%liquid(n)*state%undiluted/diluted
      up%ice(n) = up%ice(n)*state%undiluted/diluted
      up%rain(n) = up%liquid_fallout(n)*up%flux(n - 1)
      up%snow(n) = up%ice_fallout(n)*up%flux(n - 1)
      up%precipitation = up%precipitation + up%rain(n) + up%snow(n)
      if (n <= source%top) up%entrained(n) = up%entrained(n) + source%flux*env%dp(n)/source%depth
   end subroutine exchange_with_environment

end module subgrid_mskf_updraft_dp
