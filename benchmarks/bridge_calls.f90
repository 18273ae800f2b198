!> Time per call of a bundle with one input and one output, from host array to host array.
!>
!>     bridge_calls PLUGIN BUNDLE BATCH…
!>
!> PLUGIN: cpu, cuda or a path.   BATCH: numbers of entries.   Prints a line for each: batch, median µs, best µs, largest
!> |output|.
program bridge_calls
   use subgrid_bridge, only: subgrid_alloc, subgrid_bind, subgrid_finalize, subgrid_free, subgrid_init, subgrid_inquire, &
      subgrid_load, &
      subgrid_model, subgrid_run, subgrid_session
   use subgrid_kinds, only: dp, i8, sp
   implicit none (type, external)
   type(subgrid_session) :: session
   type(subgrid_model) :: model
   character(len=1000) :: plugin, path, word
   character(len=:), allocatable :: platform, version
   integer :: i, batch

   call get_command_argument(1, plugin)
   call get_command_argument(2, path)
   call subgrid_init(session, trim(plugin))
   call subgrid_load(session, trim(path), model)
   call subgrid_inquire(model, 'session.platform', platform)
   call subgrid_inquire(model, 'session.api_version', version)
   print '(5a)', '# platform ', platform, ', PJRT ', version, ': the check vectors are reproduced'
   do i = 3, command_argument_count()
      call get_command_argument(i, word)
      read (word, *) batch
      call measure(batch)
   end do
   call subgrid_free(model)
   call subgrid_finalize(session)

contains

   !> Calls for about a second after a warm-up of a tenth of it.
   subroutine measure(batch)
      integer, intent(in) :: batch
      real(dp), parameter :: span = 1.0_dp   !< s
      integer, parameter :: most = 100000
      real(sp), pointer, contiguous :: x(:, :), y(:, :)
      real(dp), allocatable :: seconds(:)
      integer, allocatable :: inner(:), outer(:)
      real(dp) :: start
      integer :: n

      call subgrid_inquire(model, 'input.1.shape_fortran', inner)
      call subgrid_inquire(model, 'output.1.shape_fortran', outer)
      call subgrid_alloc(x, [product(inner), batch])
      call subgrid_alloc(y, [product(outer), batch])
      call random_number(x)
      call subgrid_bind(model, 'x', x)
      call subgrid_bind(model, 'y', y)
      allocate (seconds(most))
      start = now()
      do while (now() - start < 0.1_dp*span)
         call subgrid_run(model)
      end do
      start = now()
      do n = 1, most
         seconds(n) = now()
         call subgrid_run(model)
         seconds(n) = now() - seconds(n)
         if (now() - start > span .and. n > 10) exit
      end do
      n = min(n, most)
      print '(i8,2f14.3,es14.5)', batch, 1e6_dp*median(seconds(:n)), 1e6_dp*minval(seconds(:n)), maxval(abs(y))
      call subgrid_free(x)
      call subgrid_free(y)
   end subroutine measure

   real(dp) function now()   !< s
      integer(i8) :: count, rate

      call system_clock(count, rate)
      now = real(count, dp)/real(rate, dp)
   end function now

   !> The middle value, by counting: at most half are smaller and at most half are larger.
   pure real(dp) function median(values)
      real(dp), intent(in) :: values(:)
      real(dp) :: low, high
      integer :: i

      low = minval(values)
      high = maxval(values)
      do i = 1, 60
         median = 0.5_dp*(low + high)
         if (2*count(values <= median) < size(values)) then
            low = median
         else
            high = median
         end if
      end do
   end function median
end program bridge_calls
