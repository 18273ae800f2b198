!> Convective momentum transport (specification §3.13).
!>
!> The wind of the cloud U_c rises with the mass flux M from the environment's wind at cloud base; at the top of layer k
!>    U_c(k) = U_c(k-1) + [e (U - U_c(k-1)) - ρ Δz P]/M̄,    dU/dt = -Δ[M (U_c - Û)]/(ρ Δz),   Û at the interface,
!> with the entrainment e and the pressure force P of the shear upon the cloud. The perturbation pressure is expanded in
!> ten Bessel modes of a cloud of 3 km in a disc of R_m = 50 km; with the source S = ρ w ∂u/∂z, w = M/ρ, in the cloud,
!>    π_n'' - (τ_n/R_m)² π_n = S,  π_n' = 0 at the ends,   ρ P = Σ_n 4/R_m² [J1(τ_n ε)/J0(τ_n)]² π_n,   ε = 0.06,
!> where J1(τ_n) = 0; the cloud's area cancels. WRF adds terms that a downdraft brings; they are not here.
module subgrid_mskf_momentum_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: gas_constant, gravity
   use subgrid_mskf_state_dp, only: closure_type, downdraft_type, environment_type, updraft_type
   implicit none (type, external)
   private
   public :: transport_momentum

   integer, parameter :: modes = 10
   real(wp), parameter :: disc = 50.0e3_wp         !< R_m [m]
   real(wp), parameter :: radius_ratio = 0.06_wp   !< ε [1]
   real(wp), parameter :: zeros(modes) = [3.8317059702075125_wp, 7.015586669815619_wp, 10.173468135062722_wp, &
      13.323691936314223_wp, 16.470630050877634_wp, 19.615858510468243_wp, 22.760084380592772_wp, &
      25.903672087618382_wp, 29.046828534916855_wp, 32.18967991097441_wp]   !< τ_n
   real(wp), parameter :: weights(modes) = 4.0_wp/disc**2*(bessel_j1(zeros*radius_ratio)/bessel_j0(zeros))**2
   real(wp), parameter :: wrf_entrainment = 9.8_wp/100.0_wp   !< the unit that is missing in WRF's entrainment term [m3 kg-1]

contains

   !> Tendencies of both wind components.
   pure subroutine transport_momentum(env, up, down, closure, ru, rv)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(in) :: closure
      real(wp), intent(inout) :: ru(:), rv(:)   !< [m s-2]
      real(wp) :: flux(env%levels), entrained(env%levels), density(env%levels), vertical_flux(env%levels)
      integer :: n, base

      n = env%levels
      base = closure%cloud_base
      if (base >= up%top) return
      flux = closure%factor*up%flux(:n)/env%area
      entrained = closure%factor*up%entrained(:n)/env%area
      if (env%clean) then
         density = env%p(:n)/(gas_constant*env%tv(:n))
      else
         flux = flux + closure%factor*down%flux(:n)/env%area
         density = env%p(:n)/(gas_constant*env%t(:n))
         entrained = entrained*density*wrf_entrainment
      end if
      vertical_flux = layer_velocity(density, flux)*density
      vertical_flux(:base) = 0.0_wp
      vertical_flux(up%top + 1:) = 0.0_wp
      call transport_component(env, base, up%top, flux, entrained, vertical_flux, env%u(:n), ru)
      call transport_component(env, base, up%top, flux, entrained, vertical_flux, env%v(:n), rv)
   end subroutine transport_momentum

   !> Mean over each layer of M/ρ at its two interfaces [m s-1]; the density of an interface is the mean of its layers'.
   pure function layer_velocity(density, flux) result(velocity)
      real(wp), intent(in) :: density(:), flux(:)   !< [kg m-3], at the layer tops [kg m-2 s-1]
      real(wp) :: velocity(size(flux))
      real(wp) :: below, above
      integer :: k, n

      n = size(flux)
      below = 0.0_wp
      do k = 1, n
         above = flux(k)/(0.5_wp*(density(k) + density(min(n, k + 1))))
         velocity(k) = 0.5_wp*(below + above)
         below = above
      end do
   end function layer_velocity

   !> One wind component.
   pure subroutine transport_component(env, base, top, flux, entrained, vertical_flux, wind, tendency)
      type(environment_type), intent(in) :: env
      integer, intent(in) :: base, top
      real(wp), intent(in) :: flux(:), entrained(:)   !< [kg m-2 s-1]
      real(wp), intent(in) :: vertical_flux(:)        !< ρ w in the cloud [kg m-2 s-1]
      real(wp), intent(in) :: wind(:)                 !< [m s-1]
      real(wp), intent(inout) :: tendency(:)          !< [m s-2]
      real(wp) :: interface_wind(size(wind)), force(size(wind)), stress(0:size(wind)), cloud, mean_flux
      integer :: k, n

      n = size(wind)
      interface_wind(:n - 1) = 0.5_wp*(wind(:n - 1) + wind(2:))
      interface_wind(n) = wind(n)
      call pressure_force(env%dz, env%thickness, base, top, vertical_flux, interface_wind, force)
      stress = 0.0_wp
      cloud = interface_wind(base)
      do k = base + 1, top - 1
         mean_flux = 0.5_wp*(flux(k - 1) + flux(k))
         if (abs(mean_flux) < tiny(1.0_wp)*1.0e8_wp) exit
         cloud = cloud + (entrained(k)*(wind(k) - cloud) - env%thickness(k)*force(k))/mean_flux
         stress(k) = flux(k)*(cloud - interface_wind(k))
      end do
      do k = base, top
         tendency(k) = -(stress(k) - stress(k - 1))*gravity/env%dp(k)
      end do
   end subroutine transport_component

   !> ρ P [kg m-2 s-2]: ten tridiagonal systems on levels 2 … n - 1 with vanishing slopes at the ends.
   pure subroutine pressure_force(spacing, thickness, base, top, vertical_flux, interface_wind, force)
      real(wp), intent(in) :: spacing(:), thickness(:)   !< between mid-levels, of layers [m]
      integer, intent(in) :: base, top
      real(wp), intent(in) :: vertical_flux(:), interface_wind(:)   !< [kg m-2 s-1], [m s-1]
      real(wp), intent(out) :: force(:)
      real(wp) :: lower(size(force)), upper(size(force)), source(size(force)), ratio(size(force)), pressure(size(force))
      real(wp) :: pivot
      integer :: k, m, n

      n = size(force)
      source = 0.0_wp
      do k = base + 1, min(top, n - 1)
         source(k) = vertical_flux(k)*(interface_wind(k) - interface_wind(k - 1))/thickness(k)
      end do
      do k = 2, n - 1
         lower(k) = 1.0_wp/(spacing(k - 1)*thickness(k))
         upper(k) = 1.0_wp/(spacing(k)*thickness(k))
      end do
      lower(2) = 0.0_wp
      upper(n - 1) = 0.0_wp
      force = 0.0_wp
      do m = 1, modes
         ratio(1) = 0.0_wp
         pressure(1) = 0.0_wp
         do k = 2, n - 1
            pivot = 1.0_wp/(lower(k)*(1.0_wp - ratio(k - 1)) + upper(k) + (zeros(m)/disc)**2)
            ratio(k) = upper(k)*pivot
            pressure(k) = (lower(k)*pressure(k - 1) - source(k))*pivot
         end do
         do k = n - 2, 2, -1
            pressure(k) = pressure(k) + ratio(k)*pressure(k + 1)
         end do
         force(2:n - 1) = force(2:n - 1) + weights(m)*pressure(2:n - 1)
      end do
   end subroutine pressure_force
end module subgrid_mskf_momentum_dp
