!> Deep, shallow or none: the search over source layers (specification §3.3 and §3.5).
module subgrid_mskf_regime_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: freezing_point, outcome_deep, outcome_no_trigger, outcome_shallow, &
      outcome_thin_source
   use subgrid_mskf_source_dp, only: launch, lift_to_lcl, mix_source, next_candidate, triggers
   use subgrid_mskf_state_dp, only: environment_type, source_type, updraft_type
   use subgrid_mskf_thermodynamics_dp, only: mixing_ratio, thermodynamics_type
   use subgrid_mskf_timescale_dp, only: minimum_depth
   use subgrid_mskf_updraft_dp, only: rise
   implicit none (type, external)
   private
   public :: find_convection

contains

   !> Try the candidate source layers upward until one convects deeply; failing that, the one with the deepest shallow
   !> cloud is raised again.
   pure subroutine find_convection(thermo, env, source, up, outcome)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(inout) :: env
      type(source_type), intent(inout) :: source
      type(updraft_type), intent(inout) :: up
      integer, intent(out) :: outcome
      integer :: base, best_base, steps
      real(wp) :: best_depth

      up%dilution = 1.0_wp
      base = 1
      best_base = 0
      best_depth = 0.0_wp
      steps = 0
      do while (base > 0)
         call try_base(thermo, env, base, source, up, outcome)
         if (outcome == outcome_deep) return
         if (outcome /= outcome_no_trigger .and. outcome /= outcome_shallow) return
         if (outcome == outcome_shallow .and. up%depth > best_depth) then
            best_depth = up%depth
            best_base = base
         end if
         steps = steps + 1
         base = next_candidate(env, base, steps)
      end do
      outcome = outcome_no_trigger
      if (best_base == 0) return
      if (best_base /= source%base) call try_base(thermo, env, best_base, source, up, outcome)
      outcome = outcome_shallow
      up%equilibrium = max(source%top, source%above)
   end subroutine find_convection

   !> One source layer: outcome deep, shallow candidate, no_trigger, or a code that ends the search.
   pure subroutine try_base(thermo, env, base, source, up, outcome)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(inout) :: env
      integer, intent(in) :: base
      type(source_type), intent(inout) :: source
      type(updraft_type), intent(inout) :: up
      integer, intent(out) :: outcome
      logical :: found

      source%base = base
      call mix_source(env, env%t, env%q, source, found)
      outcome = outcome_thin_source
      if (.not. found) return
      call lift_to_lcl(thermo, env, source, outcome)
      if (outcome /= 0) return
      outcome = outcome_no_trigger
      if (.not. triggers(source)) return
      call launch(env, source)
      call rise(thermo, env, source, up)
      if (up%top <= source%above .or. up%top <= source%top .or. up%equilibrium + 1 <= source%top) return
      if (saturated_column(env, source%above - 1, up%top)) return
      up%least_depth = minimum_depth(source%t_lcl)
      outcome = outcome_shallow
      if (up%depth > up%least_depth .and. up%cape > 1.0_wp) outcome = outcome_deep
   end subroutine try_base

   !> Grid-scale saturation forbids convection: mean relative humidity >= 1.01 from K - 1 to LTOP + 1, unless a level
   !> above K is below 0.99. Over ice below 273.16 K, else over water (Murray 1967).
   pure logical function saturated_column(env, k, top)
      type(environment_type), intent(in) :: env
      integer, intent(in) :: k, top
      real(wp) :: humidity, total
      integer :: n, first, last

      first = max(1, k - 1)
      last = min(env%levels, top + 1)
      total = 0.0_wp
      saturated_column = .false.
      do n = first, last
         humidity = env%q(n)/mixing_ratio(murray_pressure(env%t(n)), env%p(n))
         if (n > k .and. humidity < 0.99_wp) return
         total = total + humidity
      end do
      saturated_column = total/real(last - first + 1, wp) >= 1.01_wp
   end function saturated_column

   !> Saturation vapour pressure over ice up to 273.16 K, over water above [Pa].
   pure real(wp) function murray_pressure(t)
      real(wp), intent(in) :: t   !< [K]

      if (t <= freezing_point) then
         murray_pressure = 610.78_wp*exp(21.8745584_wp*(t - freezing_point)/(t - 7.66_wp))
      else
         murray_pressure = 610.78_wp*exp(17.2693882_wp*(t - freezing_point)/(t - 35.86_wp))
      end if
   end function murray_pressure
end module subgrid_mskf_regime_dp
