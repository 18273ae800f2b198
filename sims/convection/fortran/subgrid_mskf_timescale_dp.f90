!> The scale-aware convective time scale (specification §3.7; Bullock et al. 2015, Zheng et al. 2016).
!>
!>    τ = β max(H_min, H)/(0.03 W_sb ABE)^{1/3},     W_sb² = 3.8 u*² + 0.22 w*² h/PBLH + 1.9 u*² (-z/L)^{2/3}
!> but at least the time that the wind needs to cross the cell; rounded to time steps and at most a day.
module subgrid_mskf_timescale_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: gas_constant, gravity, heat_capacity, longest_time, reference_pressure, &
      vapour_ratio, virtual_factor
   use subgrid_mskf_state_dp, only: closure_type, environment_type, source_type, updraft_type
   implicit none (type, external)
   private
   public :: set_time_scales, minimum_depth

   real(wp), parameter :: calm = 1.0e-2_wp   !< least wind that advects clouds; WRF would divide by zero [m s-1]

contains

   !> Depth that makes a cloud deep, from the temperature of its base [m].
   pure real(wp) function minimum_depth(t_lcl)
      real(wp), intent(in) :: t_lcl   !< [K]

      if (t_lcl > 293.0_wp) then
         minimum_depth = 4.0e3_wp
      else if (t_lcl >= 273.0_wp) then
         minimum_depth = 2.0e3_wp + 100.0_wp*(t_lcl - 273.0_wp)
      else
         minimum_depth = 2.0e3_wp
      end if
   end function minimum_depth

   !> Advective and convective time scales [s].
   pure subroutine set_time_scales(env, source, up, closure)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      type(updraft_type), intent(in) :: up
      type(closure_type), intent(inout) :: closure
      real(wp) :: wind, cape

      wind = 0.5_wp*(hypot(env%u(source%above), env%v(source%above)) &
         + hypot(env%u(env%mid_level), env%v(env%mid_level)))
      closure%advective_time = env%dx/max(wind, calm)
      closure%subcloud_velocity = subcloud_velocity(env, source)
      cape = up%cape
      if (cape <= 0.0_wp) cape = 1.0_wp
      closure%time = env%beta*max(up%least_depth, up%depth)/(0.03_wp*closure%subcloud_velocity*cape)**0.3333_wp
      closure%time = max(closure%time, closure%advective_time)
      closure%time = min(anint(min(closure%time, 2.0_wp*longest_time)/env%dt)*env%dt, longest_time)
      closure%time = max(closure%time, env%dt)
   end subroutine set_time_scales

   !> Velocity scale of the sub-cloud layer W_sb [m s-1].
   pure real(wp) function subcloud_velocity(env, source)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      real(wp) :: squared

      squared = 3.8_wp*env%ust**2
      if (env%zol <= 0.0_wp) squared = squared + 0.22_wp*convective_velocity(env, source)**2 &
         + 1.9_wp*env%ust**2*(-env%zol)**(2.0_wp/3.0_wp)
      subcloud_velocity = max(0.1_wp, sqrt(squared))
   end function subcloud_velocity

   !> (w*³ h/PBLH)^{1/3} with h the height of the LCL or of the source-layer top [m s-1]. PBLH cancels: the clean scheme
   !> leaves it out, and so does the other where PBLH = 0. WRF takes the cube roots with the exponents 0.3333 and 0.333.
   pure real(wp) function convective_velocity(env, source)
      type(environment_type), intent(in) :: env
      type(source_type), intent(in) :: source
      real(wp) :: density, theta, flux, height

      density = env%p(1)/(gas_constant*env%t(1))
      theta = env%t(1)*(reference_pressure/env%p(1))**(gas_constant/heat_capacity)
      height = max(source%z_lcl, env%z(source%top))
      if (env%clean .or. env%pblh <= 0.0_wp) then
         flux = max(0.0_wp, env%hfx)/(density*heat_capacity*theta*(1.0_wp + virtual_factor*env%q(1)))
         convective_velocity = (gravity*flux*height)**(1.0_wp/3.0_wp)
      else
         flux = max(0.0_wp, env%hfx)/(density*heat_capacity*theta*(1.0_wp + vapour_ratio*env%q(1)))
         convective_velocity = (((gravity*env%pblh*flux)**0.3333_wp)**3*height/env%pblh)**0.333_wp
      end if
   end function convective_velocity
end module subgrid_mskf_timescale_dp
