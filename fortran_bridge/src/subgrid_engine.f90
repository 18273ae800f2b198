!> A bundle that is compiled and lies on a device: programs, weights, the choice of batch sizes, and the self-test.
module subgrid_engine
   use subgrid_bundle, only: batch_layout, bundle, entry_bytes, program_record, read_bundle, read_program_code
   use subgrid_errors, only: report, status_name, status_ok, status_value
   use subgrid_files, only: text_of_integer
   use subgrid_kinds, only: i8
   use subgrid_manifest, only: word
   use subgrid_pjrt, only: aligned_memory, array_layout, free_memory, message_size, pad_entries, pjrt_compile, pjrt_discard, &
      pjrt_execute, pjrt_release, pjrt_upload, text_of
   use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_intptr_t, c_loc, c_null_ptr, c_ptr
   use, intrinsic :: iso_fortran_env, only: int8
   implicit none (type, external)
   private
   public :: engine, slot, start_engine, stop_engine, run_program, run_batch, find_program, find_slot, program_names, &
      shifted

   !> A name under which a host may attach an array; `field` says what the array looks like.
   type :: slot
      character(len=:), allocatable :: name
      integer :: field = 0
      logical :: is_input = .false., is_output = .false.
   end type slot

   type :: compiled_program
      type(c_ptr) :: handle = c_null_ptr
      integer, allocatable :: input_slots(:), output_slots(:)     !< of all arguments and results
      integer, allocatable :: input_fields(:), output_fields(:)   !< of all arguments and results, indices into the fields
      integer(i8), allocatable :: input_bytes(:), output_bytes(:) !< of one entry
   end type compiled_program

   type :: engine
      type(c_ptr) :: client = c_null_ptr
      type(bundle) :: bundle
      type(compiled_program), allocatable :: compiled(:)          !< one for each of the bundle's programs
      type(slot), allocatable :: slots(:)
      type(c_ptr), allocatable :: parameters(:)                   !< buffers on the device
   end type engine

