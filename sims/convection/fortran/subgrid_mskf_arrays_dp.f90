!> The arrays of a batch of columns, and how one column comes out of them and back.
module subgrid_mskf_arrays_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: gravity, outcome_held
   use subgrid_mskf_state_dp, only: result_type, workspace_type
   implicit none (type, external)
   private
   public :: batch_type, enter_column, complete_column, load_environment, store_result

   integer, parameter, public :: profile_states = 13, scalar_states = 6
   integer, parameter :: running_mean = 13, hold = 3   ! w0avg and nca among them
   real(wp), parameter :: not_held = -100.0_wp         ! [s]

   type :: profiles_type
      real(wp), pointer, contiguous :: values(:, :) => null()   !< (levels, columns)
   end type profiles_type

   type :: scalars_type
      real(wp), pointer, contiguous :: values(:) => null()      !< (columns)
   end type scalars_type

   !> Borrowed arrays of a batch, (levels, columns) or (columns). Levels above nlev(column) are not read; where the state enters
   !> in place, they are not written either, else they leave as 0.
   type :: batch_type
      integer :: levels = 0, columns = 0
      logical :: clean = .true.
      integer, pointer, contiguous :: nlev(:) => null(), stepcu(:) => null(), warm_rain(:) => null()
      integer, pointer, contiguous :: f_qr(:) => null(), f_qi(:) => null(), f_qs(:) => null(), adaptive(:) => null()
      real(wp), pointer, contiguous :: t(:, :) => null(), qv(:, :) => null()         !< [K], [kg kg-1]
      real(wp), pointer, contiguous :: p(:, :) => null(), exner(:, :) => null()      !< [Pa], [1]
      real(wp), pointer, contiguous :: rho(:, :) => null(), thickness(:, :) => null() !< [kg m-3], [m]
      real(wp), pointer, contiguous :: u(:, :) => null(), v(:, :) => null()          !< [m s-1]
      real(wp), pointer, contiguous :: w(:, :) => null()                             !< (levels + 1, columns) [m s-1]
      real(wp), pointer, contiguous :: dx(:) => null(), dt(:) => null(), cudt(:) => null()   !< [m], [s], [min]
      real(wp), pointer, contiguous :: ust(:) => null(), hfx(:) => null()            !< [m s-1], [W m-2]
      real(wp), pointer, contiguous :: pblh(:) => null(), zol(:) => null()           !< [m], [1]
      ! State: a held column keeps all but the running mean.
      real(wp), pointer, contiguous :: rth(:, :) => null(), rqv(:, :) => null()      !< [K s-1], [kg kg-1 s-1]
      real(wp), pointer, contiguous :: rqc(:, :) => null(), rqr(:, :) => null()      !< [kg kg-1 s-1]
      real(wp), pointer, contiguous :: rqi(:, :) => null(), rqs(:, :) => null()      !< [kg kg-1 s-1]
      real(wp), pointer, contiguous :: ru(:, :) => null(), rv(:, :) => null()        !< [m s-2]
      real(wp), pointer, contiguous :: fraction_deep(:, :) => null(), fraction_shallow(:, :) => null()  !< [1]
      real(wp), pointer, contiguous :: qc(:, :) => null(), qi(:, :) => null()        !< [kg kg-1]
      real(wp), pointer, contiguous :: w_mean(:, :) => null()                        !< [m s-1]
      real(wp), pointer, contiguous :: raincv(:) => null(), pratec(:) => null()      !< [mm], [mm s-1]
      real(wp), pointer, contiguous :: nca(:) => null()                              !< [s]
      real(wp), pointer, contiguous :: cutop(:) => null(), cubot(:) => null()        !< level, as a real number
      real(wp), pointer, contiguous :: timec(:) => null()                            !< [s]
      ! The same arrays in the order of contracts/columns.py, and those that hold the state on entry if it is not updated in
      ! place; there, none at all stands for rest: NCA of -100 s, everything else 0.
      logical :: in_place = .true.
      type(profiles_type) :: state_profiles(profile_states), entering_profiles(profile_states)
      type(scalars_type) :: state_scalars(scalar_states), entering_scalars(scalar_states)
      ! Out.
      integer, pointer, contiguous :: outcome(:) => null(), status(:) => null()
   end type batch_type

contains

   !> What a column needs of the state on entry: the scalars and the running mean of w.
   subroutine enter_column(batch, j)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: j   !< column
      integer :: i

      call enter_profile(batch, running_mean, used_levels(batch, j), j)
      do i = 1, scalar_states
         if (associated(batch%entering_scalars(i)%values)) then
            batch%state_scalars(i)%values(j) = batch%entering_scalars(i)%values(j)
         else
            batch%state_scalars(i)%values(j) = merge(not_held, 0.0_wp, i == hold)
         end if
      end do
   end subroutine enter_column

   !> What a computed column has overwritten and a held one keeps; zeros above the column.
   subroutine complete_column(batch, j)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: j   !< column
      integer :: i, n

      n = used_levels(batch, j)
      do i = 1, profile_states
         if (batch%outcome(j) == outcome_held .and. i /= running_mean) call enter_profile(batch, i, n, j)
         batch%state_profiles(i)%values(n + 1:, j) = 0.0_wp
      end do
   end subroutine complete_column

   subroutine enter_profile(batch, i, n, j)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: i, n, j   !< which profile, levels, column

      if (associated(batch%entering_profiles(i)%values)) then
         batch%state_profiles(i)%values(:n, j) = batch%entering_profiles(i)%values(:n, j)
      else
         batch%state_profiles(i)%values(:n, j) = 0.0_wp
      end if
   end subroutine enter_profile

   !> Levels of a column that the arrays hold.
   pure integer function used_levels(batch, j)
      type(batch_type), intent(in) :: batch
      integer, intent(in) :: j   !< column

      used_levels = max(0, min(batch%nlev(j), batch%levels))
   end function used_levels

   !> Copy one column into the workspace.
   pure subroutine load_environment(batch, j, n, work)
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
      batch%raincv(j) = 0
      if (result%pratec > 0) batch%raincv(j) = batch%dt(j)*result%pratec   ! not in a refused column, whose dt may be NaN
      batch%cutop(j) = result%cutop
      batch%cubot(j) = result%cubot
      batch%timec(j) = result%timec
      if (result%outcome > 0) batch%nca(j) = result%nca
   end subroutine store_result
end module subgrid_mskf_arrays_dp
