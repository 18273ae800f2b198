!> Arrays on 64-byte boundaries, which a CPU plug-in reads in place; `allocate` gives 16-byte ones, which it copies.
module subgrid_aligned
   use subgrid_errors, only: conclude, report, status_ok, status_value
   use subgrid_kinds, only: dp, i8, sp
   use subgrid_pjrt, only: aligned_memory, free_memory
   use, intrinsic :: iso_c_binding, only: c_associated, c_f_pointer, c_loc, c_ptr
   implicit none (type, external)
   private
   public :: subgrid_alloc, subgrid_free

   !> call subgrid_alloc(array, [n1, n2, …], stat, errmsg): array is a pointer of kind real32 or real64, rank 1 … 4.
   interface subgrid_alloc
      module procedure alloc_sp1, alloc_sp2, alloc_sp3, alloc_sp4, alloc_dp1, alloc_dp2, alloc_dp3, alloc_dp4
   end interface subgrid_alloc

   !> call subgrid_free(array): the reverse; a null pointer is allowed.
   interface subgrid_free
      module procedure free_sp1, free_sp2, free_sp3, free_sp4, free_dp1, free_dp2, free_dp3, free_dp4
   end interface subgrid_free

contains

   subroutine take(bytes_each, extents, address, code, message)
      integer, intent(in) :: bytes_each, extents(:)
      type(c_ptr), intent(out) :: address
      integer, intent(out) :: code
      character(len=:), allocatable, intent(inout) :: message

      code = status_ok
      address = aligned_memory(merge(bytes_each*product(int(extents, i8)), -1_i8, all(extents >= 0)))
      if (.not. c_associated(address)) call report(code, message, status_value, 'subgrid_alloc: no memory, or a negative extent')
   end subroutine take

   subroutine alloc_sp1(array, extents, stat, errmsg)
      real(sp), pointer, contiguous, intent(out) :: array(:)
      integer, intent(in) :: extents(1)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(4, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_sp1

   subroutine free_sp1(array)
      real(sp), pointer, contiguous, intent(inout) :: array(:)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_sp1

   subroutine alloc_sp2(array, extents, stat, errmsg)
      real(sp), pointer, contiguous, intent(out) :: array(:, :)
      integer, intent(in) :: extents(2)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(4, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_sp2

   subroutine free_sp2(array)
      real(sp), pointer, contiguous, intent(inout) :: array(:, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_sp2

   subroutine alloc_sp3(array, extents, stat, errmsg)
      real(sp), pointer, contiguous, intent(out) :: array(:, :, :)
      integer, intent(in) :: extents(3)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(4, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_sp3

   subroutine free_sp3(array)
      real(sp), pointer, contiguous, intent(inout) :: array(:, :, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_sp3

   subroutine alloc_sp4(array, extents, stat, errmsg)
      real(sp), pointer, contiguous, intent(out) :: array(:, :, :, :)
      integer, intent(in) :: extents(4)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(4, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_sp4

   subroutine free_sp4(array)
      real(sp), pointer, contiguous, intent(inout) :: array(:, :, :, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_sp4

   subroutine alloc_dp1(array, extents, stat, errmsg)
      real(dp), pointer, contiguous, intent(out) :: array(:)
      integer, intent(in) :: extents(1)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(8, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_dp1

   subroutine free_dp1(array)
      real(dp), pointer, contiguous, intent(inout) :: array(:)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_dp1

   subroutine alloc_dp2(array, extents, stat, errmsg)
      real(dp), pointer, contiguous, intent(out) :: array(:, :)
      integer, intent(in) :: extents(2)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(8, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_dp2

   subroutine free_dp2(array)
      real(dp), pointer, contiguous, intent(inout) :: array(:, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_dp2

   subroutine alloc_dp3(array, extents, stat, errmsg)
      real(dp), pointer, contiguous, intent(out) :: array(:, :, :)
      integer, intent(in) :: extents(3)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(8, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_dp3

   subroutine free_dp3(array)
      real(dp), pointer, contiguous, intent(inout) :: array(:, :, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_dp3

   subroutine alloc_dp4(array, extents, stat, errmsg)
      real(dp), pointer, contiguous, intent(out) :: array(:, :, :, :)
      integer, intent(in) :: extents(4)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(c_ptr) :: address
      integer :: code

      nullify (array)
      call take(8, extents, address, code, message)
      if (code == status_ok) call c_f_pointer(address, array, extents)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine alloc_dp4

   subroutine free_dp4(array)
      real(dp), pointer, contiguous, intent(inout) :: array(:, :, :, :)

      if (associated(array)) call free_memory(c_loc(array))
      nullify (array)
   end subroutine free_dp4
end module subgrid_aligned
