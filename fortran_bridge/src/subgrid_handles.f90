!> The two types of the bridge. Hosts treat them as opaque; subgrid_bridge offers what can be done with them.
module subgrid_handles
   use subgrid_binding, only: binding
   use subgrid_engine, only: engine
   use subgrid_errors, only: report, status_state
   use subgrid_session_state, only: session_state
   implicit none (type, external)
   private
   public :: subgrid_session, shared_engine, subgrid_model, require_loaded

   !> A plug-in, opened on one device. Copies refer to the same.
   type :: subgrid_session
      type(session_state), pointer :: state => null()
   end type subgrid_session

   !> What lies on the device, with the number of `subgrid_model`s that refer to it.
   type :: shared_engine
      type(session_state), pointer :: session => null()
      type(engine) :: engine
      integer :: users = 1
   end type shared_engine

   !> A bundle that is ready to run, with the arrays that this variable has bound.
   type :: subgrid_model
      type(shared_engine), pointer :: shared => null()
      type(binding), allocatable :: bindings(:)
   end type subgrid_model

contains

   !> status_state unless the model is loaded.
   subroutine require_loaded(model, code, message)
      type(subgrid_model), intent(in) :: model
      integer, intent(inout) :: code
      character(len=:), allocatable, intent(inout) :: message

      if (.not. associated(model%shared)) call report(code, message, status_state, &
         'the model is not loaded; call subgrid_load first')
   end subroutine require_loaded
end module subgrid_handles
