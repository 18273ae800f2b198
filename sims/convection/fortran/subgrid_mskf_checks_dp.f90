!> Is a column fit for the scheme? One status per column; Python's sims/convection/status.py has the sentences.
module subgrid_mskf_checks_dp
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use subgrid_kinds, only: wp => dp
   implicit none (type, external)
   private
   public :: check_levels, check_profiles, check_scalars, finite_profile

   integer, parameter, public :: column_good = 0
   integer, parameter, public :: column_levels = 1        !< fewer than 3 levels, or more than the arrays hold
   integer, parameter, public :: column_not_finite = 2    !< NaN or infinity
   integer, parameter, public :: column_pressure = 3      !< not within 1 Pa … 150 kPa or not decreasing upward
   integer, parameter, public :: column_temperature = 4   !< not within 100 … 400 K (in degrees Celsius?)
   integer, parameter, public :: column_thickness = 5     !< layer thickness not within 0.01 m … 30 km
   integer, parameter, public :: column_density = 6       !< density not within 1e-5 … 10 kg m-3
   integer, parameter, public :: column_moisture = 7      !< mixing ratio not within -0.01 … 0.2 kg kg-1
   integer, parameter, public :: column_wind = 8          !< wind above 1000 m s-1, or w above 200 m s-1
   integer, parameter, public :: column_exner = 9         !< Exner function not within 0.01 … 2
   integer, parameter, public :: column_scalar = 10       !< dx, dt, cudt, stepcu or a surface value out of range
   integer, parameter, public :: column_result = 11       !< the scheme left the finite numbers; the column is set to rest
   integer, parameter, public :: column_mass = 12         !< pressures that are not those of the layers' mass (in hPa?)

   real(wp), parameter :: g = 9.81_wp                     !< m s-2
   real(wp), parameter :: mass_factor = 10                !< by which pressures and mass may disagree: units, not accuracy

contains

   !> Does the column have a usable number of levels?
   pure integer function check_levels(levels, capacity)
      integer, intent(in) :: levels, capacity

      check_levels = column_good
      if (levels < 3 .or. levels > capacity) check_levels = column_levels
   end function check_levels

   !> All values finite. Counted, here and below: a loop that may stop early cannot become a vector loop.
   pure logical function finite_profile(x)
      real(wp), intent(in) :: x(:)

      finite_profile = count(ieee_is_finite(x)) == size(x)
   end function finite_profile

   !> Profiles of one column, lowest level first.
   pure integer function check_profiles(t, qv, p, exner, rho, thickness, u, v, w, w_mean)
      real(wp), intent(in) :: t(:), qv(:)             !< [K], [kg kg-1]
      real(wp), intent(in) :: p(:), exner(:), rho(:)  !< [Pa], [1], [kg m-3]
      real(wp), intent(in) :: thickness(:)            !< [m]
      real(wp), intent(in) :: u(:), v(:), w(:), w_mean(:)  !< [m s-1]; w at the interfaces
      integer :: n

      n = size(p)
      if (.not. (finite_profile(t) .and. finite_profile(qv) .and. finite_profile(p) .and. finite_profile(exner) &
         .and. finite_profile(rho) .and. finite_profile(thickness) .and. finite_profile(u) .and. finite_profile(v) &
         .and. finite_profile(w) .and. finite_profile(w_mean))) then
         check_profiles = column_not_finite
      else if (outside(p, 1.0_wp, 1.5e5_wp) .or. count(p(2:) >= p(:n - 1)) > 0) then
         check_profiles = column_pressure
      else if (outside(t, 100.0_wp, 400.0_wp)) then
         check_profiles = column_temperature
      else if (outside(thickness, 0.01_wp, 3.0e4_wp)) then
         check_profiles = column_thickness
      else if (outside(rho, 1.0e-5_wp, 10.0_wp)) then
         check_profiles = column_density
      else if (outside(qv, -0.01_wp, 0.2_wp)) then
         check_profiles = column_moisture
      else if (outside(u, -1.0e3_wp, 1.0e3_wp) .or. outside(v, -1.0e3_wp, 1.0e3_wp) &
         .or. outside(w, -200.0_wp, 200.0_wp) .or. outside(w_mean, -200.0_wp, 200.0_wp)) then
         check_profiles = column_wind
      else if (outside(exner, 0.01_wp, 2.0_wp)) then
         check_profiles = column_exner
      else if (outside([g*sum(rho(2:n - 1)*thickness(2:n - 1))], (p(2) - p(n - 1))/mass_factor, (p(1) - p(n))*mass_factor)) then
         check_profiles = column_mass
      else
         check_profiles = column_good
      end if
   end function check_profiles

   !> Scalars of one column.
   pure integer function check_scalars(dx, dt, cudt, stepcu, nca, ust, hfx, pblh, zol)
      real(wp), intent(in) :: dx, dt, cudt        !< [m], [s], [min]
      integer, intent(in) :: stepcu               !< steps between calls
      real(wp), intent(in) :: nca                 !< [s]
      real(wp), intent(in) :: ust, hfx, pblh, zol !< [m s-1], [W m-2], [m], [1]

      check_scalars = column_good
      if (.not. finite_profile([dx, dt, cudt, nca, ust, hfx, pblh, zol])) then
         check_scalars = column_not_finite
      else if (outside([dx], 10.0_wp, 1.0e7_wp) .or. outside([dt], 1.0e-3_wp, 8.64e4_wp) &
         .or. outside([cudt], 0.0_wp, 1.0e5_wp) .or. stepcu < 1 .or. outside([ust], 0.0_wp, 100.0_wp) &
         .or. outside([hfx], -1.0e4_wp, 1.0e4_wp) .or. outside([pblh], 0.0_wp, 3.0e4_wp) &
         .or. outside([zol], -1.0e6_wp, 1.0e6_wp)) then
         check_scalars = column_scalar
      end if
   end function check_scalars

   !> Is any value outside [low, high]?
   pure logical function outside(x, low, high)
      real(wp), intent(in) :: x(:), low, high

      outside = count(x < low .or. x > high) > 0
   end function outside
end module subgrid_mskf_checks_dp
