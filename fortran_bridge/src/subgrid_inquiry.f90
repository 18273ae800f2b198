!> Questions about a loaded bundle and the plug-in that it runs on.
module subgrid_inquiry
   use subgrid_errors, only: conclude, report, status_format, status_name, status_ok
   use subgrid_handles, only: require_loaded, subgrid_model
   use subgrid_kinds, only: dp, i8
   use subgrid_manifest, only: read_integers, read_real, read_text
   use subgrid_session_state, only: session_text
   implicit none (type, external)
   private
   public :: subgrid_inquire

   !> call subgrid_inquire(model, key, value, stat, errmsg): the value of a manifest key (docs/bundle.md) as text, integer,
   !> integers or
   !> real; 'session.platform', '.platform_version', '.api_version', '.plugin', '.device' as text.
   interface subgrid_inquire
      module procedure inquire_text, inquire_integer, inquire_integers, inquire_real
   end interface subgrid_inquire

contains

   subroutine inquire_text(model, key, value, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      character(len=*), intent(in) :: key
      character(len=:), allocatable, intent(out) :: value
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      value = ''
      call require_loaded(model, code, message)
      if (code == status_ok) then
         if (index(key, 'session.') == 1) then
            value = session_text(model%shared%session, key(len('session.') + 1:))
            if (value == '') call report(code, message, status_name, 'a session has no property '//key)
         else
            call read_text(model%shared%engine%bundle%manifest, key, value, code, message)
         end if
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine inquire_text

   subroutine inquire_integers(model, key, values, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      character(len=*), intent(in) :: key
      integer, allocatable, intent(out) :: values(:)   !< empty for `none` and `scalar`
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer(i8), allocatable :: wide(:)
      integer :: code

      code = status_ok
      allocate (values(0))
      call require_loaded(model, code, message)
      if (code == status_ok) then
         call read_integers(model%shared%engine%bundle%manifest, key, wide, code, message)
         values = int(wide)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine inquire_integers

   subroutine inquire_integer(model, key, value, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      character(len=*), intent(in) :: key
      integer, intent(out) :: value
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer, allocatable :: values(:)
      integer :: code

      value = 0
      call inquire_integers(model, key, values, code, message)
      if (code == status_ok .and. size(values) == 1) then
         value = values(1)
      else if (code == status_ok) then
         call report(code, message, status_format, key//' is not one integer')
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine inquire_integer

   subroutine inquire_real(model, key, value, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      character(len=*), intent(in) :: key
      real(dp), intent(out) :: value
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      value = 0
      call require_loaded(model, code, message)
      if (code == status_ok) call read_real(model%shared%engine%bundle%manifest, key, value, code, message)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine inquire_real
end module subgrid_inquiry
