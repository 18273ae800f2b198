!> What radiation and microphysics receive: cloud fraction, condensate in the cloud, tendencies of the water species
!> (specification §3.11 to §3.13).
module subgrid_mskf_cloud_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: heat_capacity, latent_heat_fusion
   use subgrid_mskf_state_dp, only: closure_type, environment_type, result_type, updraft_type
   implicit none (type, external)
   private
   public :: species_type, set_cloud_fraction, set_heat_and_water_tendencies, clear_result

   !> The water species of the host's microphysics.
   type :: species_type
      logical :: warm_rain = .false.   !< no ice at all
      logical :: rain = .true., ice = .true., snow = .true.
   end type species_type

contains

   !> No convection.
   pure subroutine clear_result(result, levels)
      type(result_type), intent(inout) :: result
      integer, intent(in) :: levels

      result%pratec = 0.0_wp
      result%timec = 0.0_wp
      result%cutop = 1.0_wp
      result%cubot = real(levels + 1, wp)
      result%rth = 0.0_wp
      result%rqv = 0.0_wp
      result%rqc = 0.0_wp
      result%rqr = 0.0_wp
      result%rqi = 0.0_wp
      result%rqs = 0.0_wp
      result%ru = 0.0_wp
      result%rv = 0.0_wp
      result%fraction_deep = 0.0_wp
      result%fraction_shallow = 0.0_wp
      result%qc = 0.0_wp
      result%qi = 0.0_wp
   end subroutine clear_result

   !> Fraction a ln(1 + 500 M̃), at least 0.01, from cloud base to top; M̃ = M/(Δx² (1 - AINC/100)).
   pure subroutine set_cloud_fraction(env, up, closure, deep, result)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(closure_type), intent(in) :: closure
      logical, intent(in) :: deep
      type(result_type), intent(inout) :: result
      real(wp) :: flux
      integer :: k

      do k = closure%cloud_base, up%top
         flux = closure%factor*up%flux(k)/(env%area*max(1.0_wp - closure%nominal_factor/100.0_wp, 1.0e-3_wp))
         if (deep) then
            result%fraction_deep(k) = max(0.01_wp, min(0.6_wp, 0.14_wp*log(1.0_wp + 500.0_wp*flux)))
         else
            result%fraction_shallow(k) = max(0.01_wp, min(0.2_wp, 0.07_wp*log(1.0_wp + 500.0_wp*flux)))
         end if
      end do
   end subroutine set_cloud_fraction

   !> (adjusted - initial)/τ, after the phases that the host does not carry have melted, frozen or been merged.
   pure subroutine set_heat_and_water_tendencies(env, species, exner, up, closure, result)
      type(environment_type), intent(in) :: env
      type(species_type), intent(in) :: species
      real(wp), intent(in) :: exner(:)   !< T/θ of the host [1]
      type(updraft_type), intent(in) :: up
      type(closure_type), intent(in) :: closure
      type(result_type), intent(inout) :: result
      real(wp) :: gain, liquid, ice, rain, snow, warming
      integer :: k

      do k = 1, up%top
         liquid = closure%liquid(k)
         ice = closure%ice(k)
         rain = closure%rain(k)
         snow = closure%snow(k)
         warming = latent_heat_fusion/(heat_capacity*(1.0_wp + 0.887_wp*closure%q(k)))
         gain = closure%gain(k)
         if (species%warm_rain .or. .not. species%snow) then
            ! One condensate class: it melts below the freezing level (everywhere in warm rain) and freezes above.
            if (species%warm_rain .or. k <= env%freezing_level) then
               gain = gain - (ice + snow)*warming
            else
               gain = gain + (liquid + rain)*warming
            end if
            liquid = liquid + ice
            rain = rain + snow
            ice = 0.0_wp
            snow = 0.0_wp
         else if (.not. species%ice) then
            snow = snow + ice
            ice = 0.0_wp
         end if
         if (.not. species%rain) then
            liquid = liquid + rain
            rain = 0.0_wp
         end if
         result%rth(k) = gain/closure%time/exner(k)
         result%rqv(k) = (closure%q(k) - env%q(k))/closure%time
         result%rqc(k) = liquid/closure%time
         result%rqr(k) = rain/closure%time
         result%rqi(k) = ice/closure%time
         result%rqs(k) = snow/closure%time
      end do
   end subroutine set_heat_and_water_tendencies
end module subgrid_mskf_cloud_dp
