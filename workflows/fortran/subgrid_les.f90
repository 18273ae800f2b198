!> Large-eddy simulation of forced two-dimensional turbulence: `subgrid_les SETTINGS`, a file with a namelist `&les`
!> (subgrid_les_settings). Lines `progress <step> <steps>` and `done <seconds in steps> <seconds in closure>` on standard
!> output; one sentence on standard error and an exit code of contracts/errors.py when something is wrong.
program subgrid_les
   use, intrinsic :: ieee_exceptions, only: ieee_all, ieee_set_halting_mode
   use, intrinsic :: iso_fortran_env, only: error_unit
   use subgrid_errors, only: status_blow_up, status_checksum, status_device, status_file, status_format, status_name, &
                             status_kind, status_ok, status_plugin, status_rank, status_shape, status_value
   use subgrid_les_run, only: run_les
   use subgrid_les_settings, only: les_settings_type, read_settings
   use subgrid_process, only: catch_interruptions, exit_at_once, exit_with
   implicit none (type, external)
   integer, parameter :: exit_input = 2, exit_file = 3, exit_blow_up = 4, exit_set_up = 5, exit_bridge = 6, exit_interrupted = 130
   type(les_settings_type) :: settings
   character(len=:), allocatable :: errmsg
   logical :: was_interrupted
   integer :: stat

   ! A blow-up is a result to report, not a trap, also in a build that traps.
   call ieee_set_halting_mode(ieee_all, .false.)
   call catch_interruptions()
   if (command_argument_count() /= 1) call complain("expected one argument: a file with the namelist &les", exit_input)
   call read_settings(argument(1), settings, stat, errmsg)
   if (stat /= status_ok) call complain(errmsg, exit_code(stat))
   call run_les(settings, was_interrupted, stat, errmsg)
   if (stat /= status_ok) call complain(errmsg, exit_code(stat))
   if (was_interrupted) call complain('interrupted: output and restart were written up to here', exit_interrupted)
   call exit_with(0)

contains

   function argument(i)
      integer, intent(in) :: i
      character(len=:), allocatable :: argument
      integer :: length

      call get_command_argument(i, length=length)
      allocate (character(len=length) :: argument)
      call get_command_argument(i, argument)
   end function argument

   subroutine complain(message, code)
      character(len=*), intent(in) :: message
      integer, intent(in) :: code

      write (error_unit, '(2a)') 'subgrid_les: ', message
      call exit_at_once(code)
   end subroutine complain

   !> Exit codes of contracts/errors.py: input, file, blow-up, set-up, and everything else is the bridge's.
   pure integer function exit_code(status)
      integer, intent(in) :: status

      select case (status)
      case (status_value, status_name, status_rank, status_shape, status_kind)
         exit_code = exit_input
      case (status_file, status_format, status_checksum)
         exit_code = exit_file
      case (status_blow_up)
         exit_code = exit_blow_up
      case (status_plugin, status_device)
         exit_code = exit_set_up
      case default
         exit_code = exit_bridge
      end select
   end function exit_code
end program subgrid_les
