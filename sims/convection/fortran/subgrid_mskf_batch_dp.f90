!> Front end over batches of columns: checks, hold by NCA, running mean of w, OpenMP over columns, answers by column.
!> A column's answer depends on that column alone, bit for bit.
module subgrid_mskf_batch_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_arrays_dp, only: batch_type, complete_column, enter_column, load_environment, store_result
   use subgrid_mskf_checks_dp, only: check_levels, check_profiles, check_scalars, column_good, column_result, finite_profile
   use subgrid_mskf_cloud_dp, only: clear_result, species_type
   use subgrid_mskf_constants_dp, only: outcome_held, outcome_refused
   use subgrid_mskf_scheme_dp, only: convect, running_mean_w
   use subgrid_mskf_state_dp, only: allocate_workspace, result_type, workspace_type
   use subgrid_mskf_tables_dp, only: build_tables
   use subgrid_mskf_thermodynamics_dp, only: thermodynamics_type
   implicit none (type, external)
   private
   public :: run_batch, run_column, prepare_thermodynamics

   type(thermodynamics_type), allocatable, save, target :: tables   ! built once, then read only
   type(thermodynamics_type), save, target :: closed_form

contains

   !> The thermodynamics of a mode; the tables are built at the first use.
   subroutine prepare_thermodynamics(clean, thermo)
      logical, intent(in) :: clean
      type(thermodynamics_type), pointer, intent(out) :: thermo

      !$omp critical (subgrid_mskf_tables_dp)
      if (.not. allocated(tables)) then
         allocate (tables)
         call build_tables(tables)
         closed_form = tables
         closed_form%tabulated = .false.
      end if
      !$omp end critical (subgrid_mskf_tables_dp)
      thermo => tables
      if (clean) thermo => closed_form
   end subroutine prepare_thermodynamics

   !> All columns, on `threads` threads.
   subroutine run_batch(batch, threads)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: threads
      type(thermodynamics_type), pointer :: thermo
      type(workspace_type), allocatable :: work
      integer :: column

      call prepare_thermodynamics(batch%clean, thermo)
      !$omp parallel num_threads(max(1, threads)) default(none) shared(batch, thermo) private(work, column)
      allocate (work)
      call allocate_workspace(work, batch%levels)
      !$omp do schedule(dynamic, 16)
      do column = 1, batch%columns
         if (.not. batch%in_place) call enter_column(batch, column)
         call run_column(batch, thermo, column, work)
         if (.not. batch%in_place) call complete_column(batch, column)
      end do
      !$omp end do
      !$omp end parallel
   end subroutine run_batch

   !> One column: refuse it, hold it, or compute it.
   subroutine run_column(batch, thermo, j, work)
      type(batch_type), intent(in) :: batch
      type(thermodynamics_type), intent(in) :: thermo
      integer, intent(in) :: j   !< column
      type(workspace_type), intent(inout) :: work
      integer :: n

      n = batch%nlev(j)
      batch%status(j) = check_levels(n, batch%levels)
      if (batch%status(j) == column_good) batch%status(j) = check_profiles(batch%t(:n, j), batch%qv(:n, j), &
         batch%p(:n, j), batch%exner(:n, j), batch%rho(:n, j), batch%thickness(:n, j), batch%u(:n, j), batch%v(:n, j), &
         batch%w(:n + 1, j), batch%w_mean(:n, j))
      if (batch%status(j) == column_good) batch%status(j) = check_scalars(batch%dx(j), batch%dt(j), batch%cudt(j), &
         batch%stepcu(j), batch%nca(j), batch%ust(j), batch%hfx(j), batch%pblh(j), batch%zol(j))
      if (batch%status(j) /= column_good) then
         n = max(0, min(n, batch%levels))
         call clear_result(work%result, n)
         work%result%outcome = outcome_refused
         call store_result(batch, j, n, work%result)
         return
      end if
      call running_mean_w(n, batch%w(:, j), batch%dt(j), batch%cudt(j), batch%stepcu(j), batch%adaptive(j) /= 0, &
         batch%w_mean(:, j))
      if (batch%nca(j) >= 0.5_wp*batch%dt(j)) then
         batch%outcome(j) = outcome_held
         return
      end if
      call load_environment(batch, j, n, work)
      call convect(thermo, species_type(batch%warm_rain(j) /= 0, batch%f_qr(j) /= 0, batch%f_qi(j) /= 0, &
         batch%f_qs(j) /= 0), batch%exner(:n, j), work)
      if (.not. finite_result(work%result, n)) then
         call clear_result(work%result, n)
         work%result%outcome = outcome_refused
         batch%status(j) = column_result
      end if
      call store_result(batch, j, n, work%result)
   end subroutine run_column

   !> Is everything that the host will add to its state finite?
   pure logical function finite_result(result, n)
      type(result_type), intent(in) :: result
      integer, intent(in) :: n

      finite_result = finite_profile(result%rth(:n)) .and. finite_profile(result%rqv(:n)) &
         .and. finite_profile(result%rqc(:n)) .and. finite_profile(result%rqr(:n)) .and. finite_profile(result%rqi(:n)) &
         .and. finite_profile(result%rqs(:n)) .and. finite_profile(result%ru(:n)) .and. finite_profile(result%rv(:n)) &
         .and. finite_profile(result%fraction_deep(:n)) .and. finite_profile(result%fraction_shallow(:n)) &
         .and. finite_profile(result%qc(:n)) .and. finite_profile(result%qi(:n)) &
         .and. finite_profile([result%pratec, result%nca, result%timec])
   end function finite_result
end module subgrid_mskf_batch_dp
