!> Buoyancy sorting at the edge of the updraft (specification §3.4, steps 6 and 7; Kain and Fritsch 1990).
!>
!> Mixtures of environment (fraction f) and updraft (1 - f) occur with the density
!>    G(f) = exp[-18 (f - 1/2)^2] - exp(-4.5).
!> Those with f below the neutrally buoyant fraction f_c join the updraft, the rest leaves it:
!>    E(f_c) = 1/N ∫_0^{f_c} f G df,     D(f_c) = 1/N ∫_{f_c}^1 (1 - f) G df,     E(1) = D(0) = 1.
module subgrid_mskf_mixing_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: virtual_factor
   use subgrid_mskf_saturation_dp, only: adjust_saturation
   use subgrid_mskf_thermodynamics_dp, only: thermodynamics_type
   implicit none (type, external)
   private
   public :: sort_mixtures, mixing_integrals, loaded_virtual_temperature

   real(wp), parameter :: root_two_pi = 2.506628_wp

contains

   !> Entrainment and detrainment shares of a positively buoyant updraft at one level.
   pure subroutine sort_mixtures(thermo, p, log_p, environment, updraft, tv_env, tv_updraft, entrained, detrained)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p           !< [Pa], ln(1e5/p) [1]
      real(wp), intent(in) :: environment(2)     !< θ_e [K], q [kg kg-1]
      real(wp), intent(in) :: updraft(4)         !< θ_e [K], q, liquid, ice [kg kg-1]
      real(wp), intent(in) :: tv_env, tv_updraft !< virtual temperatures, the updraft's with its load [K]
      real(wp), intent(out) :: entrained, detrained   !< E, D [1]
      real(wp) :: tv, fraction

      entrained = 1.0_wp
      detrained = 0.0_wp
      tv = mixture_virtual_temperature(thermo, p, log_p, environment, updraft, 0.95_wp)
      if (tv > tv_env) return
      tv = mixture_virtual_temperature(thermo, p, log_p, environment, updraft, 0.1_wp)
      if (abs(tv - tv_updraft) < 1.0e-3_wp) return
      fraction = max(0.0_wp, min(1.0_wp, 0.1_wp*(tv_env - tv_updraft)/(tv - tv_updraft)))
      call mixing_integrals(.not. thermo%tabulated, fraction, entrained, detrained)
   end subroutine sort_mixtures

   !> Loaded virtual temperature of a mixture with the fraction f of environmental air [K].
   pure real(wp) function mixture_virtual_temperature(thermo, p, log_p, environment, updraft, f)
      type(thermodynamics_type), intent(in) :: thermo
      real(wp), intent(in) :: p, log_p, environment(2), updraft(4), f   !< as in sort_mixtures
      real(wp) :: t, q, liquid, ice, fresh

      q = updraft(2) + f*(environment(2) - updraft(2))
      liquid = (1.0_wp - f)*updraft(3)
      ice = (1.0_wp - f)*updraft(4)
      call adjust_saturation(thermo, p, log_p, updraft(1) + f*(environment(1) - updraft(1)), t, q, liquid, ice, fresh)
      mixture_virtual_temperature = loaded_virtual_temperature(t, q, liquid, ice)
   end function mixture_virtual_temperature

   !> T (1 + 0.608 q - l - i) [K].
   elemental pure real(wp) function loaded_virtual_temperature(t, q, liquid, ice)
      real(wp), intent(in) :: t, q, liquid, ice   !< [K], [kg kg-1]

      loaded_virtual_temperature = t + t*(virtual_factor*q - liquid - ice)
   end function loaded_virtual_temperature

   !> E(f_c) and D(f_c). With y = 6 f - 3 and Φ the error integral,
   !>    N E = √(2π)/12 [Φ(y) - Φ(-3)] + (e^{-9/2} - e^{-y²/2})/36 - e^{-9/2} f²/2,  and D(f) = E(1 - f) by symmetry.
   pure subroutine mixing_integrals(exact, f, entrained, detrained)
      logical, intent(in) :: exact   !< the error function itself instead of WRF's rational approximation
      real(wp), intent(in) :: f      !< critical fraction [1]
      real(wp), intent(out) :: entrained, detrained   !< [1]
      real(wp), parameter :: edge = exp(-4.5_wp), norm = 0.202765151_wp
      real(wp), parameter :: half_area = 0.5_wp*sqrt(8.0_wp*atan(1.0_wp)), edge_area = half_area*erf(3.0_wp/sqrt(2.0_wp))
      real(wp) :: y, bell, core, above, below

      if (f >= 1.0_wp) then
         entrained = 1.0_wp
         detrained = 0.0_wp
         return
      else if (f <= 0.0_wp) then
         entrained = 0.0_wp
         detrained = 1.0_wp
         return
      end if
      y = abs(6.0_wp*f - 3.0_wp)
      bell = exp(-0.5_wp*y**2)
      if (exact) then   ! areas under the bell from -3 to y and from -3 to -y
         core = half_area*erf(y/sqrt(2.0_wp))
         above = edge_area + core
         below = edge_area - core
      else
         below = bell*tail_series(y) - edge*tail_series(3.0_wp)
         above = root_two_pi - edge*tail_series(3.0_wp) - bell*tail_series(y)
      end if
      entrained = above
      detrained = below
      if (f < 0.5_wp) then
         entrained = below
         detrained = above
      end if
      entrained = (entrained/12.0_wp + (edge - bell)/36.0_wp - 0.5_wp*edge*f**2)/norm
      detrained = (detrained/12.0_wp + (edge - bell)/36.0_wp - 0.5_wp*edge*(1.0_wp - f)**2)/norm
   end subroutine mixing_integrals

   !> Abramowitz and Stegun 26.2.16: the Gaussian tail ∫_y^∞ e^{-s²/2} ds is e^{-y²/2} times this, y >= 0.
   pure real(wp) function tail_series(y)
      real(wp), intent(in) :: y   !< [1]
      real(wp) :: t

      t = 1.0_wp/(1.0_wp + 0.33267_wp*y)
      tail_series = t*(0.4361836_wp + t*(-0.1201676_wp + t*0.9372980_wp))
   end function tail_series
end module subgrid_mskf_mixing_dp
