!> The evaporating downdraft of deep convection (specification §3.8; Kain 2004).
module subgrid_mskf_downdraft_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: gas_constant, heat_capacity, latent_heat_fusion, updraft_area, &
      virtual_factor
   use subgrid_mskf_saturation_dp, only: saturate
   use subgrid_mskf_state_dp, only: downdraft_type, environment_type, source_type, updraft_type
   use subgrid_mskf_thermodynamics_dp, only: bolton_theta_e, latent_heat_vapour, mixing_ratio, &
      saturation_mixing_ratio, saturation_pressure, saturation_slope, theta_factor, thermodynamics_type
   implicit none (type, external)
   private
   public :: precipitation_efficiency, sink, clear_downdraft

   real(wp), parameter :: sink_depth = 1.5e4_wp    !< pressure depth above the source layer where it starts [Pa]
   real(wp), parameter :: least_depth = 5.0e3_wp   !< shallower downdrafts do not form [Pa]
   real(wp), parameter :: drying = 0.2e-3_wp       !< fall of relative humidity below its start [m-1]

contains

   !> No downdraft.
   pure subroutine clear_downdraft(down, levels)
      type(downdraft_type), intent(inout) :: down
      integer, intent(in) :: levels

      down%top = 0
      down%base = 0
      down%evaporation = 0.0_wp
      down%flux(:levels) = 0.0_wp
      down%entrained(:levels) = 0.0_wp
      down%detrained(:levels) = 0.0_wp
      down%t(:levels) = 0.0_wp
      down%q(:levels) = 0.0_wp
      down%theta(:levels) = 0.0_wp
   end subroutine clear_downdraft

   !> Downdraft for the unit updraft; without flux where it would be too shallow or would evaporate nothing.
   pure subroutine sink(thermo, env, source, up, down)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(inout) :: down
      real(wp) :: humidity, scaling
      integer :: start, top, k

      call clear_downdraft(down, env%levels)
      start = source%top + 1
      top = up%equilibrium - 1
      do k = start + 1, min(top, env%levels)
         if (env%p(start) - env%p(k) > sink_depth) then
            top = k
            exit
         end if
      end do
      down%top = max(1, top)
      down%base = down%top
      if (top <= start) return
      if (env%p(start) - env%p(top) <= least_depth) return
      call gather(thermo, env, start, top, precipitation_efficiency(env, source, up), down, humidity)
      call descend(thermo, env, source, up, start, down)
      if (env%p(down%base) - env%p(top) > least_depth) call spread(env, start, down)
      if (down%evaporation < 1.0_wp) then
         call clear_downdraft(down, env%levels)
         down%top = top
         return
      end if
      ! The flux at the source-layer top is 2 (1 - mean RH) of the updraft's at cloud base, if there is rain enough.
      scaling = -2.0_wp*(1.0_wp - humidity)*up%flux(source%above)/down%flux(start)
      if (down%evaporation*scaling > up%precipitation) scaling = up%precipitation/down%evaporation
      down%evaporation = down%evaporation*scaling
      down%flux(down%base:top) = down%flux(down%base:top)*scaling
      down%entrained(down%base:top) = down%entrained(down%base:top)*scaling
      down%detrained(down%base:top) = down%detrained(down%base:top)*scaling
      down%theta(start:top) = 0.0_wp   ! nothing detrains there
   end subroutine sink

   !> Entrainment in proportion to layer mass between the start of the downdraft and the source layer.
   pure subroutine gather(thermo, env, start, top, efficiency, down, humidity)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      integer, intent(in) :: start, top
      real(wp), intent(in) :: efficiency   !< of precipitation [1]
      type(downdraft_type), intent(inout) :: down
      real(wp), intent(out) :: humidity   !< mean relative humidity [1]
      real(wp) :: saturated
      integer :: k

      down%theta_e(top) = env%theta_e(top)
      down%q(top) = env%q(top)
      call saturate(thermo, env%p(top), env%log_p(top), env%theta_e(top), down%t(top), saturated)
      down%entrained(top) = (1.0_wp - efficiency)*updraft_area*env%area*env%p(top) &
         /(gas_constant*down%t(top)*(1.0_wp + virtual_factor*saturated))
      down%flux(top) = -down%entrained(top)
      do k = top - 1, start, -1
         down%entrained(k) = down%entrained(top)*env%mass(k)/env%mass(top)
         down%flux(k) = down%flux(k + 1) - down%entrained(k)
         down%theta_e(k) = (down%theta_e(k + 1)*down%flux(k + 1) - env%theta_e(k)*down%entrained(k))/down%flux(k)
         down%q(k) = (down%q(k + 1)*down%flux(k + 1) - env%q(k)*down%entrained(k))/down%flux(k)
      end do
      humidity = sum(env%rh(start:top)*env%dp(start:top))/sum(env%dp(start:top))
   end subroutine gather

   !> Mean of the shear-dependent (Fritsch and Chappell 1980) and the cloud-base-dependent (Zhang and Fritsch 1986)
   !> precipitation efficiency [1]. It sets the first guess of the flux only: what matters is whether that evaporates 1 kg s-1.
   pure real(wp) function precipitation_efficiency(env, source, up)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      real(wp), parameter :: feet = 3.281e-3_wp   ! thousand feet in a metre
      real(wp) :: shear, by_shear, base, ratio

      shear = 1.0e3_wp*hypot(env%u(up%top) - env%u(source%above), env%v(up%top) - env%v(source%above)) &
         /(env%z(up%top) - env%z(source%above))
      if (hypot(env%u(up%top), env%v(up%top)) <= hypot(env%u(source%above), env%v(source%above))) shear = -shear
      by_shear = 1.591_wp + shear*(-0.639_wp + shear*(9.53e-2_wp - shear*4.96e-3_wp))
      by_shear = max(0.2_wp, min(0.9_wp, by_shear))
      base = feet*(source%z_lcl - env%z(1))
      if (base < 3.0_wp) then
         ratio = 0.02_wp
      else if (base > 25.0_wp) then
         ratio = 2.4_wp
      else
         ratio = 0.96729352_wp + base*(-0.70034167_wp + base*(0.162179896_wp + base*(-1.2569798e-2_wp &
            + base*(4.2772e-4_wp - base*5.44e-6_wp))))
      end if
      precipitation_efficiency = 0.5_wp*(by_shear + min(0.9_wp, 1.0_wp/(1.0_wp + ratio)))
   end function precipitation_efficiency

   !> Temperature and moisture below the source-layer top, down to where the downdraft is buoyant or meets the ground.
   pure subroutine descend(thermo, env, source, up, start, down)
      type(thermodynamics_type), intent(in) :: thermo
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      integer, intent(in) :: start
      type(downdraft_type), intent(inout) :: down
      real(wp) :: theta_e, saturated
      integer :: k

      call saturate(thermo, env%p(start), env%log_p(start), down%theta_e(start), down%t(start), saturated)
      if (source%base < env%freezing_level) down%t(start) = down%t(start) - latent_heat_fusion &
         *sum(up%snow(source%above:up%top))/(heat_capacity*up%flux(source%above))
      saturated = saturation_mixing_ratio(down%t(start), env%p(start))
      theta_e = bolton_theta_e(env%log_p(start), down%t(start), saturated, down%t(start))
      do k = start - 1, 1, -1
         call saturate(thermo, env%p(k), env%log_p(k), theta_e, down%t(k), saturated)
         down%q(k) = down%q(start)
         call evaporate(env%p(k), 1.0_wp - drying*(env%z(start) - env%z(k)), down%q(start), down%t(k), saturated)
         down%q_saturated(k) = saturated
         down%base = k
         if (down%t(k)*(1.0_wp + virtual_factor*saturated) > env%tv(k)) exit
      end do
   end subroutine descend

   !> Saturated air at t with mixing ratio q is brought to a relative humidity below one; one linear step. Air that
   !> would end drier than the water it carries does not evaporate anything.
   pure subroutine evaporate(p, humidity, carried, t, q)
      real(wp), intent(in) :: p          !< [Pa]
      real(wp), intent(in) :: humidity   !< [1]
      real(wp), intent(in) :: carried    !< [kg kg-1]
      real(wp), intent(inout) :: t, q    !< [K], [kg kg-1]
      real(wp) :: latent, warmer, drier

      if (humidity >= 1.0_wp) return
      latent = latent_heat_vapour(t)
      warmer = t + latent*q*(1.0_wp - humidity)/(heat_capacity + latent*humidity*q*saturation_slope(t))
      drier = mixing_ratio(humidity*saturation_pressure(warmer), p)
      if (drier < carried) then
         drier = carried
         warmer = t + (q - drier)*latent/heat_capacity
      end if
      t = warmer
      q = drier
   end subroutine evaporate

   !> Detrainment below the source-layer top in proportion to pressure depth; the rain that it evaporates.
   pure subroutine spread(env, start, down)
      type(environment_type), intent(in) :: env
      integer, intent(in) :: start
      type(downdraft_type), intent(inout) :: down
      real(wp) :: depth
      integer :: k

      depth = sum(env%dp(down%base:start - 1))
      do k = start - 1, down%base, -1
         down%detrained(k) = -down%flux(start)*env%dp(k)/depth
         down%flux(k) = down%flux(k + 1) + down%detrained(k)
         down%evaporation = down%evaporation + (down%q_saturated(k) - down%q(k))*down%detrained(k)
         down%q(k) = down%q_saturated(k)
         down%theta(k) = down%t(k)*theta_factor(env%log_p(k), down%q(k))
      end do
   end subroutine spread
end module subgrid_mskf_downdraft_dp
