!> A bundle directory in memory: what its manifest says, its weights and check vectors, and the programs of one platform, all
!> verified.
module subgrid_bundle
   use subgrid_errors, only: report, status_device, status_format, status_name, status_ok
   use subgrid_files, only: read_file, text_of_integer, verify_content
   use subgrid_kinds, only: dp, i8
   use subgrid_manifest, only: manifest, read_integer, read_integers, read_manifest, read_real, read_text, read_words, word
   use subgrid_pjrt, only: array_layout, kind_bytes, kind_names, max_rank
   use, intrinsic :: iso_fortran_env, only: int8
   implicit none (type, external)
   private
   public :: bundle, field, program_record, check_record, parameter_record, read_bundle, read_program_code, entry_bytes, &
      batch_layout

   !> An input or output of the scheme.
   type :: field
      character(len=:), allocatable :: name
      integer :: kind = 1                      !< code of subgrid_pjrt
      integer(i8), allocatable :: shape(:)     !< of one batch entry, Fortran order
   end type field

   type :: parameter_record
      type(array_layout) :: layout
      integer(i8) :: offset = 0                !< bytes from the start of the weights
   end type parameter_record

   type :: program_record
      character(len=:), allocatable :: name, platform, file, checksum
      integer(i8) :: batch = 0, bytes = 0
      type(word), allocatable :: inputs(:), outputs(:)        !< names of arguments and results
      integer(i8), allocatable :: parameters_kept(:), inputs_kept(:)   !< counted from 1
   end type program_record

   type :: check_record
      character(len=:), allocatable :: program
      integer(i8) :: batch = 0, entries = 0
      integer(i8), allocatable :: input_offsets(:), output_offsets(:)  !< bytes from the start of the check vectors
      real(dp) :: rtol = 0, atol = 0                   !< allowed: atol + rtol · max |expected|
   end type check_record

   type :: bundle
      character(len=:), allocatable :: path
      type(manifest) :: manifest
      type(field), allocatable :: fields(:)               !< inputs, then outputs
      type(parameter_record), allocatable :: parameters(:)
      type(program_record), allocatable :: programs(:)    !< of the platform asked for
      type(check_record), allocatable :: checks(:)
      integer(int8), allocatable :: weights(:), vectors(:)
   contains
      procedure :: find_field
   end type bundle

   character(len=*), parameter :: cotangent = 'cotangent:'  !< `cotangent:<name>` has the kind and shape of `<name>`

