!> Arrays on 64-byte boundaries, which a CPU plug-in reads in place; `allocate` gives 16-byte ones, which it copies.
module subgrid_aligned_dp
   use subgrid_errors, only: conclude, report, status_ok, status_value
   use subgrid_kinds, only: wp => dp, i8
   use subgrid_pjrt, only: aligned_memory, free_memory
   use, intrinsic :: iso_c_binding, only: c_associated, c_f_pointer, c_loc, c_ptr
   implicit none (type, external)
   private
   public :: subgrid_alloc, subgrid_free

   !> call subgrid_alloc(array, [n1, n2, …], stat, errmsg): array is a real pointer of rank 1 … 4.
   interface subgrid_alloc
      module procedure alloc_1, alloc_2, alloc_3, alloc_4
   end interface subgrid_alloc

   !> call subgrid_free(array): the reverse; a null pointer is allowed.
   interface subgrid_free
      module procedure free_1, free_2, free_3, free_4
   end interface subgrid_free

contains

   subroutine take(extents, address, code, message)
      integer, intent(in) :: extents(:)
      type(c_ptr), intent(out) :: address
      integer, intent(out) :: code
      character(len=:), allocatable, intent(inout) :: message

      code = status_ok
      address = aligned_memory(merge(storage_size(0.0_wp)/8*product(int(extents, i8)), -1_i8, all(extents >= 0)))
      if (.not. c_associated(address)) call report(code, message, status_value, 'subgrid_alloc: no memory, or a negative extent')
   end subroutine take

   subroutine alloc_1(array, extents, stat, errmsg)
      real(wp), pointer, contiguous, intent(out) :: array(:)
      integer, intent(in) :: extents(1)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_1

   subroutine free_1(array)
      real(wp), pointer, contiguous, intent(inout) :: array(:)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_1

   subroutine alloc_2(array, extents, stat, errmsg)
      real(wp), pointer, contiguous, intent(out) :: array(:, :)
      integer, intent(in) :: extents(2)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_2

   subroutine free_2(array)
      real(wp), pointer, contiguous, intent(inout) :: array(:, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_2

   subroutine alloc_3(array, extents, stat, errmsg)
      real(wp), pointer, contiguous, intent(out) :: array(:, :, :)
      integer, intent(in) :: extents(3)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_3

   subroutine free_3(array)
      real(wp), pointer, contiguous, intent(inout) :: array(:, :, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_3

   subroutine alloc_4(array, extents, stat, errmsg)
      real(wp), pointer, contiguous, intent(out) :: array(:, :, :, :)
      integer, intent(in) :: extents(4)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_4

   subroutine free_4(array)
      real(wp), pointer, contiguous, intent(inout) :: array(:, :, :, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_4
end module subgrid_aligned_dp