contains

   !> Read the bundle, upload its weights, compile all programs of the client's platform.
   subroutine start_engine(self, client, platform, path, stat, errmsg)
      type(engine), intent(inout) :: self
      type(c_ptr), intent(in) :: client
      character(len=*), intent(in) :: platform, path
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: i

      self%client = client
      call read_bundle(path, platform, self%bundle, stat, errmsg)
      if (stat /= status_ok) return
      call upload_parameters(self, stat, errmsg)
      allocate (self%compiled(size(self%bundle%programs)), self%slots(0))
      do i = 1, size(self%compiled)
         if (stat == status_ok) call compile_program(self, self%bundle%programs(i), self%compiled(i), stat, errmsg)
         call add_slots(self, self%bundle%programs(i)%inputs, .true., self%compiled(i)%input_slots)
         call add_slots(self, self%bundle%programs(i)%outputs, .false., self%compiled(i)%output_slots)
      end do
      if (stat == status_ok) deallocate (self%bundle%weights)  ! they lie on the device now
   end subroutine start_engine

   subroutine upload_parameters(self, stat, errmsg)
      type(engine), intent(inout), target :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(kind=c_char) :: message(message_size)
      integer :: i, code

      allocate (self%parameters(size(self%bundle%parameters)))
      self%parameters = c_null_ptr
      do i = 1, size(self%parameters)
         associate (p => self%bundle%parameters(i))
            code = pjrt_upload(self%client, shifted(c_loc(self%bundle%weights), p%offset), p%layout, self%parameters(i), message)
         end associate
         if (code /= 0) then
            call report(stat, errmsg, code, self%bundle%path//', weights: '//text_of(message))
            return
         end if
      end do
   end subroutine upload_parameters

   subroutine compile_program(self, record, compiled, stat, errmsg)
      type(engine), intent(in) :: self
      type(program_record), intent(in) :: record
      type(compiled_program), intent(inout) :: compiled
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(int8), allocatable, target :: code(:)
      character(kind=c_char) :: message(message_size)
      type(c_ptr), allocatable :: parameters(:)
      type(array_layout), allocatable :: inputs(:), outputs(:)
      integer :: status

      compiled%input_fields = fields_of(self%bundle, record%inputs)
      compiled%output_fields = fields_of(self%bundle, record%outputs)
      compiled%input_bytes = bytes_of(self%bundle, compiled%input_fields)
      compiled%output_bytes = bytes_of(self%bundle, compiled%output_fields)
      call read_program_code(self%bundle, record, code, stat, errmsg)
      if (stat /= status_ok) return
      parameters = self%parameters(record%parameters_kept)
      inputs = layouts_of(self%bundle, compiled%input_fields(record%inputs_kept), record%batch)
      outputs = layouts_of(self%bundle, compiled%output_fields, record%batch)
      status = pjrt_compile(self%client, c_loc(code), size(code, kind=i8), size(parameters), parameters, size(inputs), inputs, &
                            size(outputs), outputs, compiled%handle, message)
      if (status /= 0) call report(stat, errmsg, status, self%bundle%path//', program '//record%name//' for batch '// &
                                   text_of_integer(record%batch)//': '//text_of(message))
   end subroutine compile_program

   !> The slots of `names`, new ones being appended.
   subroutine add_slots(self, names, as_input, slots)
      type(engine), intent(inout) :: self
      type(word), intent(in) :: names(:)
      logical, intent(in) :: as_input
      integer, allocatable, intent(out) :: slots(:)
      type(slot) :: new
      integer :: i

      allocate (slots(size(names)))
      do i = 1, size(names)
         slots(i) = find_slot(self, names(i)%text)
         if (slots(i) == 0) then
            new%name = names(i)%text
            new%field = self%bundle%find_field(names(i)%text)
            self%slots = [self%slots, new]
            slots(i) = size(self%slots)
         end if
         if (as_input) self%slots(slots(i))%is_input = .true.
         if (.not. as_input) self%slots(slots(i))%is_output = .true.
      end do
   end subroutine add_slots

   !> Index of the slot `name`; 0 when there is none.
   pure integer function find_slot(self, name)
      type(engine), intent(in) :: self
      character(len=*), intent(in) :: name

      do find_slot = size(self%slots), 1, -1
         if (self%slots(find_slot)%name == name) return
      end do
      find_slot = 0
   end function find_slot

   !> 'forward, vjp': what there is to run.
   pure function program_names(self) result(names)
      type(engine), intent(in) :: self
      character(len=:), allocatable :: names
      integer :: i

      names = ''
      do i = 1, size(self%bundle%programs)
         associate (name => self%bundle%programs(i)%name)
            if (index(', '//names//', ', ', '//name//', ') == 0) names = names//', '//name
         end associate
      end do
      names = names(3:)
   end function program_names

   pure function fields_of(source, names) result(fields)
      type(bundle), intent(in) :: source
      type(word), intent(in) :: names(:)
      integer, allocatable :: fields(:)
      integer :: i

      allocate (fields(size(names)))
      do i = 1, size(names)
         fields(i) = source%find_field(names(i)%text)
      end do
   end function fields_of

   pure function bytes_of(source, fields) result(bytes)
      type(bundle), intent(in) :: source
      integer, intent(in) :: fields(:)
      integer(i8), allocatable :: bytes(:)
      integer :: i

      allocate (bytes(size(fields)))
      do i = 1, size(fields)
         bytes(i) = entry_bytes(source%fields(fields(i)))
      end do
   end function bytes_of

   pure function layouts_of(source, fields, batch) result(layouts)
      type(bundle), intent(in) :: source
      integer, intent(in) :: fields(:)
      integer(i8), intent(in) :: batch
      type(array_layout), allocatable :: layouts(:)
      integer :: i

      allocate (layouts(size(fields)))
      do i = 1, size(fields)
         layouts(i) = batch_layout(source%fields(fields(i)), batch)
      end do
   end function layouts_of

   !> Release programs, then weights.
   subroutine stop_engine(self)
      type(engine), intent(inout) :: self
      integer :: i

      if (allocated(self%compiled)) then
         do i = 1, size(self%compiled)
            call pjrt_discard(self%compiled(i)%handle)
         end do
         deallocate (self%compiled)
      end if
      if (allocated(self%parameters)) then
         do i = 1, size(self%parameters)
            if (c_associated(self%parameters(i))) call pjrt_release(self%client, self%parameters(i))
         end do
         deallocate (self%parameters)
      end if
   end subroutine stop_engine

   !> Index of the program `name` for `n` entries: the smallest batch that holds them, else the largest; 0 for an unknown name.
   pure integer function find_program(self, name, n) result(best)
      type(engine), intent(in) :: self
      character(len=*), intent(in) :: name
      integer(i8), intent(in) :: n
      integer :: i

      best = 0
      do i = 1, size(self%bundle%programs)
         associate (candidate => self%bundle%programs(i))
            if (candidate%name /= name) cycle
            if (best == 0) then
               best = i
            else if (self%bundle%programs(best)%batch < n) then
               if (candidate%batch > self%bundle%programs(best)%batch) best = i
            else if (candidate%batch >= n .and. candidate%batch < self%bundle%programs(best)%batch) then
               best = i
            end if
         end associate
      end do
   end function find_program

   !> Run the program `name` on `n` entries, in as many batches as that takes.
   subroutine run_program(self, name, n, inputs, outputs, stat, errmsg)
      type(engine), intent(in) :: self
      character(len=*), intent(in) :: name
      integer(i8), intent(in) :: n
      type(c_ptr), intent(in) :: inputs(:), outputs(:)  !< first entries of all arguments and results
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(i8) :: first, valid
      integer :: p

      if (n < 1) then
         call report(stat, errmsg, status_value, 'a run on '//text_of_integer(n)//' entries: at least one is needed')
         return
      end if
      first = 0
      do while (first < n .and. stat == status_ok)
         p = find_program(self, name, n - first)
         valid = min(n - first, self%bundle%programs(p)%batch)
         call run_batch(self, p, valid, all_shifted(inputs, first*self%compiled(p)%input_bytes), &
                        all_shifted(outputs, first*self%compiled(p)%output_bytes), stat, errmsg)
         first = first + valid
      end do
   end subroutine run_program

   !> Run program number `p` once on `valid` ≤ batch entries.
   subroutine run_batch(self, p, valid, inputs, outputs, stat, errmsg)
      type(engine), intent(in) :: self
      integer, intent(in) :: p
      integer(i8), intent(in) :: valid
      type(c_ptr), intent(in) :: inputs(:), outputs(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(kind=c_char) :: message(message_size)
      type(c_ptr) :: arguments(size(self%bundle%programs(p)%inputs_kept))
      integer :: i, k, status

      associate (record => self%bundle%programs(p), compiled => self%compiled(p))
         do k = 1, size(arguments)
            i = int(record%inputs_kept(k))
            arguments(k) = inputs(i)
            if (valid == record%batch) cycle
            arguments(k) = aligned_memory(record%batch*compiled%input_bytes(i))
            if (c_associated(arguments(k))) call pad_entries(inputs(i), compiled%input_bytes(i), valid, record%batch, arguments(k))
         end do
         status = status_value
         if (all_associated(arguments)) status = pjrt_execute(compiled%handle, arguments, outputs, valid*compiled%output_bytes, &
            message)
         if (status == status_value .and. .not. all_associated(arguments)) then
            call report(stat, errmsg, status_value, 'no memory to pad a batch of '//record%name)
         else if (status /= 0) then
            call report(stat, errmsg, status, self%bundle%path//', program '//record%name//' for batch '// &
                        text_of_integer(record%batch)//': '//text_of(message))
         end if
         if (valid < record%batch) then
            do k = 1, size(arguments)
               call free_memory(arguments(k))
            end do
         end if
      end associate
   end subroutine run_batch

   pure logical function all_associated(addresses)
      type(c_ptr), intent(in) :: addresses(:)
      integer :: i

      all_associated = .true.
      do i = 1, size(addresses)
         all_associated = all_associated .and. c_associated(addresses(i))
      end do
   end function all_associated

   !> An address `bytes` further on.
   pure type(c_ptr) function shifted(address, bytes)
      type(c_ptr), intent(in) :: address
      integer(i8), intent(in) :: bytes

      shifted = transfer(transfer(address, 0_c_intptr_t) + bytes, address)
   end function shifted

   !> The same for a list. (An elemental function of a scalar address goes wrong in gfortran 12.)
   pure function all_shifted(addresses, bytes) result(moved)
      type(c_ptr), intent(in) :: addresses(:)
      integer(i8), intent(in) :: bytes(:)
      type(c_ptr) :: moved(size(addresses))
      integer :: i

      do i = 1, size(addresses)
         moved(i) = shifted(addresses(i), bytes(i))
      end do
   end function all_shifted
end module subgrid_engine
