!> The convection scheme from Fortran: thermodynamics, mixing, WRF's door against the batches, budgets, refusals.
module test_convection
   use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
   use subgrid_kinds, only: dp
   use subgrid_mskf_batch_dp, only: prepare_thermodynamics
   use subgrid_mskf_mixing_dp, only: mixing_integrals
   use subgrid_mskf_saturation_dp, only: saturate
   use subgrid_mskf_thermodynamics_dp, only: bolton_theta_e, log_inverse_pressure, saturation_mixing_ratio, thermodynamics_type
   use subgrid_mskf_wrf_dp, only: mskf_cps, mskf_init
   use subgrid_testing, only: check, check_close, new_case, test_case
   implicit none (type, external)
   private
   public :: collect

   integer, parameter :: nx = 4, nz = 40, ny = 2, halo = 2
   integer, parameter :: i0 = 1 - halo, i1 = nx + halo, j0 = 1 - halo, j1 = ny + halo

   !> A patch of WRF with halo: (i, k, j).
   type :: patch_type
      real(dp), dimension(i0:i1, nz + 1, j0:j1) :: t, qv, p, pi, rho, dz, u, v, w, w_mean, th
      real(dp), dimension(i0:i1, nz + 1, j0:j1) :: rth, rqv, rqc, rqr, rqi, rqs, ru, rv, deep, shallow, qc, qi, spare
      real(dp), dimension(i0:i1, nz + 1, j0:j1) :: udr, ddr, uer, der
      real(dp), dimension(i0:i1, j0:j1) :: raincv, pratec, nca, cutop, cubot, timec, zol, hfx, ust, pblh, land
      logical :: active(i0:i1, j0:j1)
   end type patch_type

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [new_case('saturation_inverts_theta_e', saturation_inverts_theta_e), &
         new_case('mixing_shares_are_complete', mixing_shares_are_complete), &
         new_case('moist_columns_convect_and_close_their_water', moist_columns_convect_and_close_their_water), &
         new_case('held_columns_and_halo_are_untouched', held_columns_and_halo_are_untouched), &
         new_case('a_bad_column_leaves_the_others_alone', a_bad_column_leaves_the_others_alone), &
         new_case('tiles_do_not_matter', tiles_do_not_matter), &
         new_case('a_wrong_rain_rate_is_noticed', a_wrong_rain_rate_is_noticed, should_fail=.true.)]
   end subroutine collect

   subroutine saturation_inverts_theta_e(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(thermodynamics_type), pointer :: clean, tables
      real(dp) :: p, log_p, t, q, expected, by_table
      integer :: i, k

      call prepare_thermodynamics(.true., clean)
      call prepare_thermodynamics(.false., tables)
      do k = 1, 10
         do i = 1, 12
            p = 1.0e4_dp*k
            expected = 300.0_dp + 5.0_dp*i
            log_p = log_inverse_pressure(p)
            call saturate(clean, p, log_p, expected, t, q)
            call check_close(failure, q/saturation_mixing_ratio(t, p), 1.0_dp, 1.0e-7_dp, 'saturated air')
            call check_close(failure, bolton_theta_e(log_p, t, saturation_mixing_ratio(t, p), t), expected, 1.0e-6_dp, &
               'θ_e of saturated air')
            call saturate(tables, p, log_p, expected, by_table, q)
            call check_close(failure, by_table, t, 2.0e-2_dp, 'the table interpolates the closed form')
         end do
      end do
   end subroutine saturation_inverts_theta_e

   subroutine mixing_shares_are_complete(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(dp) :: entrained, detrained, e, d
      integer :: i

      do i = 0, 20
         call mixing_integrals(.true., 0.05_dp*i, entrained, detrained)
         call mixing_integrals(.true., 1.0_dp - 0.05_dp*i, e, d)
         call check_close(failure, entrained, d, 1.0e-6_dp, 'E(f) = D(1 - f)')
         call mixing_integrals(.false., 0.05_dp*i, e, d)
         call check_close(failure, e, entrained, 2.0e-5_dp, 'the rational error function is near the exact one')
         call check(failure, entrained >= -1.0e-6_dp .and. entrained <= 1.0_dp + 1.0e-6_dp, 'a share is a share')
      end do
   end subroutine mixing_shares_are_complete

   subroutine moist_columns_convect_and_close_their_water(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(patch_type), allocatable :: patch
      real(dp) :: budget, total
      integer :: i, j

      allocate (patch)
      call prepare(patch)
      call run(patch, 1, nx, 1, ny)
      do j = 1, ny
         do i = 1, nx
            call check(failure, patch%cutop(i, j) > patch%cubot(i, j), 'the moist tropical column convects')
            budget = sum((patch%rqv(i, :nz, j) + patch%rqc(i, :nz, j) + patch%rqr(i, :nz, j) + patch%rqi(i, :nz, j) &
               + patch%rqs(i, :nz, j))*patch%rho(i, :nz, j)*patch%dz(i, :nz, j)) + patch%pratec(i, j)
            total = sum(abs(patch%rqv(i, :nz, j))*patch%rho(i, :nz, j)*patch%dz(i, :nz, j))
            call check_close(failure, budget/total, 0.0_dp, 1.0e-8_dp, 'water that leaves the vapour rains or stays')
            call check(failure, patch%nca(i, j) > 0, 'the tendencies stay in force')
            call check(failure, maxval(patch%uer(i, :nz, j)) > 0, 'entrainment is reported')
         end do
      end do
   end subroutine moist_columns_convect_and_close_their_water

   subroutine held_columns_and_halo_are_untouched(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(patch_type), allocatable :: patch

      allocate (patch)
      call prepare(patch)
      patch%rth = 7.0_dp
      patch%nca(2, 1) = 600.0_dp
      call run(patch, 1, nx, 1, ny)
      call check(failure, .not. patch%active(2, 1) .and. patch%active(1, 1), 'CU_ACT_FLAG tells held from computed')
      call check(failure, all(abs(patch%rth(2, :, 1) - 7.0_dp) < 1.0e-15_dp), 'a held column keeps its tendencies')
      call check(failure, all(abs(patch%rth(i0:0, :, :) - 7.0_dp) < 1.0e-15_dp), 'the western halo is untouched')
      call check(failure, all(abs(patch%rth(:, :, ny + 1:) - 7.0_dp) < 1.0e-15_dp), 'the northern halo is untouched')
      call check(failure, all(abs(patch%rth(:, nz + 1, :) - 7.0_dp) < 1.0e-15_dp), 'the level above is untouched')
   end subroutine held_columns_and_halo_are_untouched

   subroutine a_bad_column_leaves_the_others_alone(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(patch_type), allocatable :: patch, good

      allocate (patch, good)
      call prepare(patch)
      call prepare(good)
      patch%t(3, 5, 2) = ieee_value(1.0_dp, ieee_quiet_nan)
      call run(patch, 1, nx, 1, ny)
      call run(good, 1, nx, 1, ny)
      call check(failure, all(abs(patch%rth(3, :nz, 2)) <= 0.0_dp), 'the column with a NaN rests')
      call check(failure, all(abs(patch%rth(1:2, :nz, :) - good%rth(1:2, :nz, :)) <= 0.0_dp), 'its neighbours do not notice')
   end subroutine a_bad_column_leaves_the_others_alone

   subroutine tiles_do_not_matter(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(patch_type), allocatable :: whole, tiled

      allocate (whole, tiled)
      call prepare(whole)
      call prepare(tiled)
      call run(whole, 1, nx, 1, ny)
      call run_rows_in_parallel(tiled)
      call check(failure, all(abs(whole%rth - tiled%rth) <= 0.0_dp), 'θ tendencies are the same to the last bit')
      call check(failure, all(abs(whole%pratec - tiled%pratec) <= 0.0_dp), 'so is the rain')
   end subroutine tiles_do_not_matter

   !> Two tiles a row, the rows on several threads.
   subroutine run_rows_in_parallel(patch)
      type(patch_type), intent(inout) :: patch
      integer :: j

      !$omp parallel do default(none) shared(patch) private(j)
      do j = 1, ny
         call run(patch, 1, 1, j, j)
         call run(patch, 2, nx, j, j)
      end do
      !$omp end parallel do
   end subroutine run_rows_in_parallel

   subroutine a_wrong_rain_rate_is_noticed(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(patch_type), allocatable :: patch

      allocate (patch)
      call prepare(patch)
      call run(patch, 1, nx, 1, ny)
      call check_close(failure, patch%raincv(1, 1), 61.0_dp*patch%pratec(1, 1), 1.0e-12_dp, 'RAINCV is dt PRATEC')
   end subroutine a_wrong_rain_rate_is_noticed

   !> A moist tropical sounding with shear; columns differ a little.
   subroutine prepare(patch)
      type(patch_type), intent(inout) :: patch
      real(dp) :: above, p, t, es, height
      integer :: i, j, k

      call mskf_init(patch%rth, patch%rqv, patch%rqc, patch%rqr, patch%rqi, patch%rqs, patch%nca, patch%w_mean, 2, 3, &
         0.6112_dp, 17.67_dp, 29.65_dp, 273.15_dp, 2, .false., .true., 1, nx, 1, ny, 1, nz, i0, i1, j0, j1, 1, nz + 1, &
         i0, i1, j0, j1, 1, nz + 1, patch%ru, patch%rv)
      do j = j0, j1
         do i = i0, i1
            height = 0.0_dp
            above = 1.0e5_dp
            do k = 1, nz + 1
               p = above - 0.5_dp*2.3e3_dp
               t = max(200.0_dp, 300.0_dp + 0.3_dp*i - 6.6e-3_dp*height)
               es = 611.2_dp*exp(17.67_dp*(t - 273.15_dp)/(t - 29.65_dp))
               patch%p(i, k, j) = p
               patch%t(i, k, j) = t
               patch%qv(i, k, j) = 0.622_dp*es/(p - es)*max(0.3_dp, 0.9_dp - height/2.0e4_dp)
               patch%pi(i, k, j) = (p/1.0e5_dp)**(287.0_dp/1004.5_dp)
               patch%rho(i, k, j) = p/(287.0_dp*t*(1.0_dp + 0.608_dp*patch%qv(i, k, j)))
               patch%dz(i, k, j) = 2.3e3_dp/(patch%rho(i, k, j)*9.81_dp)
               patch%u(i, k, j) = 3.0_dp + 1.0e-3_dp*height + j
               height = height + patch%dz(i, k, j)
               above = above - 2.3e3_dp
            end do
         end do
      end do
      patch%th = patch%t/patch%pi
      patch%v = 1.0_dp
      patch%w = 0.05_dp
      patch%w_mean = 0.05_dp
      patch%hfx = 100.0_dp
      patch%ust = 0.3_dp
      patch%pblh = 800.0_dp
      patch%zol = -1.0_dp
      patch%land = 1.0_dp
      patch%raincv = 0.0_dp
      patch%pratec = 0.0_dp
      patch%timec = 0.0_dp
      patch%spare = 0.0_dp
      patch%active = .true.
   end subroutine prepare

   !> MSKF_CPS on one tile, with WRF's constants.
   subroutine run(patch, its, ite, jts, jte)
      type(patch_type), intent(inout) :: patch
      integer, intent(in) :: its, ite, jts, jte

      call mskf_cps(1, nx + 1, 1, ny + 1, 1, nz + 1, i0, i1, j0, j1, 1, nz + 1, its, ite, jts, jte, 1, nz, 1, &
         60.0_dp, 1, 9.0e3_dp, 5.0_dp, .false., patch%rho, patch%raincv, patch%pratec, patch%nca, patch%u, patch%v, &
         patch%th, patch%t, patch%w, patch%dz, patch%p, patch%pi, patch%w_mean, 3.15e6_dp, 2370.0_dp, 2.905e6_dp, &
         259.532_dp, 1004.5_dp, 287.0_dp, 9.81_dp, 0.6084_dp, 0.6217_dp, 0.6112_dp, 17.67_dp, 29.65_dp, 273.15_dp, 5, &
         patch%active, .false., patch%cutop, patch%cubot, patch%qv, .true., .true., .true., .true., .true., patch%rth, &
         patch%rqv, patch%rqc, patch%rqr, patch%rqi, patch%rqs, patch%spare, patch%deep, patch%shallow, patch%qc, &
         patch%qi, patch%spare, patch%spare, patch%spare, patch%spare, patch%spare, patch%spare, patch%spare, &
         patch%land, patch%udr, patch%ddr, patch%uer, patch%der, patch%timec, 1, patch%zol, patch%hfx, patch%ust, &
         patch%pblh, no_src_types_cu=0, aercu_fct=1.0_dp, aercu_opt=0, efcs=patch%spare, efis=patch%spare, &
         efss=patch%spare, rucuten=patch%ru, rvcuten=patch%rv, xland=patch%land)
   end subroutine run
end module test_convection
