!> The C interface (include/subgrid_c.h): the same models for hosts that are not Fortran.
module subgrid_c_api
   use subgrid_bridge, only: subgrid_finalize, subgrid_free, subgrid_init, subgrid_inquire, subgrid_load, subgrid_model, &
      subgrid_session
   use subgrid_engine, only: find_program, program_names, run_program
   use subgrid_errors, only: report, status_name, status_ok, status_shape, status_state
   use subgrid_files, only: text_of_integer
   use subgrid_kinds, only: i8
   use subgrid_pjrt, only: keep_message, lock, text_of, unlock
   use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_f_pointer, c_int32_t, c_int64_t, c_loc, c_null_char, &
      c_null_ptr, c_ptr
   implicit none (type, external)
   private
   public :: c_load, c_run, c_query, c_free

   !> A plug-in on a device, shared by the models that name it.
   type :: shared_session
      character(len=:), allocatable :: plugin
      integer :: device = 0
      type(subgrid_session) :: session
      integer :: models = 0
   end type shared_session

   type :: c_model
      type(subgrid_model) :: model
      integer :: session          !< index into sessions
   end type c_model

   type(shared_session), allocatable :: sessions(:)   !< grows only; guarded by the lock

contains

   integer(c_int32_t) function c_load(plugin, device, path, verify, model) bind(c, name='subgrid_c_load') result(code)
      type(c_ptr), value :: plugin, path
      integer(c_int32_t), value :: device, verify
      type(c_ptr), intent(out) :: model
      type(c_model), pointer :: made
      character(len=:), allocatable :: message
      integer :: status

      model = c_null_ptr
      allocate (made)
      call lock()
      call borrow_session(text_of(plugin), int(device), made%session, status, message)
      if (status == status_ok) then
         call subgrid_load(sessions(made%session)%session, text_of(path), made%model, verify /= 0, status, message)
         if (status /= status_ok) call return_session(made%session)
      end if
      call unlock()
      if (status == status_ok) then
         model = c_loc(made)
      else
         deallocate (made)
      end if
      code = concluded(status, message)
   end function c_load

   !> Index of the open session on this plug-in and device, opened now if it is not.
   subroutine borrow_session(plugin, device, s, status, message)
      character(len=*), intent(in) :: plugin
      integer, intent(in) :: device
      integer, intent(out) :: s, status
      character(len=:), allocatable, intent(inout) :: message
      type(shared_session) :: new

      if (.not. allocated(sessions)) allocate (sessions(0))
      status = status_ok
      do s = 1, size(sessions)
         if (sessions(s)%plugin == plugin .and. sessions(s)%device == device) exit
      end do
      if (s > size(sessions)) then
         new%plugin = plugin
         new%device = device
         sessions = [sessions, new]
      end if
      if (sessions(s)%models == 0) call subgrid_init(sessions(s)%session, plugin, device, stat=status, errmsg=message)
      if (status == status_ok) sessions(s)%models = sessions(s)%models + 1
   end subroutine borrow_session

   !> The last model on a device closes it.
   subroutine return_session(s)
      integer, intent(in) :: s
      integer :: ignored

      sessions(s)%models = sessions(s)%models - 1
      if (sessions(s)%models == 0) call subgrid_finalize(sessions(s)%session, stat=ignored)
   end subroutine return_session

   integer(c_int32_t) function c_run(model, program, n, inputs, input_bytes, n_inputs, outputs, output_bytes, n_outputs) &
      bind(c, name='subgrid_c_run') result(code)
      type(c_ptr), value :: model, program
      integer(c_int64_t), value :: n
      integer(c_int32_t), value :: n_inputs, n_outputs
      type(c_ptr), intent(in) :: inputs(n_inputs), outputs(n_outputs)
      integer(c_int64_t), intent(in) :: input_bytes(n_inputs), output_bytes(n_outputs)
      type(c_model), pointer :: self
      character(len=:), allocatable :: message, name
      integer :: status, p

      status = status_ok
      if (.not. c_associated(model)) then
         code = concluded_state()
         return
      end if
      call c_f_pointer(model, self)
      name = text_of(program)
      associate (engine => self%model%shared%engine)
         p = find_program(engine, name, n)
         if (p == 0) then
            call report(status, message, status_name, engine%bundle%path//' has no program "'//name//'"; it has '// &
               program_names(engine))
         else
            call require_sizes('input', n, inputs, input_bytes, engine%compiled(p)%input_bytes, status, message)
            call require_sizes('output', n, outputs, output_bytes, engine%compiled(p)%output_bytes, status, message)
            if (status == status_ok) call run_program(engine, name, n, inputs, outputs, status, message)
         end if
      end associate
      code = concluded(status, message)
   end function c_run

   subroutine require_sizes(role, n, addresses, bytes, bytes_each, status, message)
      character(len=*), intent(in) :: role
      integer(i8), intent(in) :: n, bytes(:), bytes_each(:)
      type(c_ptr), intent(in) :: addresses(:)
      integer, intent(inout) :: status
      character(len=:), allocatable, intent(inout) :: message
      integer :: i

      if (size(bytes) /= size(bytes_each)) call report(status, message, status_shape, 'the program has '// &
         text_of_integer(size(bytes_each, kind=i8))//' '//role//'s, '//text_of_integer(size(bytes, kind=i8))//' were given')
      do i = 1, min(size(bytes), size(bytes_each))
         if (status /= status_ok) return
         if (.not. c_associated(addresses(i))) then
            call report(status, message, status_state, role//' '//text_of_integer(int(i, i8))//' is NULL')
         else if (bytes(i) /= n*bytes_each(i)) then
            call report(status, message, status_shape, role//' '//text_of_integer(int(i, i8))//' has '// &
               text_of_integer(bytes(i))// &
                        ' bytes, expected '//text_of_integer(n*bytes_each(i))//' for '//text_of_integer(n)//' entries')
         end if
      end do
   end subroutine require_sizes

   integer(c_int32_t) function c_query(model, key, value, capacity, length) bind(c, name='subgrid_c_query') result(code)
      type(c_ptr), value :: model, key, value, length
      integer(c_int64_t), value :: capacity
      type(c_model), pointer :: self
      character(kind=c_char), pointer :: to(:)
      integer(c_int64_t), pointer :: full_length
      character(len=:), allocatable :: message, text
      integer :: status, i, copied

      if (.not. c_associated(model)) then
         code = concluded_state()
         return
      end if
      call c_f_pointer(model, self)
      call subgrid_inquire(self%model, text_of(key), text, status, message)
      if (c_associated(length)) then
         call c_f_pointer(length, full_length)
         full_length = len(text)
      end if
      if (c_associated(value) .and. capacity > 0) then
         call c_f_pointer(value, to, [capacity])
         copied = int(min(int(len(text), i8), capacity - 1))
         do i = 1, copied
            to(i) = text(i:i)
         end do
         to(copied + 1) = c_null_char
      end if
      code = concluded(status, message)
   end function c_query

   integer(c_int32_t) function c_free(model) bind(c, name='subgrid_c_free') result(code)
      type(c_ptr), value :: model
      type(c_model), pointer :: self
      integer :: status

      code = status_ok
      if (.not. c_associated(model)) return
      call c_f_pointer(model, self)
      call lock()
      call subgrid_free(self%model, stat=status)
      call return_session(self%session)
      call unlock()
      deallocate (self)
   end function c_free

   integer(c_int32_t) function concluded_state() result(code)
      character(len=:), allocatable :: message

      message = 'the model is NULL; load a bundle first'
      code = concluded(status_state, message)
   end function concluded_state

   !> Keep the sentence of a failure for subgrid_c_message.
   integer(c_int32_t) function concluded(status, message) result(code)
      integer, intent(in) :: status
      character(len=:), allocatable, intent(in) :: message

      code = int(status, c_int32_t)
      if (status /= status_ok .and. allocated(message)) call keep_message(message, int(len(message), c_int64_t))
   end function concluded
end module subgrid_c_api
