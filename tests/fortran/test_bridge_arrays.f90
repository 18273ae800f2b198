!> The host's arrays against the manifest: names, kinds, ranks, shapes, slices, alignment.
module test_bridge_arrays
   use bridge_fixture, only: expect_status, open_bundle, same
   use subgrid_bridge, only: subgrid_alloc, subgrid_bind, subgrid_call, subgrid_free, subgrid_get, subgrid_model, subgrid_run, &
      subgrid_set
   use subgrid_errors, only: status_kind, status_name, status_rank, status_shape, status_state, status_value
   use subgrid_kinds, only: dp, sp
   use subgrid_testing, only: check, new_case, test_case
   use, intrinsic :: iso_c_binding, only: c_intptr_t, c_loc
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('wrong_name', wrong_name), &
         new_case('wrong_kind', wrong_kind), &
         new_case('wrong_rank', wrong_rank), &
         new_case('wrong_shape_in_both_orders', wrong_shape_in_both_orders), &
         new_case('slice_is_refused', slice_is_refused), &
         new_case('unbound_input', unbound_input), &
         new_case('too_few_entries', too_few_entries), &
         new_case('no_entries', no_entries), &
         new_case('output_cannot_be_set', output_cannot_be_set), &
         new_case('result_before_run', result_before_run), &
         new_case('model_not_loaded', model_not_loaded), &
         new_case('unknown_program', unknown_program), &
         new_case('call_needs_one_input', call_needs_one_input), &
         new_case('aligned_or_not', aligned_or_not), &
         new_case('allocation_refused', allocation_refused)]
   end subroutine collect

   !> Binding `array` to `name` of perceptron.bundle must fail like this.
   subroutine refuse(failure, name, array, status, words)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(in), target :: array
      integer, intent(in) :: status
      character(len=*), intent(in) :: words(:)
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_bind(model, name, array, stat=stat, errmsg=message)
      call expect_status(failure, stat, status, message, words)
      call subgrid_free(model)
   end subroutine refuse

   subroutine wrong_name(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(sp), target :: x(32, 4)

      x = 0
      call refuse(failure, 'temperature', x, status_name, [character(len=16) :: 'temperature', 'x, y', 'perceptron'])
   end subroutine wrong_name

   subroutine wrong_kind(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(dp), target :: x(32, 4)

      x = 0
      call refuse(failure, 'x', x, status_kind, [character(len=16) :: '"x"', 'float64', 'float32'])
   end subroutine wrong_kind

   subroutine wrong_rank(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(sp), target :: x(8, 4, 4)

      x = 0
      call refuse(failure, 'x', x, status_rank, [character(len=16) :: '"x"', 'rank 3', 'says 2', '(32, n)'])
   end subroutine wrong_rank

   subroutine wrong_shape_in_both_orders(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(sp), target :: x(4, 32)

      x = 0
      call refuse(failure, 'x', x, status_shape, [character(len=32) :: '(4, 32) in Fortran order', '(32, 4) in C order', &
                                                  '(32, n) in Fortran order', '(n, 32) in C order'])
   end subroutine wrong_shape_in_both_orders

   subroutine slice_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(sp), target :: x(64, 4)

      x = 0
      call refuse(failure, 'x', x(::2, :), status_shape, [character(len=16) :: 'slice', 'subgrid_set'])
   end subroutine slice_is_refused

   subroutine unbound_input(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_run(model, n=1, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_state, message, [character(len=16) :: '"x"', 'bind or set'])
      call subgrid_free(model)
   end subroutine unbound_input

   subroutine too_few_entries(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      real(sp), target :: x(32, 4), y(32, 3)
      integer :: stat

      x = 0
      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_bind(model, 'x', x)
      call subgrid_bind(model, 'y', y)
      call subgrid_run(model, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_shape, message, [character(len=16) :: '"y"', '3 entries', '4'])
      call subgrid_run(model, n=3, stat=stat, errmsg=message)
      call check(failure, stat == 0, 'three of them fit')
      call subgrid_free(model)
   end subroutine too_few_entries

   subroutine no_entries(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      real(sp), target :: x(32, 4)
      integer :: stat

      x = 0
      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_bind(model, 'x', x)
      call subgrid_run(model, n=0, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_value, message, [character(len=16) :: 'n is 0'])
      call subgrid_free(model)
   end subroutine no_entries

   subroutine output_cannot_be_set(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      real(sp) :: y(32, 4)
      integer :: stat

      y = 0
      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_set(model, 'y', y, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_name, message, [character(len=16) :: '"y"', 'output'])
      call subgrid_free(model)
   end subroutine output_cannot_be_set

   subroutine result_before_run(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      real(sp) :: y(32, 4)
      integer :: stat

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_get(model, 'y', y, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_state, message, [character(len=16) :: '"y"', 'run first'])
      call subgrid_free(model)
   end subroutine result_before_run

   subroutine model_not_loaded(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call subgrid_run(model, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_state, message, [character(len=16) :: 'subgrid_load'])
   end subroutine model_not_loaded

   subroutine unknown_program(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_run(model, 'backward', stat=stat, errmsg=message)
      call expect_status(failure, stat, status_name, message, [character(len=16) :: 'backward', 'forward, vjp'])
      call subgrid_free(model)
   end subroutine unknown_program

   subroutine call_needs_one_input(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      real(sp) :: x(32), y(32)
      integer :: stat

      x = 0
      call open_bundle(failure, 'mixed', model)
      if (allocated(failure)) return
      call subgrid_call(model, x, y, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_name, message, [character(len=16) :: 'one input', 'subgrid_bind'])
      call subgrid_free(model)
   end subroutine call_needs_one_input

   !> An array on a 64-byte boundary is read in place, one on a 16-byte boundary is copied; the numbers are the same.
   subroutine aligned_or_not(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      real(sp), pointer, contiguous :: block(:), aligned(:, :), shifted(:, :), y(:, :)
      real(sp) :: expected(32, 16)
      logical :: zero_copy

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call subgrid_alloc(aligned, [32, 16])
      call subgrid_alloc(y, [32, 16])
      call subgrid_alloc(block, [32*16 + 4])
      shifted(1:32, 1:16) => block(5:)
      call check(failure, modulo(transfer(c_loc(aligned), 0_c_intptr_t), 64_c_intptr_t) == 0, &
         'subgrid_alloc gives 64-byte boundaries')
      call random_number(aligned)
      shifted = aligned
      call subgrid_bind(model, 'y', y)
      call subgrid_bind(model, 'x', aligned, zero_copy)
      call check(failure, zero_copy, 'an aligned array is read in place')
      call subgrid_run(model)
      expected = y
      call subgrid_bind(model, 'x', shifted, zero_copy)
      call check(failure, .not. zero_copy, 'an unaligned array is copied')
      call subgrid_run(model)
      call check(failure, all(same(y, expected)), 'the same numbers either way')
      call subgrid_free(aligned)
      call subgrid_free(y)
      call subgrid_free(block)
      call subgrid_free(model)
      call check(failure, .not. associated(aligned), 'a freed pointer is null')
   end subroutine aligned_or_not

   subroutine allocation_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(dp), pointer, contiguous :: array(:)
      character(len=:), allocatable :: message
      integer :: stat

      call subgrid_alloc(array, [-1], stat, message)
      call expect_status(failure, stat, status_value, message, [character(len=16) :: 'subgrid_alloc'])
      call check(failure, .not. associated(array), 'nothing is associated')
   end subroutine allocation_refused
end module test_bridge_arrays
