!> Convective momentum transport (specification §3.13).
!>
!> The wind of the cloud U_c rises with the mass flux M from the environment's wind at cloud base; at the top of layer k
!>    U_c(k) = U_c(k-1) + [e (U - U_c(k-1)) - ρ Δz P]/M̄,    dU/dt = -Δ[M (U_c - Û)]/(ρ Δz),   Û at the interface,
!> with the entrainment e and the pressure force P of the surroundings upon the cloud. In `match`, M and e are those of both
!> drafts and the downdraft adds to P. In `clean` each draft has a wind of its own (Gregory et al. 1997): the downdraft's starts
!> as the environment's at its top and obeys the same equation downward.
module subgrid_mskf_momentum_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: gas_constant, gravity
   use subgrid_mskf_drafts_dp, only: add_downdraft_sources, layer_mean
   use subgrid_mskf_pressure_dp, only: exact_share, pressure_force, wrf_share
   use subgrid_mskf_state_dp, only: closure_type, downdraft_type, environment_type, updraft_type
   implicit none (type, external)
   private
   public :: transport_momentum

   real(wp), parameter :: wrf_entrainment = 9.8_wp/100.0_wp   !< the unit that is missing in WRF's entrainment term [m3 kg-1]

contains

   !> Tendencies of both wind components.
   pure subroutine transport_momentum(env, up, down, closure, ru, rv)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(in) :: closure
      real(wp), intent(inout) :: ru(:), rv(:)   !< [m s-2]
      real(wp), dimension(env%levels) :: flux, entrained, density, at_top, area, dipole, divergence, speed
      real(wp), dimension(2, env%levels) :: shear, force
      real(wp) :: wind(env%levels), direction(2), factor
      integer :: k, n, base, top

      n = env%levels
      factor = closure%factor/env%area
      base = closure%cloud_base
      if (.not. env%clean) base = lowest_rising(up, down, base)
      if (base >= up%top) return
      flux = factor*up%flux(:n)
      entrained = factor*up%entrained(:n)
      area = 1.0_wp
      if (env%clean) then
         density = env%p(:n)/(gas_constant*env%tv(:n))
      else
         density = env%p(:n)/(gas_constant*env%t(:n))
         flux = flux + factor*down%flux(:n)
         entrained = (entrained - factor*down%entrained(:n))*density*wrf_entrainment
      end if
      top = up%top   ! of the sources: a cloud that ends at its level of equilibrium has no flux there
      if (flux(top) <= 0.0_wp) top = top - 1
      at_top(:n - 1) = 0.5_wp*(density(:n - 1) + density(2:))
      at_top(n) = density(n)
      dipole = 0.0_wp
      divergence = 0.0_wp
      direction = 0.0_wp
      if (.not. env%clean .and. down%evaporation > 0.0_wp .and. down%top >= base) then
         area = factor*up%flux(closure%cloud_base)/at_top(closure%cloud_base)
         area(:down%top) = area(:down%top) - factor*down%flux(down%top)/at_top(down%top)
         direction = mean_direction(env, density, closure%cloud_base + 1, up%top)
      end if
      speed = layer_mean(flux/(at_top*area))
      shear = 0.0_wp
      do k = base + 1, min(top, n - 1)
         shear(1, k) = 0.5_wp*(env%u(k + 1) - env%u(k - 1))*density(k)*speed(k)/env%thickness(k)
         shear(2, k) = 0.5_wp*(env%v(k + 1) - env%v(k - 1))*density(k)*speed(k)/env%thickness(k)
      end do
      if (maxval(abs(direction)) > 0.0_wp) call add_downdraft_sources(env, up, down, closure%cloud_base, &
         base, top, factor, density, at_top, area, shear, dipole, divergence, direction)
      call pressure_force(merge(exact_share, wrf_share, env%clean), env%dz(:n), env%thickness(:n), base + 1, &
         min(top, n - 1), shear, dipole, divergence, direction, force)
      area = layer_mean(area)
      wind = env%u(:n)
      call transport_component(env, base, up%top, flux, entrained, force(1, :)*area, wind, ru)
      wind = env%v(:n)
      call transport_component(env, base, up%top, flux, entrained, force(2, :)*area, wind, rv)
      if (env%clean .and. down%evaporation > 0.0_wp) call sink_momentum(env, down, factor, ru, rv)
   end subroutine transport_momentum

   !> What the downdraft of the clean scheme adds. Its flux of a level is that through the bottom of the layer.
   pure subroutine sink_momentum(env, down, factor, ru, rv)
      type(environment_type), intent(in) :: env
      type(downdraft_type), intent(in) :: down
      real(wp), intent(in) :: factor            !< of the unit fluxes, over the cell's area [m-2]
      real(wp), intent(inout) :: ru(:), rv(:)   !< [m s-2]
      real(wp), dimension(2, env%levels) :: shear, force
      real(wp) :: none(env%levels), mean_flux
      integer :: k, n

      n = env%levels
      shear = 0.0_wp
      none = 0.0_wp
      do k = max(2, down%base), down%top - 1
         mean_flux = 0.5_wp*factor*(down%flux(k) + down%flux(k + 1))
         shear(1, k) = 0.5_wp*(env%u(k + 1) - env%u(k - 1))*mean_flux/env%thickness(k)
         shear(2, k) = 0.5_wp*(env%v(k + 1) - env%v(k - 1))*mean_flux/env%thickness(k)
      end do
      call pressure_force(exact_share, env%dz(:n), env%thickness(:n), max(2, down%base), down%top - 1, shear, none, none, &
         [0.0_wp, 0.0_wp], force)
      call sink_component(env, down, factor, force(1, :), env%u, ru)
      call sink_component(env, down, factor, force(2, :), env%v, rv)
   end subroutine sink_momentum

   !> One component of the downdraft's wind, from its top down to where it has detrained.
   pure subroutine sink_component(env, down, factor, force, wind, tendency)
      type(environment_type), intent(in) :: env
      type(downdraft_type), intent(in) :: down
      real(wp), intent(in) :: factor            !< as in sink_momentum
      real(wp), intent(in) :: force(:)          !< ρ P [kg m-2 s-2]
      real(wp), intent(in) :: wind(:)           !< [m s-1]
      real(wp), intent(inout) :: tendency(:)    !< [m s-2]
      real(wp) :: above, stress, draft, inflow, entrained
      integer :: k

      above = 0.0_wp
      draft = wind(down%top)
      do k = down%top, down%base, -1
         if (k < down%top) then
            inflow = -factor*down%flux(k + 1)
            entrained = factor*down%entrained(k)
            draft = draft + (entrained*(wind(k) - draft) - env%thickness(k)*force(k))/(inflow + entrained)
         end if
         stress = 0.0_wp
         if (k > down%base) stress = factor*down%flux(k)*(draft - 0.5_wp*(wind(k - 1) + wind(k)))
         tendency(k) = tendency(k) - (above - stress)*gravity/env%dp(k)
         above = stress
      end do
   end subroutine sink_component

   !> Cloud base, or the first level from which on the two drafts together rise.
   pure integer function lowest_rising(up, down, cloud_base)
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      integer, intent(in) :: cloud_base
      integer :: k

      lowest_rising = cloud_base
      do k = cloud_base, min(up%top, down%top)
         if (up%flux(k) + down%flux(k) <= 0.0_wp) lowest_rising = k + 1
      end do
   end function lowest_rising

   !> Direction of the mass-weighted mean wind of some layers; 0 if there is no wind.
   pure function mean_direction(env, density, first, last) result(direction)
      type(environment_type), intent(in) :: env
      real(wp), intent(in) :: density(:)   !< [kg m-3]
      integer, intent(in) :: first, last
      real(wp) :: direction(2), length

      direction = [sum(density(first:last)*env%thickness(first:last)*env%u(first:last)), &
         sum(density(first:last)*env%thickness(first:last)*env%v(first:last))]
      length = hypot(direction(1), direction(2))
      if (length > 0.0_wp) direction = direction/length
   end function mean_direction

   !> One wind component. What is carried is the excess U_c - Û, a sum of differences that keeps its digits in single precision.
   pure subroutine transport_component(env, base, top, flux, entrained, force, wind, tendency)
      type(environment_type), intent(in) :: env
      integer, intent(in) :: base, top
      real(wp), intent(in) :: flux(:), entrained(:)   !< [kg m-2 s-1]
      real(wp), intent(in) :: force(:)                !< ρ P [kg m-2 s-2]
      real(wp), intent(in) :: wind(:)                 !< [m s-1]
      real(wp), intent(inout) :: tendency(:)          !< [m s-2]
      real(wp) :: below, stress, excess, shift, mean_flux
      integer :: k

      below = 0.0_wp
      tendency(base) = 0.0_wp
      excess = 0.0_wp
      do k = base + 1, top
         stress = 0.0_wp
         mean_flux = 0.5_wp*(flux(k - 1) + flux(k))
         if (k < top) then
            shift = 0.5_wp*(wind(k + 1) - wind(k - 1))
            if (abs(mean_flux) >= tiny(1.0_wp)*1.0e8_wp) then
               excess = excess - shift &
                  + (entrained(k)*(0.5_wp*(wind(k) - wind(k - 1)) - excess) - env%thickness(k)*force(k))/mean_flux
               stress = flux(k)*excess
            else
               excess = excess - shift
            end if
         end if
         tendency(k) = -(stress - below)*gravity/env%dp(k)
         below = stress
      end do
   end subroutine transport_component
end module subgrid_mskf_momentum_dp
