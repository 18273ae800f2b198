!> The C shim as Fortran sees it: subgrid_pjrt.h, host_array.c, sha256.c and last_message.c.
module subgrid_pjrt
   use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_f_pointer, c_float, c_int, c_int32_t, c_int64_t, c_null_char, &
      c_ptr, c_size_t
   implicit none (type, external)
   private
   public :: array_layout, host_array, text_of, c_text, sha256_of
   public :: pjrt_open, pjrt_close, pjrt_text, pjrt_upload, pjrt_release, pjrt_compile, pjrt_discard, pjrt_execute
   public :: describe, pack_array, unpack_array, pad_entries, aligned_memory, free_memory, keep_message, lock, unlock
   public :: message_size, max_rank, kind_names, kind_bytes

   integer, parameter :: message_size = 1024
   integer, parameter :: max_rank = 8
   !> Kinds by the codes of the shim, 1 … 4, and the bytes of one element.
   character(len=7), parameter :: kind_names(4) = [character(len=7) :: 'float32', 'float64', 'int32', 'int64']
   integer, parameter :: kind_bytes(4) = [4, 8, 4, 8]

   !> Kind, rank and dimensions (C order, batch first) of one array of a program.
   type, bind(c) :: array_layout
      integer(c_int32_t) :: kind = 0, rank = 0
      integer(c_int64_t) :: dims(max_rank) = 0
   end type array_layout

   !> An array of the host; extents in Fortran order; kind 0 is none of the four.
   type, bind(c) :: host_array
      type(c_ptr) :: address
      integer(c_int64_t) :: bytes
      integer(c_int32_t) :: kind, rank, contiguous, aligned
      integer(c_int64_t) :: extents(max_rank)
   end type host_array

   interface
      integer(c_int) function pjrt_open(path, family, device, memory_fraction, threads, client, message) bind(c, &
         name='subgrid_pjrt_open')
         import :: c_char, c_float, c_int, c_ptr
         implicit none (type, external)
         character(kind=c_char), intent(in) :: path(*), family(*)
         integer(c_int), value :: device, threads
         real(c_float), value :: memory_fraction
         type(c_ptr), intent(out) :: client
         character(kind=c_char), intent(out) :: message(*)
      end function pjrt_open

      subroutine pjrt_close(client) bind(c, name='subgrid_pjrt_close')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: client
      end subroutine pjrt_close

      type(c_ptr) function pjrt_text(client, what) bind(c, name='subgrid_pjrt_text')
         import :: c_char, c_ptr
         implicit none (type, external)
         type(c_ptr), value :: client
         character(kind=c_char), intent(in) :: what(*)
      end function pjrt_text

      integer(c_int) function pjrt_upload(client, data, layout, buffer, message) bind(c, name='subgrid_pjrt_upload')
         import :: array_layout, c_char, c_int, c_ptr
         implicit none (type, external)
         type(c_ptr), value :: client, data
         type(array_layout), intent(in) :: layout
         type(c_ptr), intent(out) :: buffer
         character(kind=c_char), intent(out) :: message(*)
      end function pjrt_upload

      subroutine pjrt_release(client, buffer) bind(c, name='subgrid_pjrt_release')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: client, buffer
      end subroutine pjrt_release

      integer(c_int) function pjrt_compile(client, code, code_size, n_parameters, parameters, n_inputs, inputs, n_outputs, &
         outputs, &
                                           program, message) bind(c, name='subgrid_pjrt_compile')
         import :: array_layout, c_char, c_int, c_int64_t, c_ptr
         implicit none (type, external)
         type(c_ptr), value :: client, code
         integer(c_int64_t), value :: code_size
         integer(c_int), value :: n_parameters, n_inputs, n_outputs
         type(c_ptr), intent(in) :: parameters(*)
         type(array_layout), intent(in) :: inputs(*), outputs(*)
         type(c_ptr), intent(out) :: program
         character(kind=c_char), intent(out) :: message(*)
      end function pjrt_compile

      subroutine pjrt_discard(program) bind(c, name='subgrid_pjrt_discard')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: program
      end subroutine pjrt_discard

      integer(c_int) function pjrt_execute(program, inputs, outputs, wanted_bytes, message) bind(c, name='subgrid_pjrt_execute')
         import :: c_char, c_int, c_int64_t, c_ptr
         implicit none (type, external)
         type(c_ptr), value :: program
         type(c_ptr), intent(in) :: inputs(*), outputs(*)
         integer(c_int64_t), intent(in) :: wanted_bytes(*)
         character(kind=c_char), intent(out) :: message(*)
      end function pjrt_execute

      subroutine describe(array, description) bind(c, name='subgrid_describe')
         import :: host_array
         implicit none (type, external)
         type(*), dimension(..), intent(in) :: array
         type(host_array), intent(out) :: description
      end subroutine describe

      subroutine pack_array(array, packed) bind(c, name='subgrid_pack')
         import :: c_ptr
         implicit none (type, external)
         type(*), dimension(..), intent(in) :: array
         type(c_ptr), value :: packed
      end subroutine pack_array

      subroutine unpack_array(array, packed) bind(c, name='subgrid_unpack')
         import :: c_ptr
         implicit none (type, external)
         type(*), dimension(..), intent(inout) :: array
         type(c_ptr), value :: packed
      end subroutine unpack_array

      subroutine pad_entries(entries, entry_bytes, valid, batch, padded) bind(c, name='subgrid_pad')
         import :: c_int64_t, c_ptr
         implicit none (type, external)
         type(c_ptr), value :: entries, padded
         integer(c_int64_t), value :: entry_bytes, valid, batch
      end subroutine pad_entries

      type(c_ptr) function aligned_memory(bytes) bind(c, name='subgrid_aligned_memory')
         import :: c_int64_t, c_ptr
         implicit none (type, external)
         integer(c_int64_t), value :: bytes
      end function aligned_memory

      subroutine free_memory(memory) bind(c, name='subgrid_free_memory')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: memory
      end subroutine free_memory

      subroutine sha256(data, size, hex) bind(c, name='subgrid_sha256')
         import :: c_char, c_int64_t, c_ptr
         implicit none (type, external)
         type(c_ptr), value :: data
         integer(c_int64_t), value :: size
         character(kind=c_char), intent(out) :: hex(64)
      end subroutine sha256

      subroutine keep_message(text, length) bind(c, name='subgrid_keep_message')
         import :: c_char, c_int64_t
         implicit none (type, external)
         character(kind=c_char), intent(in) :: text(*)
         integer(c_int64_t), value :: length
      end subroutine keep_message

      subroutine lock() bind(c, name='subgrid_lock')
         implicit none (type, external)
      end subroutine lock

      subroutine unlock() bind(c, name='subgrid_unlock')
         implicit none (type, external)
      end subroutine unlock

      integer(c_size_t) function c_length(text) bind(c, name='strlen')
         import :: c_ptr, c_size_t
         implicit none (type, external)
         type(c_ptr), value :: text
      end function c_length
   end interface

   interface text_of
      module procedure text_of_characters, text_of_address
   end interface text_of

