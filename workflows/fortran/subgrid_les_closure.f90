!> The closure that the settings name: one of the solver's own, or a bundle behind the bridge.
module subgrid_les_closure
   use subgrid_learned_closure, only: learned_closure_type
   use subgrid_les_settings, only: les_settings_type
   use subgrid_turbulence2d, only: closure_type, make_closure
   implicit none (type, external)
   private
   public :: make_les_closure

contains

   !> Fails with status_name on an unknown closure, with status_value on a bad constant, and as the bridge does.
   subroutine make_les_closure(settings, closure, stat, errmsg)
      type(les_settings_type), intent(in) :: settings
      class(closure_type), allocatable, intent(out) :: closure
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      if (settings%closure == 'learned') then
         call make_learned(settings, closure, stat, errmsg)
      else
         ! An optional dummy counts as absent when its actual argument is not allocated.
         call make_closure(settings%closure, closure, stat, errmsg, settings%closure_constant)
      end if
   end subroutine make_les_closure

   subroutine make_learned(settings, closure, stat, errmsg)
      type(les_settings_type), intent(in) :: settings
      class(closure_type), allocatable, intent(out) :: closure
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(learned_closure_type), allocatable :: learned
      character(len=:), allocatable :: plugin

      plugin = settings%plugin
      if (plugin == '') plugin = settings%device
      allocate (learned)
      call learned%load(settings%bundle, plugin, settings%numerics%n, stat, errmsg)
      call move_alloc(learned, closure)
   end subroutine make_learned
end module subgrid_les_closure
