!> Front end over batches of columns: checks, hold by NCA, running mean of w, OpenMP over columns, answers by column.
!> A column's answer depends on that column alone, bit for bit.
module subgrid_mskf_batch_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_checks_dp, only: check_levels, check_profiles, check_scalars, column_good, column_result, finite_profile
   use subgrid_mskf_cloud_dp, only: clear_result, species_type
   use subgrid_mskf_constants_dp, only: gravity, outcome_held, outcome_refused
   use subgrid_mskf_scheme_dp, only: convect, running_mean_w
   use subgrid_mskf_state_dp, only: allocate_workspace, result_type, workspace_type
   use subgrid_mskf_tables_dp, only: build_tables
   use subgrid_mskf_thermodynamics_dp, only: thermodynamics_type
   implicit none (type, external)
   private
   public :: batch_type, run_batch, run_column, prepare_thermodynamics

   !> Borrowed arrays of a batch, (levels, columns) or (columns). Levels above nlev(column) are neither read nor written.
   type :: batch_type
      integer :: levels = 0, columns = 0
      logical :: clean = .true.
      integer, pointer :: nlev(:) => null(), stepcu(:) => null(), warm_rain(:) => null()
      integer, pointer :: f_qr(:) => null(), f_qi(:) => null(), f_qs(:) => null(), adaptive(:) => null()
      real(wp), pointer :: t(:, :) => null(), qv(:, :) => null()         !< [K], [kg kg-1]
      real(wp), pointer :: p(:, :) => null(), exner(:, :) => null()      !< [Pa], [1]
      real(wp), pointer :: rho(:, :) => null(), thickness(:, :) => null() !< [kg m-3], [m]
      real(wp), pointer :: u(:, :) => null(), v(:, :) => null()          !< [m s-1]
      real(wp), pointer :: w(:, :) => null()                             !< (levels + 1, columns) [m s-1]
      real(wp), pointer :: dx(:) => null(), dt(:) => null(), cudt(:) => null()   !< [m], [s], [min]
      real(wp), pointer :: ust(:) => null(), hfx(:) => null()            !< [m s-1], [W m-2]
      real(wp), pointer :: pblh(:) => null(), zol(:) => null()           !< [m], [1]
      ! In and out: a held column keeps all but the running mean.
      real(wp), pointer :: rth(:, :) => null(), rqv(:, :) => null()      !< [K s-1], [kg kg-1 s-1]
      real(wp), pointer :: rqc(:, :) => null(), rqr(:, :) => null()      !< [kg kg-1 s-1]
      real(wp), pointer :: rqi(:, :) => null(), rqs(:, :) => null()      !< [kg kg-1 s-1]
      real(wp), pointer :: ru(:, :) => null(), rv(:, :) => null()        !< [m s-2]
      real(wp), pointer :: fraction_deep(:, :) => null(), fraction_shallow(:, :) => null()  !< [1]
      real(wp), pointer :: qc(:, :) => null(), qi(:, :) => null()        !< [kg kg-1]
      real(wp), pointer :: w_mean(:, :) => null()                        !< [m s-1]
      real(wp), pointer :: raincv(:) => null(), pratec(:) => null()      !< [mm], [mm s-1]
      real(wp), pointer :: nca(:) => null()                              !< [s]
      real(wp), pointer :: cutop(:) => null(), cubot(:) => null()        !< level, as a real number
      real(wp), pointer :: timec(:) => null()                            !< [s]
      ! Out.
      integer, pointer :: outcome(:) => null(), status(:) => null()
   end type batch_type

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
         call run_column(batch, thermo, column, work)
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

   !> Copy one column into the workspace.
   subroutine load_environment(batch, j, n, work)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: j, n
      type(workspace_type), intent(inout) :: work

      work%env%levels = n
      work%env%clean = batch%clean
      work%env%p(:n) = batch%p(:n, j)
      work%env%t(:n) = batch%t(:n, j)
      work%env%q(:n) = batch%qv(:n, j)
      work%env%thickness(:n) = batch%thickness(:n, j)
      work%env%dp(:n) = batch%rho(:n, j)*gravity*batch%thickness(:n, j)
      work%env%u(:n) = batch%u(:n, j)
      work%env%v(:n) = batch%v(:n, j)
      work%env%w(:n) = batch%w_mean(:n, j)
      work%env%dx = batch%dx(j)
      work%env%dt = batch%dt(j)
      work%env%cudt = batch%cudt(j)
      work%env%ust = batch%ust(j)
      work%env%hfx = batch%hfx(j)
      work%env%pblh = batch%pblh(j)
      work%env%zol = batch%zol(j)
      work%result%nca = batch%nca(j)
   end subroutine load_environment

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

   !> Hand the answer of one column over. NCA changes only where there is convection.
   subroutine store_result(batch, j, n, result)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: j, n
      type(result_type), intent(in) :: result

      batch%outcome(j) = result%outcome
      batch%rth(:n, j) = result%rth(:n)
      batch%rqv(:n, j) = result%rqv(:n)
      batch%rqc(:n, j) = result%rqc(:n)
      batch%rqr(:n, j) = result%rqr(:n)
      batch%rqi(:n, j) = result%rqi(:n)
      batch%rqs(:n, j) = result%rqs(:n)
      batch%ru(:n, j) = result%ru(:n)
      batch%rv(:n, j) = result%rv(:n)
      batch%fraction_deep(:n, j) = result%fraction_deep(:n)
      batch%fraction_shallow(:n, j) = result%fraction_shallow(:n)
      batch%qc(:n, j) = result%qc(:n)
      batch%qi(:n, j) = result%qi(:n)
      batch%pratec(j) = result%pratec
      batch%raincv(j) = batch%dt(j)*result%pratec
      batch%cutop(j) = result%cutop
      batch%cubot(j) = result%cubot
      batch%timec(j) = result%timec
      if (result%outcome > 0) batch%nca(j) = result%nca
   end subroutine store_result
end module subgrid_mskf_batch_dp
