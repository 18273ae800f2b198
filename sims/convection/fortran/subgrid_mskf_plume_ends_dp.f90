!> The unit updraft above its equilibrium level and below its condensation level (specification §3.6).
module subgrid_mskf_plume_ends_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: dry_lapse_rate
   use subgrid_mskf_state_dp, only: environment_type, source_type, updraft_type
   implicit none (type, external)
   private
   public :: detrain_at_top, fill_below_cloud

contains

   !> Between the equilibrium level and the top the flux falls to zero, linearly in pressure (§3.6).
   pure subroutine detrain_at_top(env, up)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(inout) :: up
      real(wp) :: slope
      integer :: n

      if (up%equilibrium == up%top) then
         n = up%top
         up%detrained(n) = up%flux(n) + up%detrained(n) - up%entrained(n)
         up%liquid_detrained(n) = up%liquid(n)*up%detrained(n)*up%dilution(n)
         up%ice_detrained(n) = up%ice(n)*up%detrained(n)*up%dilution(n)
      else
         slope = up%flux(up%equilibrium)/sum(env%dp(up%equilibrium + 1:up%top))
         do n = up%equilibrium + 1, up%top
            if (n < up%top) then
               up%flux(n) = up%flux(n - 1) - env%dp(n)*slope
               up%entrained(n) = up%flux(n)*(1.0_wp - 1.0_wp/up%dilution(n))
               up%detrained(n) = up%flux(n - 1) - up%flux(n) + up%entrained(n)
            else
               up%detrained(n) = up%flux(n - 1)
            end if
            up%liquid_detrained(n) = up%detrained(n)*up%liquid(n)*up%dilution(n)
            up%ice_detrained(n) = up%detrained(n)*up%ice(n)*up%dilution(n)
            if (n < up%equilibrium + 2) cycle
            up%precipitation = up%precipitation - up%rain(n) - up%snow(n)
            up%rain(n) = up%flux(n - 1)*up%liquid_fallout(n)
            up%snow(n) = up%flux(n - 1)*up%ice_fallout(n)
            up%precipitation = up%precipitation + up%rain(n) + up%snow(n)
         end do
      end if
      ! WRF's cloud fraction and momentum transport still see the undiminished flux at a top above equilibrium.
      if (env%clean .or. up%equilibrium == up%top) up%flux(up%top) = 0.0_wp
      up%entrained(up%top) = 0.0_wp
   end subroutine detrain_at_top

   !> Source inflow, dry ascent and zeros below the condensation level; zeros above the top (§3.6).
   pure subroutine fill_below_cloud(env, source, up)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(inout) :: up
      real(wp) :: inflow
      integer :: k

      inflow = 0.0_wp
      do k = 1, source%above - 1
         call clear_level(up, k)
         if (env%clean) up%dilution(k) = 1.0_wp   ! WRF keeps what an earlier candidate's ascent left here
         if (k < source%base) cycle
         if (k <= source%top) then
            up%entrained(k) = source%flux*env%dp(k)/source%depth
            inflow = inflow + up%entrained(k)
            up%flux(k) = inflow
         else
            up%flux(k) = source%flux
         end if
         up%t(k) = source%t - (env%z(k) - source%z)*dry_lapse_rate
         up%q(k) = source%q
         up%w(k) = source%w_lcl
      end do
      do k = up%top + 1, env%levels
         call clear_level(up, k)
      end do
   end subroutine fill_below_cloud

   !> No updraft at this level.
   pure subroutine clear_level(up, k)
      type(updraft_type), intent(inout) :: up
      integer, intent(in) :: k

      up%flux(k) = 0.0_wp
      up%entrained(k) = 0.0_wp
      up%detrained(k) = 0.0_wp
      up%t(k) = 0.0_wp
      up%q(k) = 0.0_wp
      up%q_detrained(k) = 0.0_wp
      up%liquid(k) = 0.0_wp
      up%ice(k) = 0.0_wp
      up%w(k) = 0.0_wp
      up%liquid_detrained(k) = 0.0_wp
      up%ice_detrained(k) = 0.0_wp
      up%rain(k) = 0.0_wp
      up%snow(k) = 0.0_wp
   end subroutine clear_level
end module subgrid_mskf_plume_ends_dp
