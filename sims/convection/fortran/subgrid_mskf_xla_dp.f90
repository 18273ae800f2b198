!> XLA handler of the scheme: jitted JAX calls it on its own buffers, without a copy.
!>
!> Operands: the inputs and the state of subgrid_mskf_c, in that order; results: the state, exit_code, status. Leading
!> axes, however many, are columns. Attributes, by name: clean (0 or 1), threads (OpenMP).
module subgrid_mskf_xla_dp
   use, intrinsic :: iso_c_binding, only: c_f_pointer, c_int, c_int64_t, c_null_ptr, c_ptr
   use subgrid_mskf_c_dp, only: columns_from_addresses, input_count, state_count
   use subgrid_xla_ffi, only: answered_metadata, buffer_type, call_frame_type, integer_attribute, operand, refuse, &
      result_of, stage_execute
   implicit none (type, external)
   private
   public :: handle_call

contains

   !> Entry that XLA calls at registration and at every execution.
   function handle_call(frame) bind(C, name='subgrid_mskf_handler_dp') result(error)
      type(call_frame_type), intent(in) :: frame
      type(c_ptr) :: error

      error = c_null_ptr
      if (answered_metadata(frame)) return
      if (frame%stage /= stage_execute) return
      if (frame%operands%size /= input_count + state_count .or. frame%results%size /= state_count + 2 &
         .or. frame%attributes%size /= 2) then
         error = refuse(frame, 'subgrid_mskf: expected 42 operands, 21 results and the attributes clean and threads')
         return
      end if
      call run_frame(frame)
   end function handle_call

   !> Point the scheme at the buffers; an operand without elements stands for a quantity at rest.
   subroutine run_frame(frame)
      type(call_frame_type), intent(in) :: frame
      type(buffer_type), pointer :: buffer, answer
      type(c_ptr) :: inputs(input_count), entering(state_count), state(state_count)
      integer(c_int64_t), pointer :: dims(:)
      integer(c_int), pointer :: outcome(:), status(:)
      integer :: i, levels, columns

      buffer => operand(frame, 1)
      call c_f_pointer(buffer%dims, dims, [buffer%rank])
      levels = int(dims(buffer%rank))
      columns = int(product(dims(:buffer%rank - 1)))
      if (columns == 0) return
      do i = 1, input_count
         buffer => operand(frame, i)
         inputs(i) = buffer%data
      end do
      do i = 1, state_count
         buffer => operand(frame, input_count + i)
         answer => result_of(frame, i)
         entering(i) = c_null_ptr
         if (elements(buffer) > 0) entering(i) = buffer%data
         state(i) = answer%data
      end do
      answer => result_of(frame, state_count + 1)
      call c_f_pointer(answer%data, outcome, [columns])
      answer => result_of(frame, state_count + 2)
      call c_f_pointer(answer%data, status, [columns])
      call columns_from_addresses(levels, columns, integer_attribute(frame, 1), integer_attribute(frame, 2), inputs, &
         entering, state, outcome, status)
   end subroutine run_frame

   !> Size of a buffer.
   integer(c_int64_t) function elements(buffer)
      type(buffer_type), intent(in) :: buffer
      integer(c_int64_t), pointer :: dims(:)

      call c_f_pointer(buffer%dims, dims, [buffer%rank])
      elements = product(dims)
   end function elements
end module subgrid_mskf_xla_dp
