!> The scheme as one plain procedure for wrappers such as f90wrap: assumed-shape arrays, double precision, no types.
!> f90wrap knows a kind only by its number.
! allow(PORT011)
module subgrid_mskf_facade
   use, intrinsic :: iso_c_binding, only: c_int, c_loc, c_ptr
   use subgrid_mskf_c_dp, only: columns_from_addresses, input_count, state_count
   implicit none (type, external)
   private
   public :: convect_columns

   integer, parameter, public :: profile_inputs = 8, scalar_inputs = 7, integer_inputs = 7
   integer, parameter, public :: profile_states = 13, scalar_states = 6

contains

   !> Convection in columns; level 1 is the lowest. The order of the last index is that of contracts/columns.py.
   subroutine convect_columns(profiles, w, scalars, integers, clean, threads, profile_state, scalar_state, codes)
      real(8), intent(in), target, contiguous :: profiles(:, :, :)        !< (levels, columns, 8)
      real(8), intent(in), target, contiguous :: w(:, :)                  !< (levels + 1, columns) [m s-1]
      real(8), intent(in), target, contiguous :: scalars(:, :)            !< (columns, 7)
      integer(4), intent(in), target, contiguous :: integers(:, :)        !< (columns, 7)
      integer(4), intent(in) :: clean                                     !< 1: clean, 0: match
      integer(4), intent(in) :: threads
      real(8), intent(inout), target, contiguous :: profile_state(:, :, :) !< (levels, columns, 13)
      real(8), intent(inout), target, contiguous :: scalar_state(:, :)    !< (columns, 6)
      integer(4), intent(inout), target, contiguous :: codes(:, :)        !< (columns, 2) exit_code, status
      type(c_ptr) :: inputs(input_count), state(state_count)
      integer :: i

      codes = -100
      if (.not. shapes_agree(shape(profiles), shape(w), shape(scalars), shape(integers), shape(profile_state), &
         shape(scalar_state), shape(codes))) return
      do i = 1, profile_inputs
         inputs(i) = c_loc(profiles(1, 1, i))
      end do
      inputs(profile_inputs + 1) = c_loc(w(1, 1))
      do i = 1, scalar_inputs
         inputs(profile_inputs + 1 + i) = c_loc(scalars(1, i))
      end do
      do i = 1, integer_inputs
         inputs(profile_inputs + 1 + scalar_inputs + i) = c_loc(integers(1, i))
      end do
      do i = 1, profile_states
         state(i) = c_loc(profile_state(1, 1, i))
      end do
      do i = 1, scalar_states
         state(profile_states + i) = c_loc(scalar_state(1, i))
      end do
      call columns_from_addresses(int(size(profiles, 1), c_int), int(size(profiles, 2), c_int), clean, threads, inputs, &
         state, state, codes(:, 1), codes(:, 2))
   end subroutine convect_columns

   !> Wrong shapes leave every code at -100.
   pure logical function shapes_agree(profiles, w, scalars, integers, profile_state, scalar_state, codes)
      integer, intent(in) :: profiles(3), w(2), scalars(2), integers(2), profile_state(3), scalar_state(2), codes(2)

      associate (levels => profiles(1), columns => profiles(2))
         shapes_agree = columns > 0 .and. profiles(3) == profile_inputs .and. all(w == [levels + 1, columns]) &
            .and. all(scalars == [columns, scalar_inputs]) .and. all(integers == [columns, integer_inputs]) &
            .and. all(profile_state == [levels, columns, profile_states]) &
            .and. all(scalar_state == [columns, scalar_states]) .and. all(codes == [columns, 2])
      end associate
   end function shapes_agree
end module subgrid_mskf_facade
