!> The manifest of a bundle: `key = value` lines between `format = subgrid-bundle 1` and `end = manifest` (docs/bundle.md).
!>
!> The readers of single values do nothing when `stat` is already non-zero, so a sequence of them keeps the first failure.
module subgrid_manifest
   use subgrid_errors, only: report, status_file, status_format, status_name, status_ok
   use subgrid_files, only: read_file
   use subgrid_kinds, only: dp, i8
   use, intrinsic :: iso_fortran_env, only: int8
   implicit none (type, external)
   private
   public :: manifest, word, read_manifest, read_text, read_words, read_integer, read_integers, read_real, has_key, split

   type :: word
      character(len=:), allocatable :: text
   end type word

   type :: entry
      character(len=:), allocatable :: key, value
   end type entry

   type :: manifest
      character(len=:), allocatable :: path
      type(entry), allocatable :: entries(:)
   end type manifest

   character(len=*), parameter :: first_line = 'format = subgrid-bundle 1'
   character(len=*), parameter :: last_line = 'end = manifest'
   character(len=*), parameter :: newline = new_line('a')

contains

   !> Read and split the file; refuses another format, a missing end line, a line without ' = ' and a repeated key.
   subroutine read_manifest(path, self, stat, errmsg)
      character(len=*), intent(in) :: path
      type(manifest), intent(out) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(word), allocatable :: lines(:)
      character(len=:), allocatable :: text
      integer :: last

      self%path = path
      allocate (self%entries(0))
      call read_as_text(path, text, stat, errmsg)
      if (stat /= status_ok) return
      call split_lines(text, lines)
      if (lines(1)%text /= first_line) then
         call report(stat, errmsg, status_format, path//' begins with "'//lines(1)%text(:min(60, len(lines(1)%text)))// &
                     '", expected "'//first_line//'": no bundle of a format that this version reads; export it again')
         return
      end if
      last = size(lines)
      do while (last > 1 .and. lines(last)%text == '')
         last = last - 1
      end do
      if (lines(last)%text /= last_line) then
         call report(stat, errmsg, status_format, path//' is truncated: its last line is not "'//last_line// &
                     '"; copy the bundle again')
         return
      end if
      call read_entries(self, lines(2:last - 1), stat, errmsg)
   end subroutine read_manifest

   subroutine read_as_text(path, text, stat, errmsg)
      character(len=*), intent(in) :: path
      character(len=:), allocatable, intent(out) :: text
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(int8), allocatable :: bytes(:)
      integer :: i

      text = ''
      call read_file(path, bytes, stat, errmsg)
      if (stat /= status_ok) return
      text = repeat(' ', size(bytes))
      do i = 1, size(bytes)
         text(i:i) = char(iand(int(bytes(i)), 255))
      end do
   end subroutine read_as_text

   !> Lines without leading and trailing blanks; at least one.
   subroutine split_lines(text, lines)
      character(len=*), intent(in) :: text
      type(word), allocatable, intent(out) :: lines(:)
      integer :: i, start, last

      allocate (lines(1 + count([(text(i:i) == newline, i=1, len(text))])))
      start = 1
      do i = 1, size(lines)
         last = start + index(text(start:)//newline, newline) - 2
         lines(i)%text = trim(adjustl(text(start:last)))
         start = last + 2
      end do
   end subroutine split_lines

   subroutine read_entries(self, lines, stat, errmsg)
      type(manifest), intent(inout) :: self
      type(word), intent(in) :: lines(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(entry) :: found
      integer :: i, n, equals

      deallocate (self%entries)
      allocate (self%entries(size(lines)))
      n = 0
      do i = 1, size(lines)
         if (lines(i)%text == '') cycle
         if (lines(i)%text(1:1) == '#') cycle
         equals = index(lines(i)%text//' ', ' = ')
         if (equals == 0) then
            call report(stat, errmsg, status_format, self%path//': "'//lines(i)%text// &
               '" is not "key = value"; export the bundle again')
            return
         end if
         found%key = lines(i)%text(:equals - 1)
         found%value = trim(adjustl(lines(i)%text(min(equals + 3, len(lines(i)%text) + 1):)))
         if (position(self%entries(:n), found%key) > 0) then
            call report(stat, errmsg, status_format, self%path//': the key '//found%key//' occurs twice; export the bundle again')
            return
         end if
         n = n + 1
         self%entries(n) = found
      end do
      self%entries = self%entries(:n)
   end subroutine read_entries

   pure integer function position(entries, key)
      type(entry), intent(in) :: entries(:)
      character(len=*), intent(in) :: key

      do position = size(entries), 1, -1
         if (entries(position)%key == key) return
      end do
      position = 0
   end function position

   pure logical function has_key(self, key)
      type(manifest), intent(in) :: self
      character(len=*), intent(in) :: key

      has_key = position(self%entries, key) > 0
   end function has_key

   !> The value of `key` as it stands.
   subroutine read_text(self, key, value, stat, errmsg)
      type(manifest), intent(in) :: self
      character(len=*), intent(in) :: key
      character(len=:), allocatable, intent(out) :: value
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: i

      value = ''
      if (stat /= status_ok) return
      i = position(self%entries, key)
      if (i > 0) then
         value = self%entries(i)%value
      else
         call report(stat, errmsg, status_name, self%path//' has no key '//key)
      end if
   end subroutine read_text

   !> The words of a value; `none` is the empty list.
   subroutine read_words(self, key, words, stat, errmsg)
      type(manifest), intent(in) :: self
      character(len=*), intent(in) :: key
      type(word), allocatable, intent(out) :: words(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: value

      call read_text(self, key, value, stat, errmsg)
      if (value == 'none' .or. value == 'scalar') value = ''
      call split(value, words)
   end subroutine read_words

   !> The words between the blanks of `text`.
   pure subroutine split(text, words)
      character(len=*), intent(in) :: text
      type(word), allocatable, intent(out) :: words(:)
      integer :: i, n, start, last

      n = count([(text(i:i) /= ' ' .and. text(max(i - 1, 1):max(i - 1, 1)) == ' ', i=2, len(text))])
      if (len(text) > 0) n = n + merge(1, 0, text(1:min(1, len(text))) /= ' ')
      allocate (words(n))
      start = 1
      do i = 1, n
         start = start + verify(text(start:), ' ') - 1
         last = start + index(text(start:)//' ', ' ') - 2
         words(i)%text = text(start:last)
         start = last + 1
      end do
   end subroutine split

   subroutine read_integers(self, key, values, stat, errmsg)
      type(manifest), intent(in) :: self
      character(len=*), intent(in) :: key
      integer(i8), allocatable, intent(out) :: values(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(word), allocatable :: words(:)
      integer :: i, iostat

      call read_words(self, key, words, stat, errmsg)
      allocate (values(size(words)))
      do i = 1, size(words)
         values(i) = 0
         iostat = verify(words(i)%text, '0123456789')
         if (iostat == 0) read (words(i)%text, *, iostat=iostat) values(i)
         if (iostat /= 0) then
            call report(stat, errmsg, status_format, self%path//': '//key//' holds "'//words(i)%text// &
                        '", expected non-negative integers; export the bundle again')
            return
         end if
      end do
   end subroutine read_integers

   subroutine read_integer(self, key, value, stat, errmsg)
      type(manifest), intent(in) :: self
      character(len=*), intent(in) :: key
      integer(i8), intent(out) :: value
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(i8), allocatable :: values(:)

      value = 0
      call read_integers(self, key, values, stat, errmsg)
      if (stat /= status_ok) return
      if (size(values) == 1) then
         value = values(1)
      else
         call report(stat, errmsg, status_format, self%path//': '//key//' is not one integer; export the bundle again')
      end if
   end subroutine read_integer

   subroutine read_real(self, key, value, stat, errmsg)
      type(manifest), intent(in) :: self
      character(len=*), intent(in) :: key
      real(dp), intent(out) :: value
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: text
      integer :: iostat

      value = 0
      call read_text(self, key, text, stat, errmsg)
      if (stat /= status_ok) return
      read (text, *, iostat=iostat) value
      if (iostat /= 0) call report(stat, errmsg, status_format, self%path//': '//key//' is "'//text// &
                                   '", expected a real number; export the bundle again')
   end subroutine read_real
end module subgrid_manifest
