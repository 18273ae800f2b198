!> A learned closure: a bundle that maps the vorticity on the grid to Pi on the grid, run behind the bridge.
!>
!> The solver works in float64, the bundle in float32: omega is rounded on the way in. What comes back is masked to the
!> carried modes, without its mean, like every tendency.
module subgrid_learned_closure
   use subgrid_bridge, only: subgrid_bind, subgrid_finalize, subgrid_free, subgrid_init, subgrid_inquire, subgrid_load, &
                             subgrid_model, subgrid_run, subgrid_session
   use subgrid_errors, only: report, status_format, status_kind, status_ok, status_shape
   use subgrid_kinds, only: dp, sp
   use subgrid_turbulence2d, only: closure_type, grid_to_spectrum, grid_type, spectrum_to_grid, transforms_type
   implicit none (type, external)
   private
   public :: learned_closure_type

   type, extends(closure_type) :: learned_closure_type
      private
      type(subgrid_session) :: session
      type(subgrid_model) :: model
      real(dp), allocatable :: field(:, :)                       !< (N, N) omega, then Pi [1]
      real(sp), pointer, contiguous :: vorticity(:, :) => null()  !< (N, N) omega, bound to the bundle's input [1]
      real(sp), pointer, contiguous :: answer(:, :) => null()     !< (N, N) Pi, bound to its output [1]
   contains
      procedure :: load
      procedure :: tendency
      final :: finalise
   end type learned_closure_type

contains

   !> Open the plug-in, load the bundle and prove its check vectors. Fails as the bridge does, with status_format on a bundle
   !> that has more than one input or output, with status_shape or status_kind on one for another grid or kind.
   subroutine load(self, bundle, plugin, n, stat, errmsg)
      class(learned_closure_type), intent(inout) :: self
      character(len=*), intent(in) :: bundle   !< directory
      character(len=*), intent(in) :: plugin   !< 'cpu', 'cuda' or the path of a PJRT plug-in
      integer, intent(in) :: n                 !< points along each side of the grid [1]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: input, output

      call subgrid_init(self%session, plugin, stat=stat, errmsg=errmsg)
      if (stat == status_ok) call subgrid_load(self%session, bundle, self%model, stat=stat, errmsg=errmsg)
      if (stat == status_ok) call find_field(self%model, bundle, 'input', n, input, stat, errmsg)
      if (stat == status_ok) call find_field(self%model, bundle, 'output', n, output, stat, errmsg)
      if (stat /= status_ok) return
      allocate (self%field(n, n), self%vorticity(n, n), self%answer(n, n))
      call subgrid_bind(self%model, input, self%vorticity, stat=stat, errmsg=errmsg)
      if (stat == status_ok) call subgrid_bind(self%model, output, self%answer, stat=stat, errmsg=errmsg)
   end subroutine load

   !> The name of the only input or output, which must be a float32 field (N, N).
   subroutine find_field(model, bundle, role, n, name, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      character(len=*), intent(in) :: bundle
      character(len=*), intent(in) :: role   !< 'input' or 'output'
      integer, intent(in) :: n
      character(len=:), allocatable, intent(out) :: name
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: kind, shape_found
      character(len=40) :: shape_expected
      integer :: number

      call subgrid_inquire(model, role//'s', number, stat, errmsg)
      if (stat == status_ok .and. number /= 1) call report(stat, errmsg, status_format, 'the bundle '//bundle// &
         ' has more than one '//role//': a turbulence closure maps the vorticity to its tendency')
      if (stat == status_ok) call subgrid_inquire(model, role//'.1.name', name, stat, errmsg)
      if (stat == status_ok) call subgrid_inquire(model, role//'.1.kind', kind, stat, errmsg)
      if (stat == status_ok) call subgrid_inquire(model, role//'.1.shape_fortran', shape_found, stat, errmsg)
      if (stat /= status_ok) return
      write (shape_expected, '(i0, 1x, i0)') n, n
      if (shape_found /= shape_expected) then
         call report(stat, errmsg, status_shape, 'the '//role//' '//name//' of '//bundle//' has the shape ('//shape_found// &
                     '), the run has ('//trim(shape_expected)//'): use that grid or a bundle exported for this one')
      else if (kind /= 'float32') then
         call report(stat, errmsg, status_kind, 'the '//role//' '//name//' of '//bundle//' is '//kind// &
                     ', a turbulence closure takes and gives float32: export it so')
      end if
   end subroutine find_field

   subroutine tendency(self, grid, transforms, vorticity_hat, pi_hat, stat, errmsg)
      class(learned_closure_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: vorticity_hat(0:, :)
      complex(dp), intent(inout) :: pi_hat(0:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call spectrum_to_grid(grid, transforms, vorticity_hat, self%field)
      self%vorticity = real(self%field, sp)
      call subgrid_run(self%model, stat=stat, errmsg=errmsg)
      if (stat /= status_ok) return
      self%field = real(self%answer, dp)
      call grid_to_spectrum(grid, transforms, self%field, pi_hat)
   end subroutine tendency

   !> Let go of the bundle and the plug-in. Their own complaints at the end come too late for anybody.
   subroutine finalise(self)
      type(learned_closure_type), intent(inout) :: self
      character(len=:), allocatable :: errmsg
      integer :: stat

      call subgrid_free(self%model, stat, errmsg)
      call subgrid_finalize(self%session, stat, errmsg)
      if (associated(self%vorticity)) deallocate (self%vorticity, self%answer)
   end subroutine finalise
end module subgrid_learned_closure
