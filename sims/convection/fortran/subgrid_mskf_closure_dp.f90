!> The CAPE closure: the mass flux that leaves a twentieth of the CAPE after one time scale (specification §3.9).
module subgrid_mskf_closure_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_adjusted_dp, only: adjust_profile, remaining_cape
   use subgrid_mskf_constants_dp, only: coarse_grid, gravity, outcome_cape_grows, outcome_weak, shallow_tke, stability
   use subgrid_mskf_state_dp, only: closure_type, downdraft_type, environment_type, source_type, updraft_type
   use subgrid_mskf_thermodynamics_dp, only: theta_factor, thermodynamics_type
   implicit none (type, external)
   private
   public :: limit_mass_flux, close_shallow, close_deep

   integer, parameter :: most_passes = 10
   real(wp), parameter :: coldest = 100.0_wp, warmest = 400.0_wp   !< temperatures that the adjusted profile may have [K]

   !> What the iteration remembers.
   type :: search_type
      real(wp) :: factor = 0.0_wp, cape_left = 0.0_wp   !< of the pass before [1]
      logical :: reverts = .false.                      !< the pass in hand is the last one, with the factor before
      logical :: done = .false.
   end type search_type

contains

   !> Largest factor for which no layer between source and downdraft top gives away more than its mass.
   pure subroutine limit_mass_flux(env, source, up, down, closure)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(inout) :: closure
      real(wp) :: outflow
      integer :: k

      closure%largest_factor = 1000.0_wp
      do k = source%base, max(source%above, down%top)
         outflow = up%entrained(k) + down%entrained(k)
         if (outflow > 1.0e-3_wp) then
            closure%largest_factor = min(closure%largest_factor, env%mass(k)/(outflow*closure%time))
         end if
      end do
      do k = 1, up%top
         closure%theta0(k) = env%t(k)*theta_factor(env%log_p(k), env%q(k))
         closure%theta_updraft(k) = up%t(k)*theta_factor(env%log_p(k), up%q_detrained(k))
      end do
   end subroutine limit_mass_flux

   !> Shallow cloud: the flux that a turbulent kinetic energy of 5 m2 s-2 would drive; one pass.
   pure subroutine close_shallow(env, source, up, down, closure)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(inout) :: closure

      closure%factor = 0.5_wp*0.1_wp*shallow_tke*source%depth*env%area/(source%flux*gravity*closure%time)
      closure%nominal_factor = closure%factor
      closure%passes = 1
      closure%cloud_base = source%above
      closure%z_lcl = source%z_lcl
      call adjust_profile(env, up, down, source%above, closure)
   end subroutine close_shallow

   !> Deep cloud: iterate the factor until at most 10 % of the CAPE is left; `outcome` = 0 if convection may proceed.
   pure subroutine close_deep(thermo, env, source, up, down, closure, outcome)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(inout) :: closure
      integer, intent(out) :: outcome
      type(search_type) :: search
      real(wp) :: cape

      outcome = 0
      ! WRF bounds AINC before the first pass but leaves the fluxes as they are.
      closure%nominal_factor = min(1.0_wp, closure%largest_factor)
      closure%factor = 1.0_wp
      if (env%clean) closure%factor = closure%nominal_factor
      closure%passes = 0
      closure%cloud_base = source%above
      closure%z_lcl = source%z_lcl
      do while (.not. search%done)
         closure%passes = closure%passes + 1
         call adjust_profile(env, up, down, closure%cloud_base, closure)
         ! Nonsensical columns can be driven out of the air's temperatures, where no CAPE is defined.
         if (.not. all(closure%t(:up%top) >= coldest .and. closure%t(:up%top) <= warmest)) then
            outcome = outcome_cape_grows
            return
         end if
         call remaining_cape(thermo, env, source, up, closure, cape)
         if (search%reverts) exit
         closure%cape_left = cape/up%cape
         if (closure%cape_left > 1.0_wp) then
            outcome = outcome_cape_grows
            return
         end if
         call next_factor(env, up%cape, cape, closure, search)
         if (.not. search%done) closure%factor = closure%nominal_factor
         if (.not. search%done .and. closure%nominal_factor < 0.05_wp) then
            outcome = outcome_weak
            return
         end if
      end do
   end subroutine close_deep

   !> The factor of the next pass, or the end of the search.
   pure subroutine next_factor(env, cape_before, cape, closure, search)
      type(environment_type), intent(in) :: env
      real(wp), intent(in) :: cape_before, cape   !< [J kg-1]
      type(closure_type), intent(inout) :: closure
      type(search_type), intent(inout) :: search
      real(wp) :: least_change

      if (closure%passes > 1) then
         search%reverts = abs(closure%nominal_factor - search%factor) < 1.0e-4_wp
         if (.not. search%reverts) search%reverts = &
            (closure%cape_left - search%cape_left)/(closure%nominal_factor - search%factor) > 0.0_wp
         if (search%reverts) then
            closure%nominal_factor = search%factor
            return
         end if
      end if
      search%factor = closure%nominal_factor
      search%cape_left = closure%cape_left
      search%done = closure%cape_left <= 1.05_wp - stability .or. closure%passes == most_passes &
         .or. closure%nominal_factor/closure%largest_factor > 0.999_wp
      if (search%done) return
      least_change = 0.1_wp
      if (env%dx < coarse_grid) least_change = 0.1_wp*sqrt(env%beta)
      closure%nominal_factor = min(closure%largest_factor, &
         closure%nominal_factor*stability*cape_before/max(cape_before - cape, least_change*cape_before))
   end subroutine next_factor
end module subgrid_mskf_closure_dp
