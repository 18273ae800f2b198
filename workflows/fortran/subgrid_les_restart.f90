!> The restart file of an LES, in the layout that all hosts share (contracts/les_file.py): the unnormalised half spectra
!> `(ky, kx, part)` of the vorticity and of the advection of the step before, on all ky and kx = 0..N/2.
module subgrid_les_restart
   use netcdf, only: nf90_clobber, nf90_close, nf90_create, nf90_def_dim, nf90_def_var, nf90_double, nf90_enddef, &
                     nf90_get_att, nf90_get_var, nf90_global, nf90_inquire_attribute, nf90_netcdf4, nf90_noerr, nf90_put_att, &
                     nf90_put_var
   use subgrid_errors, only: report, status_file, status_format, status_ok, status_value
   use subgrid_kinds, only: dp
   use subgrid_les_netcdf, only: expect_written, find_variable, open_file
   use subgrid_les_output, only: partial_suffix
   use subgrid_process, only: move_file, remove_file
   use subgrid_turbulence2d, only: grid_type
   implicit none (type, external)
   private
   public :: restart_type, read_restart, write_restart

   !> Everything that a run continues from.
   type :: restart_type
      integer :: step = 0                                   !< steps since the start of the flow [1]
      real(dp) :: time = 0.0_dp                             !< [1]
      logical :: has_previous = .false.                     !< whether `previous_advection` counts
      character(len=:), allocatable :: integrator           !< 'ifrk4' or 'ab2cn'
      complex(dp), allocatable :: vorticity_hat(:, :)       !< (0:K, 2 K + 1) [1]
      complex(dp), allocatable :: previous_advection(:, :)  !< (0:K, 2 K + 1) [1]
   end type restart_type

