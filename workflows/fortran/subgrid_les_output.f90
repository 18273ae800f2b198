!> The output of an LES: NetCDF-4 by the CF-1.10 conventions, the layout of contracts/les_file.py.
!>
!> It is written as `<name>.partial` and gets its name at the end, so that whatever bears the final name is whole.
module subgrid_les_output
   use netcdf, only: nf90_clobber, nf90_close, nf90_create, nf90_def_dim, nf90_def_var, nf90_double, nf90_enddef, nf90_global, &
                     nf90_netcdf4, nf90_noerr, nf90_put_att, nf90_put_var, nf90_redef, nf90_sync, nf90_unlimited
   use subgrid_errors, only: status_ok
   use subgrid_kinds, only: dp
   use subgrid_les_netcdf, only: expect_written
   use subgrid_les_settings, only: les_settings_type
   use subgrid_process, only: move_file, remove_file
   use subgrid_turbulence2d, only: grid_type
   implicit none (type, external)
   private
   public :: output_type, partial_suffix

   character(len=*), parameter :: partial_suffix = '.partial'
   integer, parameter :: closed = -1

   type :: output_type
      private
      character(len=:), allocatable :: path
      integer :: file = closed
      integer :: records = 0
      integer :: time = 0, vorticity = 0
   contains
      procedure :: create
      procedure :: append
      procedure :: finish
      procedure :: discard
   end type output_type