contains

   !> Fortran string → zero-terminated C string.
   pure function c_text(text) result(c)
      character(len=*), intent(in) :: text
      character(kind=c_char) :: c(len(text) + 1)
      integer :: i

      c(:len(text)) = [(text(i:i), i=1, len(text))]
      c(len(text) + 1) = c_null_char
   end function c_text

   !> The characters before the first zero.
   pure function text_of_characters(c) result(text)
      character(kind=c_char), intent(in) :: c(:)
      character(len=:), allocatable :: text
      integer :: i, length

      length = findloc(c, c_null_char, dim=1) - 1
      if (length < 0) length = size(c)
      allocate (character(len=length) :: text)
      do i = 1, length
         text(i:i) = c(i)
      end do
   end function text_of_characters

   !> The C string at an address; '' for NULL.
   function text_of_address(address) result(text)
      type(c_ptr), intent(in) :: address
      character(len=:), allocatable :: text
      character(kind=c_char), pointer :: c(:)

      text = ''
      if (.not. c_associated(address)) return
      call c_f_pointer(address, c, [c_length(address)])
      text = text_of_characters(c)
   end function text_of_address

   !> SHA-256 of `size` bytes at an address, 64 hexadecimal digits.
   function sha256_of(data, size) result(digest)
      type(c_ptr), intent(in) :: data
      integer(c_int64_t), intent(in) :: size  !< bytes
      character(len=64) :: digest
      character(kind=c_char) :: hex(64)
      integer :: i

      call sha256(data, size, hex)
      do i = 1, 64
         digest(i:i) = hex(i)
      end do
   end function sha256_of
end module subgrid_pjrt