contains

   !> Read a restart for a grid and integrator. Fails with status_file, status_format or status_shape on another kind of
   !> file, and with status_value on a restart of another grid, integrator or dealiasing.
   subroutine read_restart(path, grid, integrator, restart, stat, errmsg)
      character(len=*), intent(in) :: path
      type(grid_type), intent(in) :: grid
      character(len=*), intent(in) :: integrator
      type(restart_type), intent(out) :: restart
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: file, code, found, has_previous

      call open_file(path, 'an LES restart file', file, stat, errmsg)
      if (stat /= status_ok) return
      has_previous = 0
      code = nf90_get_att(file, nf90_global, 'step', restart%step)
      if (code == nf90_noerr) code = nf90_get_att(file, nf90_global, 'time', restart%time)
      if (code == nf90_noerr) code = nf90_get_att(file, nf90_global, 'has_previous', has_previous)
      if (code == nf90_noerr) code = nf90_get_att(file, nf90_global, 'grid', found)
      if (code /= nf90_noerr) then
         call report(stat, errmsg, status_format, 'the file '//path//' lacks the attributes step, time, has_previous and grid: '// &
                     'expected an LES restart file')
      else
         restart%has_previous = has_previous /= 0
         restart%integrator = integrator
         call check_same(path, 'grid', whole(found), whole(grid%n), stat, errmsg)
         if (stat == status_ok) call check_same(path, 'integrator', text(file, 'integrator'), integrator, stat, errmsg)
         if (stat == status_ok) call check_same(path, 'dealiasing', text(file, 'dealiasing'), grid%dealiasing, stat, errmsg)
      end if
      if (stat == status_ok) call read_spectrum(path, file, 'vorticity_hat', grid, restart%vorticity_hat, stat, errmsg)
      if (stat == status_ok) call read_spectrum(path, file, 'previous_advection_hat', grid, restart%previous_advection, stat, &
                                                errmsg)
      code = nf90_close(file)
   end subroutine read_restart

   subroutine check_same(path, name, found, expected, stat, errmsg)
      character(len=*), intent(in) :: path, name, found, expected
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      if (found /= expected) call report(stat, errmsg, status_value, 'the restart '//path//' was written with '//name//' = '// &
                                         found//', the run has '//expected//': continue with the same '//name)
   end subroutine check_same

   pure function whole(value)
      integer, intent(in) :: value
      character(len=:), allocatable :: whole
      character(len=12) :: digits

      write (digits, '(i0)') value
      whole = trim(digits)
   end function whole

   !> A text attribute, empty when there is none.
   function text(file, name)
      integer, intent(in) :: file
      character(len=*), intent(in) :: name
      character(len=:), allocatable :: text
      character(len=64) :: value
      integer :: kind, length

      text = ''
      if (nf90_inquire_attribute(file, nf90_global, name, xtype=kind, len=length) /= nf90_noerr) return
      if (length > len(value)) return
      value = ''
      if (nf90_get_att(file, nf90_global, name, value) == nf90_noerr) text = trim(value)
   end function text

   subroutine read_spectrum(path, file, name, grid, spectrum, stat, errmsg)
      character(len=*), intent(in) :: path, name
      integer, intent(in) :: file
      type(grid_type), intent(in) :: grid
      complex(dp), allocatable, intent(out) :: spectrum(:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp), allocatable :: parts(:, :, :)
      integer :: variable, code, row

      allocate (parts(2, 0:grid%n/2, 0:grid%n - 1), spectrum(0:grid%cutoff, grid%rows))
      spectrum = 0
      call find_variable(path, file, name, shape(parts), variable, stat, errmsg)
      if (stat /= status_ok) return
      code = nf90_get_var(file, variable, parts)
      if (code /= nf90_noerr) then
         call report(stat, errmsg, status_file, 'the variable `'//name//'` of '//path//' cannot be read: the file is damaged')
      else if (any(.not. abs(parts) <= huge(1.0_dp))) then
         call report(stat, errmsg, status_value, 'the restart '//path//' holds values that are not finite: take an earlier one')
      else
         do row = 1, grid%rows
            spectrum(:, row) = cmplx(parts(1, :grid%cutoff, grid%place(row)), parts(2, :grid%cutoff, grid%place(row)), dp)
         end do
      end if
   end subroutine read_spectrum

   !> Write a restart; the file appears whole or not at all. Fails with status_file.
   subroutine write_restart(path, grid, restart, stat, errmsg)
      character(len=*), intent(in) :: path
      type(grid_type), intent(in) :: grid
      type(restart_type), intent(in) :: restart
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: code, file, kx, ky, part, vorticity, advection

      stat = status_ok
      code = nf90_create(path//partial_suffix, ior(nf90_netcdf4, nf90_clobber), file)
      call note(code)
      if (stat /= status_ok) return
      call note(nf90_put_att(file, nf90_global, 'step', restart%step))
      call note(nf90_put_att(file, nf90_global, 'time', restart%time))
      call note(nf90_put_att(file, nf90_global, 'has_previous', merge(1, 0, restart%has_previous)))
      call note(nf90_put_att(file, nf90_global, 'grid', grid%n))
      call note(nf90_put_att(file, nf90_global, 'integrator', restart%integrator))
      call note(nf90_put_att(file, nf90_global, 'dealiasing', grid%dealiasing))
      call note(nf90_put_att(file, nf90_global, 'host', 'fortran'))
      call note(nf90_def_dim(file, 'ky', grid%n, ky))
      call note(nf90_def_dim(file, 'kx', grid%n/2 + 1, kx))
      call note(nf90_def_dim(file, 'part', 2, part))
      call note(nf90_def_var(file, 'vorticity_hat', nf90_double, [part, kx, ky], vorticity))
      call note(nf90_put_att(file, vorticity, 'units', '1'))
      call note(nf90_def_var(file, 'previous_advection_hat', nf90_double, [part, kx, ky], advection))
      call note(nf90_put_att(file, advection, 'units', '1'))
      call note(nf90_enddef(file))
      call note(nf90_put_var(file, vorticity, expanded(grid, restart%vorticity_hat)))
      call note(nf90_put_var(file, advection, expanded(grid, restart%previous_advection)))
      call note(nf90_close(file))
      if (stat == status_ok) call move_file(path//partial_suffix, path, stat, errmsg)
      if (stat /= status_ok) call remove_file(path//partial_suffix)

   contains

      subroutine note(result_code)
         integer, intent(in) :: result_code

         call expect_written(result_code, path, stat, errmsg)
      end subroutine note
   end subroutine write_restart

   !> Carried modes put in their places among all modes, real and imaginary parts apart.
   pure function expanded(grid, spectrum) result(parts)
      type(grid_type), intent(in) :: grid
      complex(dp), intent(in) :: spectrum(0:, :)
      real(dp), allocatable :: parts(:, :, :)
      integer :: row

      allocate (parts(2, 0:grid%n/2, 0:grid%n - 1))
      parts = 0
      do row = 1, grid%rows
         parts(1, :grid%cutoff, grid%place(row)) = real(spectrum(:, row))
         parts(2, :grid%cutoff, grid%place(row)) = aimag(spectrum(:, row))
      end do
   end function expanded
end module subgrid_les_restart
