!> WRF's door: MSKF_CPS and mskf_init with the argument names, order and intents of specification §3.17, in `match` mode.
!>
!> The single-precision twin is the one for WRF's default REAL. Tiles may be called from several threads at once. The
!> physical constants, the trigger option and the aerosol arguments are accepted and have no effect: the constants are
!> those of subgrid_mskf_constants, the trigger is inert in WRF too, and aercu_opt = 0 is the only aerosol option.
module subgrid_mskf_wrf_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_arrays_dp, only: batch_type
   use subgrid_mskf_batch_dp, only: prepare_thermodynamics, run_column
   use subgrid_mskf_column_dp, only: integers, point_at_column, profiles, scalars
   use subgrid_mskf_constants_dp, only: outcome_deep, outcome_held, outcome_shallow
   use subgrid_mskf_state_dp, only: allocate_workspace, workspace_type
   use subgrid_mskf_thermodynamics_dp, only: thermodynamics_type
   implicit none (type, external)
   private
   public :: mskf_cps, mskf_init

contains

   !> Convection in the columns of a tile; arrays are (i, k, j) with the lowest level at kts.
   subroutine mskf_cps(ids, ide, jds, jde, kds, kde, ims, ime, jms, jme, kms, kme, its, ite, jts, jte, kts, kte, trigger, &
      dt, ktau, dx, cudt, adapt_step_flag, rho, raincv, pratec, nca, u, v, th, t, w, dz8w, pcps, pi, w0avg, xlv0, xlv1, &
      xls0, xls1, cp, r, g, ep1, ep2, svp1, svp2, svp3, svpt0, stepcu, cu_act_flag, warm_rain, cutop, cubot, qv, f_qv, &
      f_qc, f_qr, f_qi, f_qs, rthcuten, rqvcuten, rqccuten, rqrcuten, rqicuten, rqscuten, rqvften, cldfra_dp_kf, &
      cldfra_sh_kf, qc_kf, qi_kf, qr_kf, qs_kf, nc_kf, ni_kf, nr_kf, ns_kf, ccn_kf, ainc_frac, udr_kf, ddr_kf, uer_kf, &
      der_kf, timec_kf, kf_edrates, zol, hfx, ust, pblh, aerocu, no_src_types_cu, aercu_fct, aercu_opt, efcs, efis, efss, &
      rucuten, rvcuten, xland)
      integer, intent(in) :: ids, ide, jds, jde, kds, kde, ims, ime, jms, jme, kms, kme, its, ite, jts, jte, kts, kte
      integer, intent(in) :: trigger, ktau, stepcu, kf_edrates, no_src_types_cu, aercu_opt
      real(wp), intent(in) :: dt, dx, cudt   !< [s], [m], [min]
      logical, intent(in), optional :: adapt_step_flag, f_qv, f_qc, f_qr, f_qi, f_qs
      logical, intent(in) :: warm_rain
      real(wp), intent(in) :: xlv0, xlv1, xls0, xls1, cp, r, g, ep1, ep2, svp1, svp2, svp3, svpt0, aercu_fct
      real(wp), dimension(ims:ime, kms:kme, jms:jme), intent(in) :: rho, u, v, th, t, w, dz8w, pcps, pi, qv
      real(wp), dimension(ims:ime, kms:kme, jms:jme), intent(inout) :: w0avg   !< [m s-1]
      real(wp), dimension(ims:ime, kms:kme, jms:jme), intent(inout) :: rthcuten, rqvcuten, rqccuten, rqrcuten, rqicuten, &
         rqscuten, rqvften, rucuten, rvcuten
      real(wp), dimension(ims:ime, kms:kme, jms:jme), intent(inout) :: cldfra_dp_kf, cldfra_sh_kf, qc_kf, qi_kf, qr_kf, &
         qs_kf, nc_kf, ni_kf, nr_kf, ns_kf, ccn_kf, udr_kf, ddr_kf, uer_kf, der_kf, efcs, efis, efss
      real(wp), dimension(ims:ime, jms:jme), intent(inout) :: raincv, pratec, nca, ainc_frac, timec_kf
      real(wp), dimension(ims:ime, jms:jme), intent(out) :: cutop, cubot
      real(wp), dimension(ims:ime, jms:jme), intent(in) :: zol, hfx, ust, pblh, xland
      logical, dimension(ims:ime, jms:jme), intent(inout) :: cu_act_flag
      real(wp), dimension(ims:ime, kms:kme, jms:jme, no_src_types_cu), intent(inout), optional :: aerocu
      type(thermodynamics_type), pointer :: thermo
      type(workspace_type), allocatable :: work
      type(batch_type) :: column
      real(wp), target :: profile(kte - kts + 2, profiles), scalar(scalars)
      integer, target :: whole(integers)
      integer :: i, j, n

      n = kte - kts + 1
      call prepare_thermodynamics(.false., thermo)
      allocate (work)
      call allocate_workspace(work, n)
      call point_at_column(n, profile, scalar, whole, column)
      whole(1:2) = [n, stepcu]
      whole(3:7) = merge(1, 0, [warm_rain, given(f_qr), given(f_qi), given(f_qs), set(adapt_step_flag)])
      do j = jts, jte
         do i = its, ite
            scalar = [dx, dt, cudt, ust(i, j), hfx(i, j), pblh(i, j), zol(i, j), raincv(i, j), pratec(i, j), nca(i, j), &
               0.0_wp, 0.0_wp, timec_kf(i, j)]
            profile(:n, 1:9) = gathered(t, qv, pcps, pi, rho, dz8w, u, v, w0avg)
            profile(:n + 1, 22) = w(i, kts:kte + 1, j)
            profile(:n, 10:17) = gathered_tendencies()
            call run_column(column, thermo, 1, work)
            call hand_over(i, j)
         end do
      end do

   contains

      function gathered(a1, a2, a3, a4, a5, a6, a7, a8, a9) result(values)
         real(wp), dimension(ims:ime, kms:kme, jms:jme), intent(in) :: a1, a2, a3, a4, a5, a6, a7, a8, a9
         real(wp) :: values(n, 9)

         values = reshape([a1(i, kts:kte, j), a2(i, kts:kte, j), a3(i, kts:kte, j), a4(i, kts:kte, j), &
            a5(i, kts:kte, j), a6(i, kts:kte, j), a7(i, kts:kte, j), a8(i, kts:kte, j), a9(i, kts:kte, j)], [n, 9])
      end function gathered

      function gathered_tendencies() result(values)
         real(wp) :: values(n, 8)

         values = reshape([rthcuten(i, kts:kte, j), rqvcuten(i, kts:kte, j), rqccuten(i, kts:kte, j), &
            rqrcuten(i, kts:kte, j), rqicuten(i, kts:kte, j), rqscuten(i, kts:kte, j), rucuten(i, kts:kte, j), &
            rvcuten(i, kts:kte, j)], [n, 8])
      end function gathered_tendencies

      !> A held column keeps everything but the running mean of w.
      subroutine hand_over(i, j)
         integer, intent(in) :: i, j

         w0avg(i, kts:kte, j) = profile(:n, 9)
         cu_act_flag(i, j) = whole(8) /= outcome_held
         if (whole(8) == outcome_held) return
         rthcuten(i, kts:kte, j) = profile(:n, 10)
         rqvcuten(i, kts:kte, j) = profile(:n, 11)
         rqccuten(i, kts:kte, j) = profile(:n, 12)
         rqrcuten(i, kts:kte, j) = profile(:n, 13)
         rqicuten(i, kts:kte, j) = profile(:n, 14)
         rqscuten(i, kts:kte, j) = profile(:n, 15)
         rucuten(i, kts:kte, j) = profile(:n, 16)
         rvcuten(i, kts:kte, j) = profile(:n, 17)
         cldfra_dp_kf(i, kts:kte, j) = profile(:n, 18)
         cldfra_sh_kf(i, kts:kte, j) = profile(:n, 19)
         qc_kf(i, kts:kte, j) = profile(:n, 20)
         qi_kf(i, kts:kte, j) = profile(:n, 21)
         raincv(i, j) = scalar(8)
         pratec(i, j) = scalar(9)
         nca(i, j) = scalar(10)
         cutop(i, j) = scalar(11) + real(kts - 1, wp)
         cubot(i, j) = scalar(12) + real(kts - 1, wp)
         timec_kf(i, j) = scalar(13)
         if (kf_edrates == 1) call hand_over_fluxes(i, j)
      end subroutine hand_over

      !> Entrainment and detrainment [kg s-1]; WRF's downdraft entrainment is negative.
      subroutine hand_over_fluxes(i, j)
         integer, intent(in) :: i, j
         logical :: active

         active = whole(8) == outcome_deep .or. whole(8) == outcome_shallow
         udr_kf(i, kts:kte, j) = 0.0_wp
         ddr_kf(i, kts:kte, j) = 0.0_wp
         uer_kf(i, kts:kte, j) = 0.0_wp
         der_kf(i, kts:kte, j) = 0.0_wp
         if (.not. active) return
         udr_kf(i, kts:kte, j) = work%closure%factor*work%up%detrained(:n)
         ddr_kf(i, kts:kte, j) = work%closure%factor*work%down%detrained(:n)
         uer_kf(i, kts:kte, j) = work%closure%factor*work%up%entrained(:n)
         der_kf(i, kts:kte, j) = -work%closure%factor*work%down%entrained(:n)
      end subroutine hand_over_fluxes
   end subroutine mskf_cps

   !> An absent species flag means that the species is there, an absent step flag that the step is fixed.
   pure logical function given(flag)
      logical, intent(in), optional :: flag

      given = .true.
      if (present(flag)) given = flag
   end function given

   pure logical function set(flag)
      logical, intent(in), optional :: flag

      set = .false.
      if (present(flag)) set = flag
   end function set

   !> Cold start: no tendencies, no running mean, nothing held; the look-up tables in any case.
   subroutine mskf_init(rthcuten, rqvcuten, rqccuten, rqrcuten, rqicuten, rqscuten, nca, w0avg, p_qi, p_qs, svp1, svp2, &
      svp3, svpt0, p_first_scalar, restart, allowed_to_read, ids, ide, jds, jde, kds, kde, ims, ime, jms, jme, kms, kme, &
      its, ite, jts, jte, kts, kte, rucuten, rvcuten)
      integer, intent(in) :: ids, ide, jds, jde, kds, kde, ims, ime, jms, jme, kms, kme, its, ite, jts, jte, kts, kte
      integer, intent(in) :: p_qi, p_qs, p_first_scalar
      logical, intent(in) :: restart, allowed_to_read
      real(wp), intent(in) :: svp1, svp2, svp3, svpt0
      real(wp), dimension(ims:ime, kms:kme, jms:jme), intent(inout) :: rthcuten, rqvcuten, rqccuten, rqrcuten, rqicuten, &
         rqscuten, w0avg, rucuten, rvcuten
      real(wp), dimension(ims:ime, jms:jme), intent(inout) :: nca
      type(thermodynamics_type), pointer :: thermo

      call prepare_thermodynamics(.false., thermo)
      if (restart) return
      rthcuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      rqvcuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      rqccuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      rqrcuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      if (p_qi >= p_first_scalar) rqicuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      if (p_qs >= p_first_scalar) rqscuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      rucuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      rvcuten(its:ite, kts:kte, jts:jte) = 0.0_wp
      w0avg(its:ite, kts:kte, jts:jte) = 0.0_wp
      nca(its:ite, jts:jte) = -100.0_wp
   end subroutine mskf_init
end module subgrid_mskf_wrf_dp