contains

   !> Begin the file. Fails with status_file.
   subroutine create(self, settings, grid, stat, errmsg)
      class(output_type), intent(inout) :: self
      type(les_settings_type), intent(in) :: settings
      type(grid_type), intent(in) :: grid
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: code, i, x, y, time
      real(dp), allocatable :: points(:)
      integer :: ids(2)

      stat = status_ok
      self%path = settings%output_file
      self%records = 0
      code = nf90_create(self%path//partial_suffix, ior(nf90_netcdf4, nf90_clobber), self%file)
      if (code /= nf90_noerr) self%file = closed
      call expect_written(code, self%path, stat, errmsg)
      if (stat /= status_ok) return
      call describe(self, settings, stat, errmsg)
      call note(nf90_def_dim(self%file, 'time', nf90_unlimited, time))
      call note(nf90_def_dim(self%file, 'y', grid%n, y))
      call note(nf90_def_dim(self%file, 'x', grid%n, x))
      call define('time', 'time since the start of the run', [time], self%time)
      call define('y', 'y of the grid point, period 2 pi', [y], ids(1))
      call define('x', 'x of the grid point, period 2 pi', [x], ids(2))
      call note(nf90_put_att(self%file, ids(1), 'axis', 'Y'))
      call note(nf90_put_att(self%file, ids(2), 'axis', 'X'))
      call define('vorticity', 'resolved vorticity dv/dx - du/dy', [x, y, time], self%vorticity)
      call note(nf90_enddef(self%file))
      points = [(grid%spacing*i, i=0, grid%n - 1)]
      call note(nf90_put_var(self%file, ids(1), points))
      call note(nf90_put_var(self%file, ids(2), points))

   contains

      subroutine define(name, long_name, dimensions, variable)
         character(len=*), intent(in) :: name, long_name
         integer, intent(in) :: dimensions(:)
         integer, intent(out) :: variable

         call note(nf90_def_var(self%file, name, nf90_double, dimensions, variable))
         call note(nf90_put_att(self%file, variable, 'long_name', long_name))
         call note(nf90_put_att(self%file, variable, 'units', '1'))
      end subroutine define

      subroutine note(result_code)
         integer, intent(in) :: result_code

         call expect_written(result_code, self%path, stat, errmsg)
      end subroutine note
   end subroutine create

   !> Global attributes that are known at the start.
   subroutine describe(self, settings, stat, errmsg)
      class(output_type), intent(in) :: self
      type(les_settings_type), intent(in) :: settings
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call text('Conventions', 'CF-1.10')
      call text('title', 'LES of two-dimensional turbulence')
      call text('source', 'subgrid LES in fortran')
      call text('host', 'fortran')
      call text('integrator', settings%numerics%integrator)
      call text('dealiasing', settings%numerics%dealiasing)
      call text('closure', settings%closure)
      if (settings%bundle /= '') call text('bundle', settings%bundle)
      if (allocated(settings%closure_constant)) call number('closure_constant', settings%closure_constant)
      call number('beta', settings%physics%beta)
      call number('viscosity', settings%physics%viscosity)
      call number('drag', settings%physics%drag)
      call number('dt', settings%numerics%dt)
      call whole('grid', settings%numerics%n)
      call whole('forcing_wavenumber', settings%physics%forcing_wavenumber)

   contains

      subroutine text(name, value)
         character(len=*), intent(in) :: name, value

         call expect_written(nf90_put_att(self%file, nf90_global, name, value), self%path, stat, errmsg)
      end subroutine text

      subroutine number(name, value)
         character(len=*), intent(in) :: name
         real(dp), intent(in) :: value

         call expect_written(nf90_put_att(self%file, nf90_global, name, value), self%path, stat, errmsg)
      end subroutine number

      subroutine whole(name, value)
         character(len=*), intent(in) :: name
         integer, intent(in) :: value

         call expect_written(nf90_put_att(self%file, nf90_global, name, value), self%path, stat, errmsg)
      end subroutine whole
   end subroutine describe

   !> Add a record and send it to the disk. Fails with status_file, for instance when the disk is full.
   subroutine append(self, time, vorticity, stat, errmsg)
      class(output_type), intent(inout) :: self
      real(dp), intent(in) :: time              !< [1]
      real(dp), intent(in) :: vorticity(:, :)   !< (N, N) [1]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      self%records = self%records + 1
      call expect_written(nf90_put_var(self%file, self%time, time, start=[self%records]), self%path, stat, errmsg)
      call expect_written(nf90_put_var(self%file, self%vorticity, vorticity, start=[1, 1, self%records], &
                                       count=[shape(vorticity), 1]), self%path, stat, errmsg)
      if (stat == status_ok) call expect_written(nf90_sync(self%file), self%path, stat, errmsg)
   end subroutine append

   !> Add the closing attributes, close the file and give it its name. Fails with status_file.
   subroutine finish(self, state, steps_done, wall_seconds, closure_seconds, stat, errmsg, blow_up_time)
      class(output_type), intent(inout) :: self
      character(len=*), intent(in) :: state                !< 'complete', 'blown_up' or 'interrupted'
      integer, intent(in) :: steps_done                    !< since the start of the flow [1]
      real(dp), intent(in) :: wall_seconds                 !< of the time steps, without input and output [s]
      real(dp), intent(in) :: closure_seconds              !< part of it that the closure took [s]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp), intent(in), optional :: blow_up_time       !< last time that is known to be finite [1]

      stat = status_ok
      call note(nf90_redef(self%file))
      call note(nf90_put_att(self%file, nf90_global, 'state', state))
      call note(nf90_put_att(self%file, nf90_global, 'steps_done', steps_done))
      call note(nf90_put_att(self%file, nf90_global, 'wall_seconds', wall_seconds))
      call note(nf90_put_att(self%file, nf90_global, 'closure_seconds', closure_seconds))
      if (present(blow_up_time)) call note(nf90_put_att(self%file, nf90_global, 'blow_up_time', blow_up_time))
      call note(nf90_close(self%file))
      self%file = closed
      if (stat == status_ok) call move_file(self%path//partial_suffix, self%path, stat, errmsg)

   contains

      subroutine note(result_code)
         integer, intent(in) :: result_code

         call expect_written(result_code, self%path, stat, errmsg)
      end subroutine note
   end subroutine finish

   !> Leave nothing behind after a failure.
   subroutine discard(self)
      class(output_type), intent(inout) :: self
      integer :: code

      if (.not. allocated(self%path)) return
      if (self%file /= closed) code = nf90_close(self%file)
      self%file = closed
      call remove_file(self%path//partial_suffix)
   end subroutine discard
end module subgrid_les_output
