!> Pressure force of a cloud's surroundings upon its wind (specification §3.13; Zhang and Cho 1991).
!>
!> A cloud of radius R_c = 3 km stands in a disc of R_m = 50 km. The perturbation pressure is expanded in ten Bessel modes
!> with J1(τ_n) = 0; each obeys, with vanishing slopes at the ends,
!>    π_n'' - (τ_n/R_m)² π_n = F_n,   and the force upon the cloud is   ρ P = A Σ_n J1(τ_n ε)/R_c π_n,   ε = R_c/R_m.
!> F_n is a sum of sources S(z), each with weights of the modes of its own, here times J1(τ_n ε)/R_c:
!>    shear of the environment  4/R_m² [J1(τ_n ε)/J0(τ_n)]²,   dipole  2 J1(τ_n ε) α1_n/[R_c J0(τ_n)²],
!>    divergence  2 J1(τ_n ε) (α2_n - α1_n)/[R_c J0(τ_n)²],
!>    α1_n = ∫₀^ε J1(χx/ε) J1(τ_n x) x dx,   α2_n = ∫₀^ε (χx/ε) J0(χx/ε) J1(τ_n x) x dx,   χ = 3.8317.
module subgrid_mskf_pressure_dp
   use subgrid_kinds, only: wp => dp
   implicit none (type, external)
   private
   public :: pressure_force, cloud_radius, first_zero

   integer, parameter :: modes = 10
   real(wp), parameter :: cloud_radius = 3.0e3_wp   !< R_c [m]
   real(wp), parameter :: disc = 50.0e3_wp          !< R_m [m]
   real(wp), parameter :: radius_ratio = cloud_radius/disc   !< ε [1]
   real(wp), parameter :: first_zero = 3.8317_wp    !< χ, of J1 [1]
   real(wp), parameter :: zeros(modes) = [3.8317059702075125_wp, 7.015586669815619_wp, 10.173468135062722_wp, &
      13.323691936314223_wp, 16.470630050877634_wp, 19.615858510468243_wp, 22.760084380592772_wp, &
      25.903672087618382_wp, 29.046828534916855_wp, 32.18967991097441_wp]   !< τ_n
   real(wp), parameter :: alpha1(modes) = [4.336758537583e-05_wp, 7.884273699287e-05_wp, 1.130642729195e-04_wp, &
      1.458356000147e-04_wp, 1.768240467618e-04_wp, 2.056939371882e-04_wp, 2.321341119846e-04_wp, &
      2.558688743927e-04_wp, 2.766642970962e-04_wp, 2.943324579851e-04_wp]
   real(wp), parameter :: alpha2(modes) = [-8.647324053510e-05_wp, -1.560913903849e-04_wp, -2.213148196829e-04_wp, &
      -2.809952879664e-04_wp, -3.338007614980e-04_wp, -3.785044807244e-04_wp, -4.140595880206e-04_wp, &
      -4.396367190020e-04_wp, -4.546479662436e-04_wp, -4.587620110160e-04_wp]
   real(wp), parameter :: decay(modes) = (zeros/disc)**2   !< [m-2]
   real(wp), parameter :: weight(modes) = 2.0_wp*bessel_j1(zeros*radius_ratio)/(cloud_radius*bessel_j0(zeros)**2)
   real(wp), parameter :: shear_weight(modes) = 4.0_wp/disc**2*(bessel_j1(zeros*radius_ratio)/bessel_j0(zeros))**2
   real(wp), parameter :: dipole_weight(modes) = weight*alpha1
   real(wp), parameter :: divergence_weight(modes) = weight*(alpha2 - alpha1)
   !> Share with which each mode enters the sum: all of it, or what WRF's rounded tables make of 2/J0(τ_n)². The latter was found
   !> by regression on clouds without downdraft; half of them give the others' wind tendencies to 1e-9, and clouds with one,
   !> where the modes have other sources too, to 1e-5.
   real(wp), parameter, public :: exact_share(modes) = 1.0_wp
   real(wp), parameter, public :: wrf_share(modes) = 1.0_wp + 1.0e-4_wp*[0.0415_wp, -0.3249_wp, 0.9540_wp, -3.4011_wp, &
      11.3178_wp, 6.2841_wp, 1.9662_wp, 9.0727_wp, -39.8102_wp, 19.4650_wp]

contains

   !> ρ P/A along both wind components. Sources act on the levels first … last, where alone the force is wanted; the
   !> tridiagonal systems reach over the levels 2 … n - 1.
   pure subroutine pressure_force(share, spacing, thickness, first, last, shear, dipole, divergence, direction, force)
      real(wp), intent(in) :: share(modes)                  !< of each mode [1]
      real(wp), intent(in) :: spacing(:), thickness(:)      !< between mid-levels, of layers [m]
      integer, intent(in) :: first, last                    !< 2 <= first <= last <= n - 1
      real(wp), intent(in) :: shear(:, :)                   !< (2, n) source along each component
      real(wp), intent(in) :: dipole(:), divergence(:)      !< (n) sources along the mean wind
      real(wp), intent(in) :: direction(2)                  !< unit vector of the mean wind [1]
      real(wp), intent(out) :: force(:, :)                  !< (2, n)
      real(wp) :: ratio(modes, size(thickness)), first_part(modes, size(thickness)), second_part(modes, size(thickness))
      real(wp), dimension(modes) :: pivot, dipole_part
      real(wp) :: lower, upper
      integer :: k, n

      n = size(thickness)
      force = 0.0_wp
      ratio(:, 1) = 0.0_wp
      first_part(:, first - 1) = 0.0_wp
      second_part(:, first - 1) = 0.0_wp
      do k = 2, n - 1
         lower = 0.0_wp
         upper = 0.0_wp
         if (k > 2) lower = 1.0_wp/(spacing(k - 1)*thickness(k))
         if (k < n - 1) upper = 1.0_wp/(spacing(k)*thickness(k))
         pivot = 1.0_wp/(lower*(1.0_wp - ratio(:, k - 1)) + upper + decay)
         ratio(:, k) = upper*pivot
         if (k < first) cycle
         first_part(:, k) = lower*first_part(:, k - 1)
         second_part(:, k) = lower*second_part(:, k - 1)
         if (k <= last) then
            dipole_part = dipole_weight*dipole(k) + divergence_weight*divergence(k)
            first_part(:, k) = first_part(:, k) - shear_weight*shear(1, k) - dipole_part*direction(1)
            second_part(:, k) = second_part(:, k) - shear_weight*shear(2, k) - dipole_part*direction(2)
         end if
         first_part(:, k) = first_part(:, k)*pivot
         second_part(:, k) = second_part(:, k)*pivot
      end do
      do k = n - 1, first, -1
         if (k < n - 1) then
            first_part(:, k) = first_part(:, k) + ratio(:, k)*first_part(:, k + 1)
            second_part(:, k) = second_part(:, k) + ratio(:, k)*second_part(:, k + 1)
         end if
         if (k > last) cycle
         force(1, k) = sum(share*first_part(:, k))
         force(2, k) = sum(share*second_part(:, k))
      end do
   end subroutine pressure_force
end module subgrid_mskf_pressure_dp
