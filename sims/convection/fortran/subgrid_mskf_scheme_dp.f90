!> The multi-scale Kain-Fritsch scheme for one column, in the order of the physics (specification §3).
module subgrid_mskf_scheme_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_closure_dp, only: close_deep, close_shallow, limit_mass_flux
   use subgrid_mskf_cloud_dp, only: clear_result, set_cloud_fraction, set_heat_and_water_tendencies, species_type
   use subgrid_mskf_constants_dp, only: outcome_deep, outcome_shallow
   use subgrid_mskf_downdraft_dp, only: clear_downdraft, sink
   use subgrid_mskf_momentum_dp, only: transport_momentum
   use subgrid_mskf_plume_ends_dp, only: detrain_at_top, fill_below_cloud
   use subgrid_mskf_regime_dp, only: find_convection
   use subgrid_mskf_source_dp, only: derive_environment
   use subgrid_mskf_state_dp, only: closure_type, downdraft_type, environment_type, result_type, source_type, &
      updraft_type, workspace_type
   use subgrid_mskf_thermodynamics_dp, only: thermodynamics_type
   use subgrid_mskf_timescale_dp, only: set_time_scales
   use subgrid_mskf_transport_dp, only: transport_condensate
   implicit none (type, external)
   private
   public :: convect, running_mean_w

contains

   !> Convection in the column `work%env`; the answer is `work%result`.
   pure subroutine convect(thermo, species, exner, work)
      type(thermodynamics_type), intent(in) :: thermo
      type(species_type), intent(in) :: species
      real(wp), intent(in) :: exner(:)   !< Exner function of the host [1]
      type(workspace_type), intent(inout) :: work
      integer :: outcome
      logical :: deep

      call clear_result(work%result, work%env%levels)
      call derive_environment(work%env)
      call find_convection(thermo, work%env, work%source, work%up, outcome)
      work%result%outcome = outcome
      deep = outcome == outcome_deep
      if (.not. deep .and. outcome /= outcome_shallow) return
      call detrain_at_top(work%env, work%up)
      call fill_below_cloud(work%env, work%source, work%up)
      call set_time_scales(work%env, work%source, work%up, work%closure)
      call clear_downdraft(work%down, work%env%levels)
      if (deep) call sink(thermo, work%env, work%source, work%up, work%down)
      call limit_mass_flux(work%env, work%source, work%up, work%down, work%closure)
      if (deep) then
         call close_deep(thermo, work%env, work%source, work%up, work%down, work%closure, outcome)
         if (outcome /= 0) then
            work%result%outcome = outcome
            if (.not. work%env%clean) call report_condensate(work%up, work%result)   ! WRF leaves it there
            return
         end if
      else
         call close_shallow(work%env, work%source, work%up, work%down, work%closure)
      end if
      call deliver(work%env, species, exner, deep, work%source, work%up, work%down, work%closure, work%result)
   end subroutine convect

   !> Rates, cloud and the duration of the feedback.
   pure subroutine deliver(env, species, exner, deep, source, up, down, closure, result)
      type(environment_type), intent(in) :: env
      type(species_type), intent(in) :: species
      real(wp), intent(in) :: exner(:)
      logical, intent(in) :: deep
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(inout) :: closure
      type(result_type), intent(inout) :: result
      real(wp) :: feedback   ! share of the precipitation that goes to the grid-scale rain and snow

      feedback = 1.0_wp
      if (deep) feedback = 0.0_wp
      call transport_condensate(env, up, feedback, closure)
      call set_heat_and_water_tendencies(env, species, exner, up, closure, result)
      call set_cloud_fraction(env, up, closure, deep, result)
      call transport_momentum(env, up, down, closure, result%ru, result%rv)
      call report_condensate(up, result)
      result%timec = closure%time
      result%cutop = real(up%top, wp)
      result%cubot = real(source%above, wp)
      if (deep) then
         result%pratec = closure%factor*max(0.0_wp, up%precipitation - down%evaporation)/env%area
         result%nca = env%dt*anint(closure%advective_time/env%dt)
      else
         result%nca = 60.0_wp*env%cudt
      end if
   end subroutine deliver

   !> Condensate in the updraft, for radiation.
   pure subroutine report_condensate(up, result)
      type(updraft_type), intent(in) :: up
      type(result_type), intent(inout) :: result

      result%qc(:up%top) = up%liquid(:up%top)
      result%qi(:up%top) = up%ice(:up%top)
   end subroutine report_condensate

   !> W0AVG: running mean of w at the mass levels over 2 STEPCU calls, or 2 max(60 CUDT, dt) seconds (§3.1).
   pure subroutine running_mean_w(levels, w, dt, cudt, stepcu, adaptive, mean)
      integer, intent(in) :: levels, stepcu
      real(wp), intent(in) :: w(:)        !< at the levels + 1 interfaces [m s-1]
      real(wp), intent(in) :: dt, cudt    !< [s], [min]
      logical, intent(in) :: adaptive     !< adaptive time steps
      real(wp), intent(inout) :: mean(:)  !< [m s-1]
      real(wp) :: span, step
      integer :: k

      step = 1.0_wp
      span = 2.0_wp*real(stepcu, wp)
      if (adaptive) then
         step = dt
         span = 2.0_wp*max(60.0_wp*cudt, dt)
      end if
      do k = 1, levels
         mean(k) = (mean(k)*(span - step) + 0.5_wp*(w(k) + w(k + 1))*step)/span
      end do
   end subroutine running_mean_w
end module subgrid_mskf_scheme_dp
