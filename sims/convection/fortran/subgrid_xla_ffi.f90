!> The few structs of XLA's foreign-function interface (FFI API 0.3) that a pure-Fortran handler needs.
!>
!> Offsets are those of xla/ffi/api/c_api.h, which jaxlib ships; every struct begins with its own size.
module subgrid_xla_ffi
   use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_f_pointer, c_funptr, c_int, c_int32_t, c_int64_t, &
      c_null_char, c_null_ptr, c_ptr, c_size_t
   implicit none (type, external)
   private
   public :: call_frame_type, buffer_type, answered_metadata, operand, result_of, integer_attribute, refuse, stage_execute

   integer(c_int), parameter :: stage_execute = 3, extension_metadata = 1, code_invalid_argument = 3
   integer(c_int), parameter :: api_major = 0, api_minor = 3

   type, bind(C) :: list_type
      integer(c_size_t) :: struct_size
      type(c_ptr) :: extension
      integer(c_int64_t) :: size
      type(c_ptr) :: types, items
   end type list_type

   type, bind(C) :: attributes_type
      integer(c_size_t) :: struct_size
      type(c_ptr) :: extension
      integer(c_int64_t) :: size
      type(c_ptr) :: types, names, items
   end type attributes_type

   type, bind(C) :: call_frame_type
      integer(c_size_t) :: struct_size
      type(c_ptr) :: extension, api, context
      integer(c_int) :: stage
      type(list_type) :: operands, results
      type(attributes_type) :: attributes
      type(c_ptr) :: future
   end type call_frame_type

   type, bind(C) :: buffer_type
      integer(c_size_t) :: struct_size
      type(c_ptr) :: extension
      integer(c_int) :: dtype
      type(c_ptr) :: data
      integer(c_int64_t) :: rank
      type(c_ptr) :: dims
   end type buffer_type

   type, bind(C) :: extension_type
      integer(c_size_t) :: struct_size
      integer(c_int) :: kind
      type(c_ptr) :: next, metadata
   end type extension_type

   type, bind(C) :: metadata_type
      integer(c_size_t) :: struct_size, version_size
      type(c_ptr) :: version_extension
      integer(c_int) :: major, minor
      integer(c_int32_t) :: traits
   end type metadata_type

   type, bind(C) :: scalar_type
      integer(c_int) :: dtype
      type(c_ptr) :: value
   end type scalar_type

   type, bind(C) :: api_type
      integer(c_size_t) :: struct_size
      type(c_ptr) :: extension
      integer(c_size_t) :: version_size
      type(c_ptr) :: version_extension
      integer(c_int) :: major, minor
      type(c_ptr) :: internal
      type(c_funptr) :: create_error
   end type api_type

   type, bind(C) :: error_arguments_type
      integer(c_size_t) :: struct_size
      type(c_ptr) :: extension, message
      integer(c_int) :: code
   end type error_arguments_type

   abstract interface
      function create_error_function(arguments) bind(C) result(error)
         import :: c_ptr, error_arguments_type
         implicit none (type, external)
         type(error_arguments_type), intent(in) :: arguments
         type(c_ptr) :: error
      end function create_error_function
   end interface

contains

   !> At registration XLA asks for the version of the interface; true if this was such a call.
   logical function answered_metadata(frame)
      type(call_frame_type), intent(in) :: frame
      type(extension_type), pointer :: extension
      type(metadata_type), pointer :: metadata

      answered_metadata = .false.
      if (.not. c_associated(frame%extension)) return
      call c_f_pointer(frame%extension, extension)
      if (extension%kind /= extension_metadata) return
      call c_f_pointer(extension%metadata, metadata)
      metadata%major = api_major
      metadata%minor = api_minor
      answered_metadata = .true.
   end function answered_metadata

   !> Operand i, counted from 1.
   function operand(frame, i) result(buffer)
      type(call_frame_type), intent(in) :: frame
      integer, intent(in) :: i
      type(buffer_type), pointer :: buffer

      buffer => item(frame%operands, i)
   end function operand

   !> Result i, counted from 1.
   function result_of(frame, i) result(buffer)
      type(call_frame_type), intent(in) :: frame
      integer, intent(in) :: i
      type(buffer_type), pointer :: buffer

      buffer => item(frame%results, i)
   end function result_of

   function item(list, i) result(buffer)
      type(list_type), intent(in) :: list
      integer, intent(in) :: i
      type(buffer_type), pointer :: buffer
      type(c_ptr), pointer :: addresses(:)

      call c_f_pointer(list%items, addresses, [list%size])
      call c_f_pointer(addresses(i), buffer)
   end function item

   !> Attribute i in the order of the names, a 32-bit integer.
   integer function integer_attribute(frame, i)
      type(call_frame_type), intent(in) :: frame
      integer, intent(in) :: i
      type(c_ptr), pointer :: addresses(:)
      type(scalar_type), pointer :: scalar
      integer(c_int32_t), pointer :: number

      call c_f_pointer(frame%attributes%items, addresses, [frame%attributes%size])
      call c_f_pointer(addresses(i), scalar)
      call c_f_pointer(scalar%value, number)
      integer_attribute = number
   end function integer_attribute

   !> An error for XLA with a message, which XLA copies.
   function refuse(frame, message) result(error)
      use, intrinsic :: iso_c_binding, only: c_f_procpointer, c_loc
      type(call_frame_type), intent(in) :: frame
      character(len=*), intent(in) :: message
      type(c_ptr) :: error
      type(api_type), pointer :: api
      procedure(create_error_function), pointer :: create
      type(error_arguments_type) :: arguments
      character(kind=c_char, len=len(message) + 1), target :: text

      text = message//c_null_char
      call c_f_pointer(frame%api, api)
      call c_f_procpointer(api%create_error, create)
      arguments = error_arguments_type(32_c_size_t, c_null_ptr, c_loc(text), code_invalid_argument)
      error = create(arguments)
   end function refuse
end module subgrid_xla_ffi
