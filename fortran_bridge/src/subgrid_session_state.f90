!> An opened plug-in with its client on one device, and how many models lie on it.
module subgrid_session_state
   use subgrid_errors, only: report, status_ok, status_state
   use subgrid_files, only: text_of_integer
   use subgrid_kinds, only: i8
   use subgrid_pjrt, only: c_text, message_size, pjrt_close, pjrt_open, pjrt_text, text_of
   use subgrid_plugin, only: environment, find_plugin
   use, intrinsic :: iso_c_binding, only: c_char, c_float, c_int, c_null_ptr, c_ptr
   use, intrinsic :: iso_fortran_env, only: error_unit
   implicit none (type, external)
   private
   public :: session_state, open_session, close_session, session_text

   type :: session_state
      type(c_ptr) :: client = c_null_ptr
      character(len=:), allocatable :: plugin, platform
      integer :: device = 0
      integer :: models = 0
   end type session_state

contains

   subroutine open_session(self, plugin, device, memory_fraction, threads, stat, errmsg)
      type(session_state), intent(inout) :: self
      character(len=*), intent(in) :: plugin
      integer, intent(in) :: device             !< from 0
      real(c_float), intent(in) :: memory_fraction   !< of the GPU's memory; ≤ 0 leaves the plug-in's default
      integer, intent(in) :: threads            !< of the CPU pool; 0 leaves them to the plug-in
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=:), allocatable :: family
      character(kind=c_char) :: message(message_size)
      integer(c_int) :: code

      call find_plugin(plugin, self%plugin, family, stat, errmsg)
      if (stat /= status_ok) return
      ! A misspelt flag in there makes XLA end the process, which nobody can catch: say beforehand where to look.
      if (environment('XLA_FLAGS') /= '') write (error_unit, '(a)') 'subgrid: XLA_FLAGS is set ("'//environment('XLA_FLAGS')// &
         '"); the plug-in obeys it, and ends the process at a flag that it does not know'
      code = pjrt_open(c_text(self%plugin), c_text(family), int(device, c_int), memory_fraction, int(threads, c_int), &
         self%client, message)
      if (code /= 0) then
         call report(stat, errmsg, code, text_of(message))
         return
      end if
      self%device = device
      self%platform = text_of(pjrt_text(self%client, c_text('platform')))
   end subroutine open_session

   !> Models hold memory of the device, so they go first.
   subroutine close_session(self, stat, errmsg)
      type(session_state), intent(inout) :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      if (self%models > 0) then
         call report(stat, errmsg, status_state, text_of_integer(int(self%models, i8))// &
                     ' models still lie on the device of this session: free them first')
         return
      end if
      call pjrt_close(self%client)
      self%client = c_null_ptr
   end subroutine close_session

   !> platform, platform_version, api_version, plugin or device; '' for another word.
   function session_text(self, what) result(text)
      type(session_state), intent(in) :: self
      character(len=*), intent(in) :: what
      character(len=:), allocatable :: text

      select case (what)
      case ('plugin')
         text = self%plugin
      case ('device')
         text = text_of_integer(int(self%device, i8))
      case default
         text = text_of(pjrt_text(self%client, c_text(what)))
      end select
   end function session_text
end module subgrid_session_state
