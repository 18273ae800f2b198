!> Column set-up, source layer, lifting condensation level and trigger (specification §3.2 and §3.3).
module subgrid_mskf_source_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: coarse_grid, dry_lapse_rate, freezing_point, gas_constant, gravity, &
      outcome_high_lcl, outcome_thin_source, search_depth, search_step, source_depth, updraft_area, virtual_factor
   use subgrid_mskf_state_dp, only: environment_type, source_type
   use subgrid_mskf_thermodynamics_dp, only: bolton_theta_e, dew_point, lcl_temperature, log_inverse_pressure, &
      saturation_mixing_ratio, theta_e_of, thermodynamics_type
   implicit none (type, external)
   private
   public :: derive_environment, fill_theta_e, mix_source, lift_to_lcl, find_lcl_level, triggers, launch, next_candidate

contains

   !> Everything that follows from the column itself; p, t, q, thickness, dp, u, v, w and the scalars are set already.
   pure subroutine derive_environment(env)
      type(environment_type), intent(inout) :: env
      integer :: k, n

      n = env%levels
      env%area = env%dx**2
      env%beta = 1.0_wp
      if (env%dx < 24.999e3_wp) env%beta = 1.0_wp + log(coarse_grid/env%dx)
      env%theta_e_levels = 0
      do k = 1, n
         env%log_p(k) = log_inverse_pressure(env%p(k))
         env%rh(k) = saturation_mixing_ratio(env%t(k), env%p(k))
         env%q(k) = max(1.0e-6_wp, min(env%q(k), env%rh(k)))
         env%rh(k) = env%q(k)/env%rh(k)
         env%tv(k) = env%t(k) + env%t(k)*virtual_factor*env%q(k)
         env%mass(k) = env%dp(k)*env%area/gravity
      end do
      env%mid_level = count(env%p(:n) >= 0.5_wp*env%p(1))
      env%search_top = count(env%p(:n) >= env%p(1) - search_depth)
      env%freezing_level = 0
      do k = 1, n
         if (env%t(k) > freezing_point) env%freezing_level = k
      end do
      env%z(1) = 0.5_wp*env%thickness(1)
      do k = 2, n
         env%dz(k - 1) = 0.5_wp*(env%thickness(k) + env%thickness(k - 1))
         env%z(k) = env%z(k - 1) + env%dz(k - 1)
      end do
      env%dz(n) = 0.0_wp
   end subroutine derive_environment

   !> θ_e of the environment up to a level or a little higher, each level once, as many at a time as a vector holds.
   pure subroutine fill_theta_e(thermo, env, level)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(inout) :: env
      integer, intent(in) :: level
      integer, parameter :: block = 8
      integer :: k, last

      if (level <= env%theta_e_levels) return
      last = min(env%levels, env%theta_e_levels + block*((level - env%theta_e_levels + block - 1)/block))
      do k = env%theta_e_levels + 1, last
         env%theta_e(k) = theta_e_of(thermo, env%p(k), env%log_p(k), env%t(k), env%q(k))
      end do
      env%theta_e_levels = last
   end subroutine fill_theta_e

   !> Candidate source bases: level 1, then the first level of every further 15 hPa; 0 when they are exhausted.
   pure integer function next_candidate(env, base, steps)
      type(environment_type), intent(in) :: env
      integer, intent(in) :: base          !< the candidate before
      integer, intent(in) :: steps         !< how many candidates came before, so that the search is at p_1 - 15 hPa steps
      integer :: k

      next_candidate = 0
      do k = base + 1, env%search_top
         if (env%p(k) < env%p(1) - real(steps, wp)*search_step) then
            next_candidate = k
            return
         end if
      end do
   end function next_candidate

   !> Layers from `source%base` until they are deeper than 50 hPa, and their mass-weighted mixture.
   pure subroutine mix_source(env, t, q, source, found)
      type(environment_type), intent(in) :: env
      real(wp), intent(in) :: t(:), q(:)   !< the profile to be mixed [K], [kg kg-1]
      type(source_type), intent(inout) :: source
      logical, intent(out) :: found
      real(wp) :: share
      integer :: k, base

      ! Means of the differences from the lowest layer keep digits that the sums would lose.
      base = source%base
      source%depth = 0.0_wp
      source%t = 0.0_wp
      source%q = 0.0_wp
      source%z = 0.0_wp
      source%p = 0.0_wp
      found = .false.
      do k = source%base, env%levels
         source%depth = source%depth + env%dp(k)
         source%t = source%t + env%dp(k)*(t(k) - t(base))
         source%q = source%q + env%dp(k)*(q(k) - q(base))
         source%z = source%z + env%dp(k)*(env%z(k) - env%z(base))
         source%p = source%p + env%dp(k)*(env%p(k) - env%p(base))
         source%top = k
         found = source%depth > source_depth
         if (found) exit
      end do
      share = 1.0_wp/source%depth
      source%t = t(base) + source%t*share
      source%q = q(base) + source%q*share
      source%z = env%z(base) + source%z*share
      source%p = env%p(base) + source%p*share
   end subroutine mix_source

   !> First mid-level at or above a height, counted from `base`; levels + 1 if there is none.
   pure integer function find_lcl_level(env, base, height)
      type(environment_type), intent(in) :: env
      integer, intent(in) :: base
      real(wp), intent(in) :: height   !< [m]

      do find_lcl_level = base, env%levels
         if (height <= env%z(find_lcl_level)) return
      end do
   end function find_lcl_level

   !> Temperature, height and environment of the parcel at its condensation level; `outcome` = 0 if all is well.
   !> In the clean scheme a level below the LCL always exists (K >= 1, and one below it for the saturation guard).
   pure subroutine lift_to_lcl(thermo, env, source, outcome)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(inout) :: source
      integer, intent(out) :: outcome
      integer :: k
      real(wp) :: weight, w, threshold

      outcome = 0
      source%t_saturation = lcl_temperature(source%t, dew_point(thermo, source%p, source%q))
      source%t_lcl = min(source%t, source%t_saturation)
      if (env%clean) source%t_saturation = source%t_lcl
      source%tv_lcl = source%t_lcl*(1.0_wp + virtual_factor*source%q)
      source%z_lcl = source%z + (source%t - source%t_lcl)/dry_lapse_rate
      source%above = max(2, find_lcl_level(env, source%base, source%z_lcl))
      if (source%above > env%levels) then
         outcome = outcome_high_lcl
         return
      end if
      k = source%above - 1
      weight = (source%z_lcl - env%z(k))/env%dz(k)
      source%t_env = env%t(k) + weight*(env%t(k + 1) - env%t(k))
      source%tv_env = source%t_env*(1.0_wp + virtual_factor*(env%q(k) + weight*(env%q(k + 1) - env%q(k))))
      source%p_lcl = env%p(k) + weight*(env%p(k + 1) - env%p(k))
      w = env%w(k) + weight*(env%w(k + 1) - env%w(k))
      if (env%dx >= coarse_grid) w = w*env%dx/coarse_grid
      threshold = 0.02_wp*min(source%z_lcl, 2.0e3_wp)/2.0e3_wp
      source%dt_trigger = 0.0_wp
      if (w - threshold >= 1.0e-4_wp) source%dt_trigger = 4.64_wp*(w - threshold)**0.33_wp
   end subroutine lift_to_lcl

   !> Kain (2004) trigger: T_L + δT >= T_env.
   pure logical function triggers(source)
      type(source_type), intent(in) :: source

      triggers = source%t_lcl + source%dt_trigger >= source%t_env
   end function triggers

   !> Speed, flux, entrainment length and θ_e with which the parcel leaves the condensation level.
   pure subroutine launch(env, source)
      type(environment_type), intent(in) :: env
      type(source_type), intent(inout) :: source
      real(wp), parameter :: lift = 500.0_wp   ! distance over which δT accelerates the parcel [m]

      source%w_lcl = 1.0_wp
      if (source%dt_trigger > 1.0e-4_wp) source%w_lcl = &
         min(3.0_wp, 1.0_wp + 0.5_wp*sqrt(2.0_wp*gravity*source%dt_trigger*lift/source%tv_env))
      source%theta_e = bolton_theta_e(log_inverse_pressure(source%p), source%t, source%q, source%t_saturation)
      source%flux = source%p_lcl/(gas_constant*source%tv_lcl)*updraft_area*env%area
      source%radius = max(500.0_wp, min(4000.0_wp, max(source%z_lcl, env%z(source%top))))
   end subroutine launch
end module subgrid_mskf_source_dp
