!> The two drafts of a cloud side by side: what a downdraft adds to the pressure force (specification §3.13).
!>
!> With the areas A_u = M_u/ρ at cloud base and A_d = |M_d|/ρ at the downdraft's top (both for 1 m/s), A = A_u + A_d where
!> there is a downdraft, c = shape/∫₀¹ J1(χr) r dr, M = M_u + M_d and χ' = χ/R_c,
!>    mean speed W0 = M/(ρA),  difference W1 = c (M_u/A_u - M_d/A_d) A_d/(ρA),  B1 = c (B_u - B_d) A_d/A  (interfaces),
!>    D0 = ∂_z M/(ρA),  E = c/(χ'² ρA) (A_d/A_u ∂_z M_u - ∂_z M_d)                                           (layers),
!> the sources are
!>    shear       ρ W0 (∂_z u + χ' J0(χ) ∂_z E cos φ),
!>    dipole      ∂_z(ρ B1) - ρ [χ'² D0 E + 2 ∂_z W0 ∂_z W1 - 2 W0 W1 ∂_zz ln ρ],     divergence   ρ W1 ∂_z D0,
!> φ being the direction of the mean wind of the cloud's layers. The specification leaves the buoyancies B, the signs and
!> the stencils open; they were found by inversion of WRF's tendencies, and what is left is in docs/physics/mskf.md.
module subgrid_mskf_drafts_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: heat_capacity, vapour_ratio, virtual_factor
   use subgrid_mskf_pressure_dp, only: cloud_radius, first_zero
   use subgrid_mskf_state_dp, only: downdraft_type, environment_type, updraft_type
   implicit none (type, external)
   private
   public :: add_downdraft_sources, layer_mean

   real(wp), parameter :: shape_ratio = 0.8_wp/0.17950341_wp   !< c [1]
   real(wp), parameter :: wavenumber = first_zero/cloud_radius         !< χ' [m-1]
   real(wp), parameter :: wrf_gravity = 9.8_wp                         !< [m s-2]

contains

   !> Add to the sources of the pressure force what the downdraft brings, on the layers base + 1 … top.
   pure subroutine add_downdraft_sources(env, up, down, cloud_base, base, top, factor, density, at_top, area, shear, dipole, &
      divergence, direction)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      integer, intent(in) :: cloud_base         !< level whose top is the cloud base
      integer, intent(in) :: base, top          !< the same or, where the drafts sink, above; last level with sources
      real(wp), intent(in) :: factor            !< of the unit fluxes, over the cell's area [m-2]
      real(wp), intent(in) :: density(:), at_top(:)   !< of layers, at their tops [kg m-3]
      real(wp), intent(in) :: area(:)           !< A of the interfaces [m s-1 per m s-1]
      real(wp), intent(inout) :: shear(:, :)    !< (2, n)
      real(wp), intent(inout) :: dipole(:), divergence(:)   !< (n)
      real(wp), intent(in) :: direction(2)      !< (cos φ, sin φ)
      real(wp), dimension(size(density)) :: speed, difference, buoyancy, d0, e, layers
      real(wp) :: both
      integer :: k

      call set_interfaces(env, up, down, base, top, factor, at_top, area, speed, difference, buoyancy)
      call set_layers(env, up, down, cloud_base, top, factor, density, area, d0, e)
      layers = layer_mean(speed)*density
      do k = base + 1, min(top, size(density) - 1)
         associate (thickness => env%thickness(k))
            shear(:, k) = shear(:, k) &
               + layers(k)*wavenumber*bessel_j0(first_zero)*0.5_wp*(e(k + 1) - e(k - 1))/thickness*direction
            both = difference(k - 1) + difference(k)
            divergence(k) = 0.25_wp*(d0(k + 1) - d0(k - 1))/thickness*both*density(k)
            dipole(k) = (at_top(k)*buoyancy(k) - at_top(k - 1)*buoyancy(k - 1))/thickness &
               - density(k)*(wavenumber**2*d0(k)*e(k) &
               + 2.0_wp*(speed(k) - speed(k - 1))*(difference(k) - difference(k - 1))/thickness**2) &
               + layers(k)*both*curvature(env, density, k)
         end associate
      end do
   end subroutine add_downdraft_sources

   !> W0, W1 and B1 at the layer tops; 0 below the cloud base.
   pure subroutine set_interfaces(env, up, down, base, top, factor, at_top, area, speed, difference, buoyancy)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      integer, intent(in) :: base, top
      real(wp), intent(in) :: factor, at_top(:), area(:)   !< as in add_downdraft_sources
      real(wp), intent(out) :: speed(:), difference(:), buoyancy(:)   !< [1], [1], [m s-2]
      real(wp) :: area_u, area_d, flux_u, flux_d
      integer :: k

      area_u = area(size(area))
      area_d = -factor*down%flux(down%top)/at_top(down%top)
      speed = 0.0_wp
      difference = 0.0_wp
      buoyancy = 0.0_wp
      do k = base, min(top + 1, size(area))
         flux_u = factor*up%flux(k)
         flux_d = factor*down%flux(k)
         speed(k) = (flux_u + flux_d)/(at_top(k)*area(k))
         if (k > down%top) cycle
         difference(k) = shape_ratio*(flux_u*area_d/area_u - flux_d)/(area(k)*at_top(k))
         buoyancy(k) = shape_ratio*area_d/area(k)*buoyancy_difference(env, up, down, k)
      end do
   end subroutine set_interfaces

   !> D0 and E of the layers. At the cloud base, below which no flux counts, D0 jumps and E is 0.
   pure subroutine set_layers(env, up, down, cloud_base, top, factor, density, area, d0, e)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      integer, intent(in) :: cloud_base, top
      real(wp), intent(in) :: factor, density(:), area(:)   !< as in add_downdraft_sources
      real(wp), intent(out) :: d0(:), e(:)                  !< [m-1], [m]
      real(wp) :: layer_area(size(area)), area_u, gain_u, gain_d
      integer :: k

      area_u = area(size(area))
      layer_area = layer_mean(area)
      d0 = 0.0_wp
      e = 0.0_wp
      d0(cloud_base) = factor*(up%flux(cloud_base) + down%flux(cloud_base)) &
         /(density(cloud_base)*env%thickness(cloud_base)*layer_area(cloud_base))
      do k = cloud_base + 1, min(top + 1, size(area))
         gain_u = factor*(up%flux(k) - up%flux(k - 1))
         gain_d = factor*(down%flux(k) - down%flux(k - 1))
         d0(k) = (gain_u + gain_d)/(density(k)*env%thickness(k)*layer_area(k))
         e(k) = shape_ratio/(wavenumber**2*density(k)*layer_area(k)*env%thickness(k)) &
            *((layer_area(k) - area_u)/area_u*gain_u - gain_d)   ! the downdraft's share of the layer's area
      end do
   end subroutine set_layers

   !> ∂_zz ln ρ [m-2].
   pure real(wp) function curvature(env, density, k)
      type(environment_type), intent(in) :: env
      real(wp), intent(in) :: density(:)   !< [kg m-3]
      integer, intent(in) :: k

      curvature = (log(density(k + 1)/density(k))/env%dz(k) - log(density(k)/density(k - 1))/env%dz(k - 1))/env%thickness(k)
   end function curvature

   !> B_u - B_d at the top of layer k [m s-2]: g times the difference of the drafts' virtual static energies over the mean of
   !> the environment's in layers k and k + 1. Between its top and the source layer WRF knows no downdraft air: dry air of the
   !> environment's temperature stands in. WRF mixes the measures of vapour: the first factor has the specific humidity in the
   !> drafts and the mixing ratio in the environment.
   pure real(wp) function buoyancy_difference(env, up, down, k)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      integer, intent(in) :: k
      real(wp) :: height, t, q, around

      height = env%z(k) + 0.5_wp*env%thickness(k)
      t = env%t(k)
      q = 0.0_wp
      if (k == down%top .or. down%detrained(k) > 0.0_wp) then
         t = down%t(k)
         q = specific(down%q(k))
      end if
      around = 0.5_wp*(virtual_energy(env%t(k), env%q(k), specific(env%q(k)), height) &
         + virtual_energy(env%t(k + 1), env%q(k + 1), specific(env%q(k + 1)), height + env%thickness(k + 1)))
      buoyancy_difference = wrf_gravity/around*(virtual_energy(up%t(k), specific(up%q(k)), specific(up%q(k)), height) &
         - virtual_energy(t, q, q, height))
   end function buoyancy_difference

   !> (T + 0.622 a T + g z/c_p)(1 + 0.608 b) [K]; WRF counts the vapour twice, once with another number.
   elemental pure real(wp) function virtual_energy(t, a, b, height)
      real(wp), intent(in) :: t, a, b  !< [K], vapour in either factor [kg kg-1]
      real(wp), intent(in) :: height   !< z [m]

      virtual_energy = (t*(1.0_wp + vapour_ratio*a) + height*wrf_gravity/heat_capacity)*(1.0_wp + virtual_factor*b)
   end function virtual_energy

   !> Specific humidity of a mixing ratio [kg kg-1].
   elemental pure real(wp) function specific(mixing_ratio)
      real(wp), intent(in) :: mixing_ratio   !< [kg kg-1]

      specific = mixing_ratio/(1.0_wp + mixing_ratio)
   end function specific

   !> Mean over each layer of a quantity at the layer tops; that at the ground is 0.
   pure function layer_mean(at_tops) result(mean)
      real(wp), intent(in) :: at_tops(:)
      real(wp) :: mean(size(at_tops))
      integer :: k

      mean(1) = 0.5_wp*at_tops(1)
      do k = 2, size(at_tops)
         mean(k) = 0.5_wp*(at_tops(k - 1) + at_tops(k))
      end do
   end function layer_mean
end module subgrid_mskf_drafts_dp