contains

   !> Read and verify everything that a host on `platform` needs.
   subroutine read_bundle(path, platform, self, stat, errmsg)
      character(len=*), intent(in) :: path, platform
      type(bundle), intent(out) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      self%path = path
      call read_manifest(path//'/manifest.txt', self%manifest, stat, errmsg)
      if (stat /= status_ok) return
      call read_fields(self, stat, errmsg)
      call read_parameters(self, stat, errmsg)
      call read_programs(self, platform, stat, errmsg)
      call read_checks(self, stat, errmsg)
      call read_stored(self, 'weights', self%weights, stat, errmsg)
      call read_stored(self, 'check', self%vectors, stat, errmsg)
      if (stat == status_ok) call require_coherent(self, stat, errmsg)
      if (stat == status_name) stat = status_format  ! a key that the format demands is missing
   end subroutine read_bundle

   subroutine read_fields(self, stat, errmsg)
      type(bundle), intent(inout) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(i8) :: n_inputs, n_outputs, i

      call read_integer(self%manifest, 'inputs', n_inputs, stat, errmsg)
      call read_integer(self%manifest, 'outputs', n_outputs, stat, errmsg)
      allocate (self%fields(n_inputs + n_outputs))
      do i = 1, n_inputs
         call read_field(self%manifest, 'input.'//text_of_integer(i), self%fields(i), stat, errmsg)
      end do
      do i = 1, n_outputs
         call read_field(self%manifest, 'output.'//text_of_integer(i), self%fields(n_inputs + i), stat, errmsg)
      end do
   end subroutine read_fields

   subroutine read_field(source, key, self, stat, errmsg)
      type(manifest), intent(in) :: source
      character(len=*), intent(in) :: key
      type(field), intent(out) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call read_text(source, key//'.name', self%name, stat, errmsg)
      call read_kind(source, key//'.kind', self%kind, stat, errmsg)
      call read_integers(source, key//'.shape_fortran', self%shape, stat, errmsg)
      if (stat == status_ok .and. size(self%shape) >= max_rank) call report(stat, errmsg, status_format, &
         source%path//': '//key//' has more dimensions than the bridge passes on (7 and the batch)')
   end subroutine read_field

   subroutine read_kind(source, key, kind, stat, errmsg)
      type(manifest), intent(in) :: source
      character(len=*), intent(in) :: key
      integer, intent(out) :: kind
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: text

      kind = 1
      call read_text(source, key, text, stat, errmsg)
      if (stat /= status_ok) return
      kind = findloc(kind_names == text, .true., dim=1)
      if (kind == 0) call report(stat, errmsg, status_format, source%path//': '//key//' is "'//text// &
                                 '", expected float32, float64, int32 or int64; export the bundle again')
      kind = max(kind, 1)
   end subroutine read_kind

   subroutine read_parameters(self, stat, errmsg)
      type(bundle), intent(inout) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: key
      integer(i8), allocatable :: shape(:)
      integer(i8) :: n, i
      integer :: kind

      call read_integer(self%manifest, 'parameters', n, stat, errmsg)
      allocate (self%parameters(n))
      do i = 1, n
         key = 'parameter.'//text_of_integer(i)
         call read_kind(self%manifest, key//'.kind', kind, stat, errmsg)
         call read_integers(self%manifest, key//'.shape', shape, stat, errmsg)
         call read_integer(self%manifest, key//'.offset', self%parameters(i)%offset, stat, errmsg)
         if (stat /= status_ok) return
         if (size(shape) > max_rank) then
            call report(stat, errmsg, status_format, self%manifest%path//': '//key//' has more than 8 dimensions')
            return
         end if
         self%parameters(i)%layout%kind = kind
         self%parameters(i)%layout%rank = size(shape)
         self%parameters(i)%layout%dims(:size(shape)) = shape
      end do
   end subroutine read_parameters

   !> The programs of `platform`; none is status_device.
   subroutine read_programs(self, platform, stat, errmsg)
      type(bundle), intent(inout) :: self
      character(len=*), intent(in) :: platform
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(program_record) :: found
      integer(i8) :: n, i

      call read_integer(self%manifest, 'programs', n, stat, errmsg)
      allocate (self%programs(0))
      do i = 1, n
         call read_program(self%manifest, 'program.'//text_of_integer(i), found, stat, errmsg)
         if (stat /= status_ok) return
         if (found%platform == platform) self%programs = [self%programs, found]
      end do
      if (stat == status_ok .and. size(self%programs) == 0) call report(stat, errmsg, status_device, &
         self%path//' has no program for the platform "'//platform//'"; export the bundle for it')
   end subroutine read_programs

   subroutine read_program(source, key, self, stat, errmsg)
      type(manifest), intent(in) :: source
      character(len=*), intent(in) :: key
      type(program_record), intent(out) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call read_text(source, key//'.name', self%name, stat, errmsg)
      call read_text(source, key//'.platform', self%platform, stat, errmsg)
      call read_integer(source, key//'.batch', self%batch, stat, errmsg)
      call read_text(source, key//'.file', self%file, stat, errmsg)
      call read_integer(source, key//'.bytes', self%bytes, stat, errmsg)
      call read_text(source, key//'.sha256', self%checksum, stat, errmsg)
      call read_words(source, key//'.inputs', self%inputs, stat, errmsg)
      call read_words(source, key//'.outputs', self%outputs, stat, errmsg)
      call read_integers(source, key//'.parameters_kept', self%parameters_kept, stat, errmsg)
      call read_integers(source, key//'.inputs_kept', self%inputs_kept, stat, errmsg)
      if (stat /= status_ok) return
      if (index(self%file, '..') > 0 .or. index(self%file, '/') == 1) call report(stat, errmsg, status_format, &
         source%path//': '//key//'.file leaves the bundle ("'//self%file//'")')
      if (self%batch < 1) call report(stat, errmsg, status_format, source%path//': '//key//'.batch is not positive')
   end subroutine read_program

   subroutine read_checks(self, stat, errmsg)
      type(bundle), intent(inout) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: key
      integer(i8) :: n, i

      call read_integer(self%manifest, 'checks', n, stat, errmsg)
      allocate (self%checks(n))
      do i = 1, n
         key = 'check.'//text_of_integer(i)
         call read_text(self%manifest, key//'.program', self%checks(i)%program, stat, errmsg)
         call read_integer(self%manifest, key//'.batch', self%checks(i)%batch, stat, errmsg)
         call read_integer(self%manifest, key//'.entries', self%checks(i)%entries, stat, errmsg)
         call read_integers(self%manifest, key//'.input_offsets', self%checks(i)%input_offsets, stat, errmsg)
         call read_integers(self%manifest, key//'.output_offsets', self%checks(i)%output_offsets, stat, errmsg)
         call read_real(self%manifest, key//'.rtol', self%checks(i)%rtol, stat, errmsg)
         call read_real(self%manifest, key//'.atol', self%checks(i)%atol, stat, errmsg)
      end do
   end subroutine read_checks

   !> weights.bin or check.bin, verified.
   subroutine read_stored(self, role, content, stat, errmsg)
      type(bundle), intent(in) :: self
      character(len=*), intent(in) :: role
      integer(int8), allocatable, intent(out) :: content(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: checksum
      integer(i8) :: bytes

      call read_integer(self%manifest, role//'.bytes', bytes, stat, errmsg)
      call read_text(self%manifest, role//'.sha256', checksum, stat, errmsg)
      if (stat /= status_ok) return
      call read_file(self%path//'/'//role//'.bin', content, stat, errmsg)
      call verify_content(self%path//'/'//role//'.bin', content, bytes, checksum, stat, errmsg)
   end subroutine read_stored

   !> The bytes of one program, verified.
   subroutine read_program_code(self, program, code, stat, errmsg)
      type(bundle), intent(in) :: self
      type(program_record), intent(in) :: program
      integer(int8), allocatable, intent(out) :: code(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call read_file(self%path//'/'//program%file, code, stat, errmsg)
      call verify_content(self%path//'/'//program%file, code, program%bytes, program%checksum, stat, errmsg)
   end subroutine read_program_code

   !> What single keys cannot show: names without a field, indices and offsets outside their ranges.
   subroutine require_coherent(self, stat, errmsg)
      type(bundle), intent(in) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: i

      do i = 1, size(self%parameters)
         call require(self%parameters(i)%offset + layout_bytes(self%parameters(i)%layout) <= size(self%weights, kind=i8), &
                      'a parameter reaches past the end of weights.bin')
      end do
      do i = 1, size(self%programs)
         associate (p => self%programs(i))
            call require(all(known(p%inputs)) .and. all(known(p%outputs)), 'program '//p%name//' names an unknown field')
            call require(within(p%parameters_kept, size(self%parameters)) .and. within(p%inputs_kept, size(p%inputs)), &
                         'program '//p%name//' keeps an argument that does not exist')
         end associate
      end do
      do i = 1, size(self%checks)
         call require(self%checks(i)%entries >= 1 .and. self%checks(i)%entries <= self%checks(i)%batch, &
                      'a check has more entries than its batch')
      end do

   contains

      subroutine require(condition, sentence)
         logical, intent(in) :: condition
         character(len=*), intent(in) :: sentence

         if (.not. condition .and. stat == status_ok) call report(stat, errmsg, status_format, &
            self%manifest%path//': '//sentence//'; export the bundle again')
      end subroutine require

      pure logical function within(indices, n)
         integer(i8), intent(in) :: indices(:)
         integer, intent(in) :: n

         within = all(indices >= 1 .and. indices <= n)
      end function within

      elemental logical function known(name)
         type(word), intent(in) :: name

         known = self%find_field(name%text) > 0
      end function known
   end subroutine require_coherent

   !> Index of the field that `name` or `cotangent:<name>` means; 0 when there is none.
   pure integer function find_field(self, name)
      class(bundle), intent(in) :: self
      character(len=*), intent(in) :: name
      integer :: start

      start = 1
      if (index(name, cotangent) == 1) start = len(cotangent) + 1
      do find_field = size(self%fields), 1, -1
         if (self%fields(find_field)%name == name(start:)) return
      end do
      find_field = 0
   end function find_field

   !> Bytes of one batch entry.
   pure integer(i8) function entry_bytes(self)
      type(field), intent(in) :: self

      entry_bytes = kind_bytes(self%kind)*product(self%shape)
   end function entry_bytes

   !> As the plug-in is told: C order, the batch first.
   pure function batch_layout(self, batch) result(layout)
      type(field), intent(in) :: self
      integer(i8), intent(in) :: batch
      type(array_layout) :: layout
      integer :: rank

      rank = size(self%shape)
      layout%kind = self%kind
      layout%rank = rank + 1
      layout%dims(1) = batch
      layout%dims(2:rank + 1) = self%shape(rank:1:-1)
   end function batch_layout

   pure integer(i8) function layout_bytes(layout)
      type(array_layout), intent(in) :: layout

      layout_bytes = kind_bytes(layout%kind)*product(layout%dims(:layout%rank))
   end function layout_bytes
end module subgrid_bundle
