!> Status codes and the one place that may end a program.
!>
!> Every procedure that can fail ends with `stat, errmsg`; 0 is success, negative codes are subgrid's own,
!> positive ones are the absl codes that PJRT returns. The codes equal those of contracts/status.py.
module subgrid_errors
   implicit none (type, external)
   private
   public :: report, conclude
   public :: status_ok, status_file, status_format, status_checksum, status_rank, status_shape, status_kind
   public :: status_name, status_device, status_plugin, status_selftest, status_value, status_blow_up, status_state

   integer, parameter :: status_ok = 0
   integer, parameter :: status_file = -1       !< missing or unreadable file, full disk
   integer, parameter :: status_format = -2     !< truncated or of another schema
   integer, parameter :: status_checksum = -3   !< content differs from the recorded checksum
   integer, parameter :: status_rank = -4
   integer, parameter :: status_shape = -5
   integer, parameter :: status_kind = -6
   integer, parameter :: status_name = -7       !< no input, output, program or option of that name
   integer, parameter :: status_device = -8
   integer, parameter :: status_plugin = -9     !< plug-in not found or not a PJRT plug-in
   integer, parameter :: status_selftest = -10  !< the plug-in did not reproduce the bundle's check vectors
   integer, parameter :: status_value = -11     !< an argument outside its range
   integer, parameter :: status_blow_up = -12   !< the simulation left the finite numbers
   integer, parameter :: status_state = -13     !< called before its set-up, or after its end

contains

   !> Set both results of a failure at once.
   pure subroutine report(stat, errmsg, code, message)
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer, intent(in) :: code
      character(len=*), intent(in) :: message

      stat = code
      errmsg = message
   end subroutine report

   !> Rule of the user-facing facades: a caller that asked for the status gets it; otherwise a failure ends the program.
   !>
   !> The facade itself hands the sentence over, `if (present(errmsg) .and. allocated(message)) errmsg = message`: gfortran 12 loses
   !> the length of a deferred-length optional dummy that is passed on as an optional argument.
   subroutine conclude(code, message, stat)
      integer, intent(in) :: code
      character(len=:), allocatable, intent(in) :: message
      integer, intent(out), optional :: stat

      if (present(stat)) then
         stat = code
      else if (code /= status_ok) then
         if (allocated(message)) error stop message
         error stop 'subgrid: a procedure failed without a message'
      end if
   end subroutine conclude
end module subgrid_errors
