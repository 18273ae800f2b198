!> The host's arrays: checked against the manifest, because a plug-in checks no more than the number of bytes, and kept by slot.
module subgrid_binding
   use subgrid_bundle, only: entry_bytes, field
   use subgrid_engine, only: engine, find_program, find_slot, program_names
   use subgrid_errors, only: report, status_kind, status_name, status_ok, status_rank, status_shape, status_state, status_value
   use subgrid_files, only: text_of_integer
   use subgrid_kinds, only: i8
   use subgrid_pjrt, only: aligned_memory, describe, free_memory, host_array, kind_names, pack_array, unpack_array
   use, intrinsic :: iso_c_binding, only: c_associated, c_null_ptr, c_ptr
   implicit none (type, external)
   private
   public :: binding, bind_array, set_array, get_array, collect_run, release_binding, check_array

   !> What is attached to one slot.
   type :: binding
      type(c_ptr) :: address = c_null_ptr
      integer(i8) :: entries = 0                   !< batch extent of the attached array
      type(c_ptr) :: owned = c_null_ptr            !< the bridge's own memory, for set and get
      integer(i8) :: owned_entries = 0
   end type binding

contains

   !> Attach a contiguous array, which the host keeps alive.
   subroutine bind_array(self, bindings, name, array, aligned, stat, errmsg)
      type(engine), intent(in) :: self
      type(binding), intent(inout) :: bindings(:)
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(in) :: array
      logical, intent(out) :: aligned              !< the array lies on a 64-byte boundary
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(host_array) :: host
      integer(i8) :: entries
      integer :: s

      call describe(array, host)
      aligned = host%aligned /= 0
      call find_and_check(self, name, host, s, entries, stat, errmsg)
      if (stat /= status_ok) return
      if (host%contiguous == 0) then
         call report(stat, errmsg, status_shape, label(self, name)// &
            ' is a slice with gaps: bind the whole array, or use subgrid_set and subgrid_get')
         return
      end if
      bindings(s)%address = host%address
      bindings(s)%entries = entries
   end subroutine bind_array

   !> Copy an array, slices included, into the bridge's memory.
   subroutine set_array(self, bindings, name, array, stat, errmsg)
      type(engine), intent(in) :: self
      type(binding), intent(inout) :: bindings(:)
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(in) :: array
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(host_array) :: host
      integer(i8) :: entries
      integer :: s

      call describe(array, host)
      call find_and_check(self, name, host, s, entries, stat, errmsg)
      if (stat == status_ok .and. .not. self%slots(max(s, 1))%is_input) call report(stat, errmsg, status_name, &
         label(self, name)//' is an output: only inputs can be set')
      if (stat /= status_ok) return
      call own(bindings(s), entries, entry_bytes(self%bundle%fields(self%slots(s)%field)), stat, errmsg)
      if (stat == status_ok) call pack_array(array, bindings(s)%owned)
   end subroutine set_array

   !> Copy the result of the last run out of the bridge's memory or of the bound array.
   subroutine get_array(self, bindings, name, array, stat, errmsg)
      type(engine), intent(in) :: self
      type(binding), intent(in) :: bindings(:)
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(inout) :: array
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(host_array) :: host
      integer(i8) :: entries
      integer :: s

      call describe(array, host)
      call find_and_check(self, name, host, s, entries, stat, errmsg)
      if (stat /= status_ok) return
      if (.not. c_associated(bindings(s)%address)) then
         call report(stat, errmsg, status_state, label(self, name)//' has no values yet: run first')
      else if (entries > bindings(s)%entries) then
         call report(stat, errmsg, status_shape, label(self, name)//' holds '//text_of_integer(bindings(s)%entries)// &
                     ' entries, the array asks for '//text_of_integer(entries))
      else
         call unpack_array(array, bindings(s)%address)
      end if
   end subroutine get_array

   !> The pointers of one run; outputs without an array get the bridge's own memory. n ≤ 0 stands for all entries of the inputs.
   subroutine collect_run(self, bindings, program, n, inputs, outputs, stat, errmsg)
      type(engine), intent(in) :: self
      type(binding), intent(inout) :: bindings(:)
      character(len=*), intent(in) :: program
      integer(i8), intent(inout) :: n
      type(c_ptr), allocatable, intent(out) :: inputs(:), outputs(:)
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: p, i

      p = find_program(self, program, 1_i8)
      if (p == 0) then
         call report(stat, errmsg, status_name, self%bundle%path//' has no program "'//program//'"; it has '//program_names(self))
         return
      end if
      associate (compiled => self%compiled(p))
         if (n <= 0 .and. size(compiled%input_slots) > 0) n = minval(bindings(compiled%input_slots)%entries)
         do i = 1, size(compiled%input_slots)
            if (stat == status_ok) call require_bound(self, compiled%input_slots(i), bindings(compiled%input_slots(i)), n, &
               stat, errmsg)
         end do
         do i = 1, size(compiled%output_slots)
            if (stat == status_ok) call provide_output(self, compiled%output_slots(i), bindings(compiled%output_slots(i)), n, &
               compiled%output_bytes(i), stat, errmsg)
         end do
         inputs = bindings(compiled%input_slots)%address
         outputs = bindings(compiled%output_slots)%address
      end associate
   end subroutine collect_run

   !> The host's array if it has attached one, else memory of the bridge.
   subroutine provide_output(self, s, attached, n, bytes_each, stat, errmsg)
      type(engine), intent(in) :: self
      integer, intent(in) :: s
      type(binding), intent(inout) :: attached
      integer(i8), intent(in) :: n, bytes_each
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      if (c_associated(attached%address) .and. .not. is_owned(attached)) then
         call require_bound(self, s, attached, n, stat, errmsg)
      else
         call own(attached, n, bytes_each, stat, errmsg)
      end if
   end subroutine provide_output

   subroutine require_bound(self, s, attached, n, stat, errmsg)
      type(engine), intent(in) :: self
      integer, intent(in) :: s
      type(binding), intent(in) :: attached
      integer(i8), intent(in) :: n
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      if (.not. c_associated(attached%address)) then
         call report(stat, errmsg, status_state, label(self, self%slots(s)%name)//' has no array: bind or set it before the run')
      else if (attached%entries < n) then
         call report(stat, errmsg, status_shape, label(self, self%slots(s)%name)//' holds '//text_of_integer(attached%entries)// &
                     ' entries, the run asks for '//text_of_integer(n))
      end if
   end subroutine require_bound

   elemental logical function is_owned(attached)
      type(binding), intent(in) :: attached

      is_owned = c_associated(attached%owned)
      if (is_owned) is_owned = c_associated(attached%owned, attached%address)
   end function is_owned

   !> Attach the bridge's own memory for `entries` entries.
   subroutine own(attached, entries, bytes_each, stat, errmsg)
      type(binding), intent(inout) :: attached
      integer(i8), intent(in) :: entries, bytes_each
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      if (attached%owned_entries < entries) then
         call release_binding(attached)
         attached%owned = aligned_memory(entries*bytes_each)
         if (.not. c_associated(attached%owned)) then
            call report(stat, errmsg, status_value, 'no memory for '//text_of_integer(entries*bytes_each)//' bytes')
            return
         end if
         attached%owned_entries = entries
      end if
      attached%address = attached%owned
      attached%entries = entries
   end subroutine own

   subroutine release_binding(attached)
      type(binding), intent(inout) :: attached

      call free_memory(attached%owned)
      attached = binding()
   end subroutine release_binding

   subroutine find_and_check(self, name, host, s, entries, stat, errmsg)
      type(engine), intent(in) :: self
      character(len=*), intent(in) :: name
      type(host_array), intent(in) :: host
      integer, intent(out) :: s
      integer(i8), intent(out) :: entries
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: i

      entries = 0
      s = find_slot(self, name)
      if (s > 0) then
         call check_array(label(self, name), self%bundle%fields(self%slots(s)%field), host, entries, stat, errmsg)
      else
         call report(stat, errmsg, status_name, self%bundle%path//' has no input or output "'//name//'"; it has ')
         do i = 1, size(self%slots)
            errmsg = errmsg//merge(', ', '  ', i > 1)//self%slots(i)%name
         end do
      end if
   end subroutine find_and_check

   !> Kind, rank and shape of a host's array; `entries` is its batch extent, 1 where the batch dimension is left out.
   subroutine check_array(what, expected, host, entries, stat, errmsg)
      character(len=*), intent(in) :: what
      type(field), intent(in) :: expected
      type(host_array), intent(in) :: host
      integer(i8), intent(out) :: entries
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: rank

      rank = size(expected%shape)
      entries = 1
      if (.not. c_associated(host%address)) then
         call report(stat, errmsg, status_state, what//' is not allocated')
      else if (host%kind /= expected%kind) then
         call report(stat, errmsg, status_kind, what//' has the kind '//kind_name(int(host%kind))//', the manifest says '// &
                     kind_name(expected%kind))
      else if (host%rank /= rank .and. host%rank /= rank + 1) then
         call report(stat, errmsg, status_rank, what//' has rank '//text_of_integer(int(host%rank, i8))//', the manifest says '// &
                     text_of_integer(int(rank, i8) + 1)//': '//both_orders(expected%shape))
      else if (any(host%extents(:rank) /= expected%shape)) then
         call report(stat, errmsg, status_shape, what//' has the shape '//dimensions(host%extents(:host%rank))// &
                     ' in Fortran order, '//dimensions(host%extents(host%rank:1:-1))//' in C order; the manifest says '// &
                     both_orders(expected%shape))
      else if (host%rank == rank + 1) then
         entries = host%extents(host%rank)
      end if
   end subroutine check_array

   pure function kind_name(kind) result(name)
      integer, intent(in) :: kind
      character(len=:), allocatable :: name

      name = 'that no program takes'
      if (kind > 0) name = trim(kind_names(kind))
   end function kind_name

   pure function both_orders(shape) result(text)
      integer(i8), intent(in) :: shape(:)
      character(len=:), allocatable :: text

      text = dimensions(shape, 'n', at_end=.true.)//' in Fortran order, '// &
             dimensions(shape(size(shape):1:-1), 'n', at_end=.false.)//' in C order, n being the batch'
   end function both_orders

   !> (1, 2, 3), with another word at one end if it is given.
   pure function dimensions(extents, extra, at_end) result(text)
      integer(i8), intent(in) :: extents(:)
      character(len=*), intent(in), optional :: extra
      logical, intent(in), optional :: at_end
      character(len=:), allocatable :: text
      integer :: i

      text = ''
      do i = 1, size(extents)
         text = text//', '//text_of_integer(extents(i))
      end do
      if (present(extra)) text = merge_words(text, ', '//extra, at_end)
      text = '('//text(min(3, len(text) + 1):)//')'
   end function dimensions

   pure function merge_words(text, extra, at_end) result(both)
      character(len=*), intent(in) :: text, extra
      logical, intent(in), optional :: at_end
      character(len=:), allocatable :: both

      both = extra//text
      if (present(at_end)) then
         if (at_end) both = text//extra
      end if
   end function merge_words

   pure function label(self, name) result(text)
      type(engine), intent(in) :: self
      character(len=*), intent(in) :: name
      character(len=:), allocatable :: text

      text = 'array "'//name//'" of '//self%bundle%path
   end function label
end module subgrid_binding
