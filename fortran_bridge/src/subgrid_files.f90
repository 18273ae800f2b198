!> Whole files into memory, and the proof that they are what the manifest says.
module subgrid_files
   use subgrid_errors, only: report, status_checksum, status_file, status_format, status_ok, status_value
   use subgrid_kinds, only: i8
   use subgrid_pjrt, only: sha256_of
   use, intrinsic :: iso_c_binding, only: c_loc
   use, intrinsic :: iso_fortran_env, only: int8
   implicit none (type, external)
   private
   public :: read_file, verify_content, text_of_integer

contains

   !> All bytes of the file `path`; a file that cannot be opened or read is status_file.
   subroutine read_file(path, bytes, stat, errmsg)
      character(len=*), intent(in) :: path
      integer(int8), allocatable, intent(out) :: bytes(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=200) :: reason
      integer(i8) :: size_in_bytes
      integer :: unit, iostat

      open (newunit=unit, file=path, access='stream', form='unformatted', status='old', action='read', iostat=iostat, iomsg=reason)
      if (iostat /= 0) then
         call report(stat, errmsg, status_file, path//' cannot be opened ('//trim(reason)//'); check the path of the bundle')
         return
      end if
      inquire (unit=unit, size=size_in_bytes)
      allocate (bytes(max(size_in_bytes, 0_i8)), stat=iostat)
      if (iostat /= 0) then
         call report(stat, errmsg, status_value, 'no memory for the '//text_of_integer(size_in_bytes)//' bytes of '//path)
      else if (size_in_bytes > 0) then
         read (unit, iostat=iostat, iomsg=reason) bytes
         if (iostat /= 0) call report(stat, errmsg, status_file, path//' cannot be read ('//trim(reason)//')')
      end if
      close (unit)
   end subroutine read_file

   !> Size first (a broken copy), then the checksum (a changed content).
   subroutine verify_content(path, bytes, size_in_bytes, checksum, stat, errmsg)
      character(len=*), intent(in) :: path
      integer(int8), intent(in), target :: bytes(:)
      integer(i8), intent(in) :: size_in_bytes     !< expected
      character(len=*), intent(in) :: checksum     !< expected, 64 hexadecimal digits
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=64) :: digest

      if (stat /= status_ok) return
      if (size(bytes, kind=i8) /= size_in_bytes) then
         call report(stat, errmsg, status_format, path//' has '//text_of_integer(size(bytes, kind=i8))//' bytes, expected '// &
                     text_of_integer(size_in_bytes)//': a broken copy; copy the bundle again')
         return
      end if
      digest = sha256_of(c_loc(bytes), size(bytes, kind=i8))
      if (digest /= checksum) call report(stat, errmsg, status_checksum, path//' has the checksum '//digest(:12)// &
         '…, expected '// &
                                          checksum(:min(12, len(checksum)))// &
                                             '…: its content was changed; copy or export the bundle again')
   end subroutine verify_content

   pure function text_of_integer(value) result(text)
      integer(i8), intent(in) :: value
      character(len=:), allocatable :: text
      character(len=20) :: digits

      write (digits, '(i0)') value
      text = trim(digits)
   end function text_of_integer
end module subgrid_files
