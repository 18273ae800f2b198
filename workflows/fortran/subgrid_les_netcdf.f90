!> NetCDF with one sentence per failure.
module subgrid_les_netcdf
   use netcdf, only: nf90_close, nf90_get_att, nf90_get_var, nf90_inq_varid, nf90_inquire_dimension, nf90_inquire_variable, &
                     nf90_max_var_dims, nf90_noerr, nf90_nowrite, nf90_open, nf90_strerror
   use subgrid_errors, only: report, status_file, status_format, status_ok, status_shape
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: open_file, find_variable, expect_written, read_field

contains

   !> Open a file for reading. Fails with status_file.
   subroutine open_file(path, kind, file, stat, errmsg)
      character(len=*), intent(in) :: path
      character(len=*), intent(in) :: kind  !< what it should be, for the message
      integer, intent(out) :: file
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: code

      stat = status_ok
      code = nf90_open(path, nf90_nowrite, file)
      if (code == nf90_noerr) return
      call report(stat, errmsg, status_file, 'the file '//path//' cannot be read ('//trim(nf90_strerror(code))// &
                  '): expected '//kind)
   end subroutine open_file

   !> Find a variable of the given lengths, fastest dimension first. Fails with status_format or status_shape.
   subroutine find_variable(path, file, name, lengths, variable, stat, errmsg)
      character(len=*), intent(in) :: path
      integer, intent(in) :: file
      character(len=*), intent(in) :: name
      integer, intent(in) :: lengths(:)
      integer, intent(out) :: variable
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: dimensions(nf90_max_var_dims), found(nf90_max_var_dims), rank, i, code

      stat = status_ok
      if (nf90_inq_varid(file, name, variable) /= nf90_noerr) then
         call report(stat, errmsg, status_format, 'the file '//path//' has no variable `'//name//'`')
         return
      end if
      rank = 0
      found = 0
      code = nf90_inquire_variable(file, variable, ndims=rank, dimids=dimensions)
      do i = 1, rank
         if (code == nf90_noerr) code = nf90_inquire_dimension(file, dimensions(i), len=found(i))
      end do
      if (code /= nf90_noerr) then
         call report(stat, errmsg, status_file, 'the file '//path//' cannot be read: '//trim(nf90_strerror(code)))
      else if (rank /= size(lengths)) then
         call report(stat, errmsg, status_shape, shape_message(path, name, found(:rank), lengths))
      else if (any(found(:rank) /= lengths)) then
         call report(stat, errmsg, status_shape, shape_message(path, name, found(:rank), lengths))
      end if
   end subroutine find_variable

   !> One sentence with both shapes, in the order that `ncdump` shows.
   function shape_message(path, name, found, expected) result(message)
      character(len=*), intent(in) :: path, name
      integer, intent(in) :: found(:), expected(:)
      character(len=:), allocatable :: message

      message = 'the variable `'//name//'` of '//path//' has the shape '//listed(found)//' where '//listed(expected)// &
                ' is expected'
   end function shape_message

   pure function listed(lengths) result(text)
      integer, intent(in) :: lengths(:)
      character(len=:), allocatable :: text
      character(len=12) :: number
      integer :: i

      text = '('
      do i = size(lengths), 1, -1
         write (number, '(i0)') lengths(i)
         text = text//trim(number)
         if (i > 1) text = text//', '
      end do
      text = text//')'
   end function listed

   !> The initial vorticity (N, N) of a file with `vorticity(y, x)` [1].
   subroutine read_field(path, field, stat, errmsg)
      character(len=*), intent(in) :: path
      real(dp), intent(out) :: field(:, :)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: file, variable, code

      field = 0
      call open_file(path, 'a NetCDF file with an initial vorticity(y, x)', file, stat, errmsg)
      if (stat /= status_ok) return
      call find_variable(path, file, 'vorticity', shape(field), variable, stat, errmsg)
      if (stat == status_ok) then
         code = nf90_get_var(file, variable, field)
         if (code /= nf90_noerr) call report(stat, errmsg, status_file, 'the file '//path//' cannot be read: '// &
                                             trim(nf90_strerror(code)))
      end if
      code = nf90_close(file)
   end subroutine read_field

   !> Keep the first failure of a series of writing calls.
   subroutine expect_written(code, path, stat, errmsg)
      integer, intent(in) :: code  !< what a nf90 procedure returned
      character(len=*), intent(in) :: path
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      if (code == nf90_noerr .or. stat /= status_ok) return
      call report(stat, errmsg, status_file, 'writing '//path//' failed ('//trim(nf90_strerror(code))// &
                  '): check that its folder exists, may be written to, and that the disk is not full')
   end subroutine expect_written
end module subgrid_les_netcdf
