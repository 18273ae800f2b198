!> WRF's look-up tables of moist thermodynamics (specification §3.0), built once per process.
module subgrid_mskf_tables_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_thermodynamics_dp, only: bolton_theta_e, log_inverse_pressure, saturation_mixing_ratio, table_coldest, &
      table_log_start, table_log_step, table_logs, table_pressure_step, table_pressures, table_theta_step, table_thetas, &
      table_top, thermodynamics_type
   implicit none (type, external)
   private
   public :: build_tables

contains

   !> Fill the tables of saturated temperature, mixing ratio and logarithm.
   pure subroutine build_tables(thermo)
      type(thermodynamics_type), intent(out) :: thermo
      real(wp) :: p
      integer :: i, j, n

      allocate (thermo%t(table_thetas, table_pressures), thermo%q(table_thetas, table_pressures))
      allocate (thermo%coldest(table_pressures), thermo%log_e(table_logs))
      thermo%tabulated = .true.
      thermo%log_e = [(log(table_log_start + real(n, wp)*table_log_step), n=0, table_logs - 1)]
      do i = 1, table_pressures
         p = table_top + real(i - 1, wp)*table_pressure_step
         thermo%coldest(i) = saturated_theta_e(table_coldest, p)
         thermo%t(1, i) = table_coldest
         do j = 2, table_thetas
            thermo%t(j, i) = inverse(p, thermo%coldest(i) + real(j - 1, wp)*table_theta_step, thermo%t(j - 1, i))
         end do
         thermo%q(:, i) = saturation_mixing_ratio(thermo%t(:, i), p)
      end do
   end subroutine build_tables

   !> θ_e of saturated air [K].
   pure real(wp) function saturated_theta_e(t, p)
      real(wp), intent(in) :: t, p   !< [K], [Pa]

      saturated_theta_e = bolton_theta_e(log_inverse_pressure(p), t, saturation_mixing_ratio(t, p), t)
   end function saturated_theta_e

   !> Temperature [K] of saturated air of the given θ_e, by the secant method from the neighbouring entry.
   pure real(wp) function inverse(p, theta_e, guess)
      real(wp), intent(in) :: p, theta_e, guess   !< [Pa], [K], [K]
      real(wp), parameter :: tolerance = 1.0e-3_wp
      integer, parameter :: most_steps = 11
      real(wp) :: t0, t1, f0, f1, step
      integer :: n

      t0 = guess
      f0 = saturated_theta_e(t0, p) - theta_e
      t1 = t0 - 0.5_wp*f0
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
