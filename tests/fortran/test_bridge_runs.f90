!> What comes out: values and index order against Fortran's own arithmetic, batches and padding, gradients, threads, long use.
module test_bridge_runs
   use bridge_fixture, only: open_bundle, same, variable
   use subgrid_bridge, only: subgrid_bind, subgrid_call, subgrid_free, subgrid_get, subgrid_model, subgrid_run, subgrid_set, &
      subgrid_share, subgrid_warmup
   use subgrid_kinds, only: dp, sp
   use subgrid_testing, only: check, check_close, new_case, test_case
   use, intrinsic :: iso_fortran_env, only: int32
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('values_and_index_order', values_and_index_order), &
         new_case('single_entry_without_batch', single_entry_without_batch), &
         new_case('any_number_of_entries', any_number_of_entries), &
         new_case('nothing_written_past_the_end', nothing_written_past_the_end), &
         new_case('set_and_get_slices', set_and_get_slices), &
         new_case('call_equals_run', call_equals_run), &
         new_case('gradient_by_finite_difference', gradient_by_finite_difference), &
         new_case('warm_up_again', warm_up_again), &
         new_case('threads_agree_bitwise', threads_agree_bitwise), &
         new_case('memory_stays_flat', memory_stays_flat)]
   end subroutine collect

   !> mixed.bundle: angle = arctan(slope), total(j) = times · Σ_i angle(i, j) + offset(j), twice = 2 · times, 37 entries.
   subroutine values_and_index_order(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer, parameter :: n = 37
      real(dp), parameter :: offset(3) = [0.5_dp, -0.25_dp, 4.0_dp]
      type(subgrid_model) :: model
      real(dp), target :: slope(40, 3, n), angle(40, 3, n), total(3, n)
      integer(int32), target :: times(n), twice(n)
      real(sp), target :: unused(2, n)
      integer :: j, b

      call open_bundle(failure, 'mixed', model)
      if (allocated(failure)) return
      call random_number(slope)
      times = [(b, b=1, n)]
      unused = 0
      call subgrid_bind(model, 'slope', slope)
      call subgrid_bind(model, 'times', times)
      call subgrid_bind(model, 'unused', unused)
      call subgrid_bind(model, 'angle', angle)
      call subgrid_bind(model, 'total', total)
      call subgrid_bind(model, 'twice', twice)
      call subgrid_run(model)
      call check_close(failure, maxval(abs(angle - atan(slope))), 0.0_dp, 1e-14_dp, 'arctan, element by element')
      do b = 1, n
         do j = 1, 3
            call check_close(failure, total(j, b), times(b)*sum(atan(slope(:, j, b))) + offset(j), 1e-10_dp, 'total')
         end do
      end do
      call check(failure, all(twice == 2*times), 'integers')
      call subgrid_free(model)
   end subroutine values_and_index_order

   subroutine single_entry_without_batch(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      real(sp) :: x(32), y(32), batch(32, 1)

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(x)
      call subgrid_call(model, x, y)
      call subgrid_call(model, reshape(x, [32, 1]), batch)
      call check(failure, all(same(y, batch(:, 1))), 'a column alone is a batch of one')
      call subgrid_free(model)
   end subroutine single_entry_without_batch

   !> 1, b − 1, b, b + 1, 3b + 1 entries for batch sizes 1 and b = 16: each column as if it were alone.
   subroutine any_number_of_entries(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer, parameter :: counts(5) = [1, 15, 16, 17, 49]
      type(subgrid_model) :: model
      real(sp) :: x(32, 49), alone(32, 49)
      real(sp), allocatable :: y(:, :)
      integer :: i, column

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(x)
      do column = 1, 49
         call subgrid_call(model, x(:, column), alone(:, column))
      end do
      do i = 1, size(counts)
         allocate (y(32, counts(i)))
         call subgrid_call(model, x(:, :counts(i)), y)
         call check_close(failure, real(maxval(abs(y - alone(:, :counts(i)))), dp), 0.0_dp, 1e-6_dp, 'columns')
         deallocate (y)
      end do
      call check(failure, maxval(abs(alone)) > 0.1_sp, 'the numbers are not zeros')
      call subgrid_free(model)
   end subroutine any_number_of_entries

   subroutine nothing_written_past_the_end(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      real(sp), target :: x(32, 40), y(32, 40)

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(x)
      y = -7
      call subgrid_bind(model, 'x', x)
      call subgrid_bind(model, 'y', y)
      call subgrid_run(model, n=19)
      call check(failure, all(same(y(:, 20:), -7.0_sp)), 'columns after the valid ones are untouched')
      call check(failure, .not. any(same(y(:, :19), -7.0_sp)), 'the valid ones are written')
      call subgrid_free(model)
   end subroutine nothing_written_past_the_end

   subroutine set_and_get_slices(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      real(sp) :: wide(64, 10), result(2, 32, 10), y(32, 5)

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(wide)
      result = 0
      call subgrid_set(model, 'x', wide(64:1:-2, ::2))
      call subgrid_run(model)
      call subgrid_get(model, 'y', result(2, :, 10:2:-2))
      call subgrid_call(model, wide(64:1:-2, ::2), y)
      call check(failure, all(same(result(2, :, 10:2:-2), y)), 'the strided array holds the result')
      call check(failure, all(same(result(1, :, :), 0.0_sp)) .and. all(same(result(:, :, 1::2), 0.0_sp)), 'its gaps are untouched')
      call subgrid_free(model)
   end subroutine set_and_get_slices

   subroutine call_equals_run(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      real(sp), target :: x(32, 16), y(32, 16)
      real(sp) :: z(32, 16)

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(x)
      call subgrid_bind(model, 'x', x)
      call subgrid_bind(model, 'y', y)
      call subgrid_run(model)
      call subgrid_call(model, x, z)
      call check(failure, all(same(y, z)), 'bit for bit')
      x = 2*x
      call subgrid_run(model)
      call check(failure, .not. all(same(y, z)), 'a bound array is read anew at every run')
      call subgrid_free(model)
   end subroutine call_equals_run

   !> ⟨c, f(x + εd) − f(x − εd)⟩ / 2ε = ⟨vjp(c), d⟩ for random c and d.
   subroutine gradient_by_finite_difference(failure)
      character(len=:), allocatable, intent(out) :: failure
      real(sp), parameter :: epsilon = 1e-2_sp
      type(subgrid_model) :: model
      real(sp), target :: x(32, 5), seed(32, 5), gradient(32, 5)
      real(sp) :: direction(32, 5), ahead(32, 5), behind(32, 5)
      real(dp) :: difference

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(x)
      call random_number(seed)
      call random_number(direction)
      call subgrid_call(model, x + epsilon*direction, ahead)
      call subgrid_call(model, x - epsilon*direction, behind)
      call subgrid_bind(model, 'x', x)
      call subgrid_bind(model, 'cotangent:y', seed)
      call subgrid_bind(model, 'cotangent:x', gradient)
      call subgrid_run(model, 'vjp')
      difference = sum(real(seed, dp)*(real(ahead, dp) - behind))/(2*epsilon)
      call check_close(failure, sum(real(gradient, dp)*direction), difference, 1e-2_dp*max(1.0_dp, abs(difference)), 'vjp')
      call subgrid_free(model)
   end subroutine gradient_by_finite_difference

   subroutine warm_up_again(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      message = ''
      call open_bundle(failure, 'mixed', model)
      if (allocated(failure)) return
      call subgrid_warmup(model, stat, message)
      call check(failure, stat == 0, message)
      call subgrid_free(model)
   end subroutine warm_up_again

   !> One executable, 1 … 4 threads with their own arrays: each column bit for bit as with one thread.
   subroutine threads_agree_bitwise(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer, parameter :: calls = 50
      type(subgrid_model) :: model
      real(sp) :: x(32, 20), reference(32, 20)
      integer :: threads, wrong

      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call random_number(x)
      call subgrid_call(model, x, reference)
      do threads = 1, 4
         wrong = 0
         !$omp parallel num_threads(threads) reduction(+:wrong) default(shared)
         call run_in_thread(model, x, reference, calls, wrong)
         !$omp end parallel
         call check(failure, wrong == 0, 'a thread got other numbers')
      end do
      call subgrid_free(model)
   end subroutine threads_agree_bitwise

   subroutine run_in_thread(model, x, reference, calls, wrong)
      type(subgrid_model), intent(in) :: model
      real(sp), intent(in) :: x(:, :), reference(:, :)
      integer, intent(in) :: calls
      integer, intent(inout) :: wrong
      type(subgrid_model) :: mine
      real(sp), allocatable, target :: input(:, :), output(:, :)
      integer :: i, stat

      allocate (input, source=x)
      allocate (output(size(reference, 1), size(reference, 2)))
      call subgrid_share(model, mine, stat=stat)
      if (stat /= 0) wrong = wrong + 1
      call subgrid_bind(mine, 'x', input, stat=stat)
      call subgrid_bind(mine, 'y', output, stat=stat)
      do i = 1, calls
         output = 0
         call subgrid_run(mine, stat=stat)
         if (stat /= 0 .or. .not. all(same(output, reference))) wrong = wrong + 1
      end do
      call subgrid_free(mine)
   end subroutine run_in_thread

   !> 10⁴ calls that pad, split and fail: the resident set grows by less than 2 MB after the first 10³. SUBGRID_SOAK_CALLS
   !> sets another number.
   subroutine memory_stays_flat(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: value
      integer :: calls, before, grown

      calls = 10000
      value = variable('SUBGRID_SOAK_CALLS')
      if (value /= '') read (value, *) calls
      call open_bundle(failure, 'perceptron', model)
      if (allocated(failure)) return
      call call_often(model, 1000)
      before = resident_kib()
      call call_often(model, calls)
      grown = resident_kib() - before
      write (*, '(a,i0,a,i0,a)', advance='no') '(', calls, ' calls, ', grown, ' KiB) '
      call check(failure, before > 0, 'the resident set can be read')
      call check(failure, grown < 2048, 'the resident set grows')
      call subgrid_free(model)
   end subroutine memory_stays_flat

   subroutine call_often(model, calls)
      type(subgrid_model), intent(inout) :: model
      integer, intent(in) :: calls
      real(sp), target :: x(32, 20), y(32, 20)
      character(len=:), allocatable :: message
      integer :: i, stat

      call random_number(x)
      call subgrid_bind(model, 'x', x)
      call subgrid_bind(model, 'y', y)
      do i = 1, calls
         call subgrid_run(model, n=1 + modulo(i, 20))
         if (modulo(i, 10) == 0) call subgrid_run(model, 'no such program', stat=stat, errmsg=message)
         if (modulo(i, 10) == 5) call subgrid_call(model, x, y)
      end do
   end subroutine call_often

   !> The resident set of this process, KiB; Linux.
   integer function resident_kib()
      character(len=200) :: line
      integer :: unit, iostat

      resident_kib = 0
      open (newunit=unit, file='/proc/self/status', status='old', action='read', iostat=iostat)
      do
         if (iostat /= 0) exit
         read (unit, '(a)', iostat=iostat) line
         if (iostat == 0 .and. line(:6) == 'VmRSS:') read (line(7:), *) resident_kib
      end do
      close (unit)
   end function resident_kib
end module test_bridge_runs
