!> WRF's look-up tables of moist thermodynamics (specification §3.0), built once per process, in double precision for either kind:
!> what a search in single precision leaves open would enter every difference of temperatures.
module subgrid_mskf_tables_dp
   use subgrid_kinds, only: wp => dp, wide => dp
   use subgrid_mskf_thermodynamics_dp, only: table_coldest, table_log_start, table_log_step, table_logs, table_pressures, &
      table_theta_step, table_thetas, thermodynamics_type
   implicit none (type, external)
   private
   public :: build_tables

contains

   !> Fill the tables of saturated temperature, mixing ratio and logarithm.
   pure subroutine build_tables(thermo)
      type(thermodynamics_type), intent(out) :: thermo
      real(wide) :: p, coldest, t
      integer :: i, j, n

      allocate (thermo%t(table_thetas, table_pressures), thermo%q(table_thetas, table_pressures))
      allocate (thermo%coldest(table_pressures), thermo%log_e(table_logs))
      thermo%tabulated = .true.
      thermo%log_e = [(log(table_log_start + real(n, wp)*table_log_step), n=0, table_logs - 1)]
      do i = 1, table_pressures
         p = 5.0e3_wide + real(i - 1, wide)*(1.05e5_wide/219.0_wide)
         t = real(table_coldest, wide)
         coldest = saturated_theta_e(t, p)
         thermo%coldest(i) = real(coldest, wp)
         do j = 1, table_thetas
            if (j > 1) t = inverse(p, coldest + real(j - 1, wide)*real(table_theta_step, wide), t)
            thermo%t(j, i) = real(t, wp)
            thermo%q(j, i) = real(saturated_mixing_ratio(t, p), wp)
         end do
      end do
   end subroutine build_tables

   !> Mixing ratio of saturated air [kg kg-1].
   pure real(wide) function saturated_mixing_ratio(t, p)
      real(wide), intent(in) :: t, p   !< [K], [Pa]
      real(wide) :: e

      e = min(611.2_wide*exp(17.67_wide*(t - 273.15_wide)/(t - 29.65_wide)), 0.9_wide*p)
      saturated_mixing_ratio = 0.622_wide*e/(p - e)
   end function saturated_mixing_ratio

   !> θ_e of saturated air [K].
   pure real(wide) function saturated_theta_e(t, p)
      real(wide), intent(in) :: t, p   !< [K], [Pa]
      real(wide) :: q

      q = saturated_mixing_ratio(t, p)
      saturated_theta_e = t*exp(0.2854_wide*(1.0_wide - 0.28_wide*q)*log(1.0e5_wide/p) &
         + (3374.6525_wide/t - 2.5403_wide)*q*(1.0_wide + 0.81_wide*q))
   end function saturated_theta_e

   !> Temperature [K] of saturated air of the given θ_e, by the secant method from the neighbouring entry.
   pure real(wide) function inverse(p, theta_e, guess)
      real(wide), intent(in) :: p, theta_e, guess   !< [Pa], [K], [K]
      real(wide), parameter :: tolerance = 1.0e-3_wide
      integer, parameter :: most_steps = 11
      real(wide) :: t0, t1, f0, f1, step
      integer :: n

      t0 = guess
      f0 = saturated_theta_e(t0, p) - theta_e
      t1 = t0 - 0.5_wide*f0
      do n = 1, most_steps
         f1 = saturated_theta_e(t1, p) - theta_e
         if (abs(f1) < tolerance) exit
         step = f1*(t1 - t0)/(f1 - f0)
         t0 = t1
         f0 = f1
         t1 = t1 - step
      end do
      inverse = t1
   end function inverse
end module subgrid_mskf_tables_dp
