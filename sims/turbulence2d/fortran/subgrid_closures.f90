!> The physical closures by name.
module subgrid_closures
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use subgrid_closure, only: closure_type
   use subgrid_closure_leith, only: leith_type
   use subgrid_closure_none, only: no_closure_type
   use subgrid_closure_smagorinsky, only: smagorinsky_type
   use subgrid_errors, only: report, status_name, status_ok, status_value
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: make_closure

contains

   !> A closure by name, with its textbook constant unless one is given.
   !> Fails with status_name on an unknown name and with status_value on a constant that is negative or not finite.
   subroutine make_closure(name, closure, stat, errmsg, constant)
      character(len=*), intent(in) :: name                      !< 'none', 'smagorinsky' or 'leith'
      class(closure_type), allocatable, intent(out) :: closure
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp), intent(in), optional :: constant                !< C_s or C_l [1]
      character(len=32) :: found

      stat = status_ok
      if (present(constant)) then
         if (constant_is_bad(constant)) then
            write (found, '(g0.6)') constant
            call report(stat, errmsg, status_value, 'the closure constant '//trim(found)//' is not a number of at least 0')
            return
         end if
      end if
      select case (name)
      case ('none')
         allocate (closure, source=no_closure_type())
      case ('smagorinsky')
         allocate (smagorinsky_type :: closure)
      case ('leith')
         allocate (leith_type :: closure)
      case default
         call report(stat, errmsg, status_name, "the closure '"//trim(name)//"' is unknown: "// &
                     "choose 'none', 'smagorinsky' or 'leith'")
         return
      end select
      if (.not. present(constant)) return
      select type (closure)
      type is (smagorinsky_type)
         closure%constant = constant
      type is (leith_type)
         closure%constant = constant
      end select
   end subroutine make_closure

   pure logical function constant_is_bad(constant)
      real(dp), intent(in) :: constant

      constant_is_bad = .true.
      if (ieee_is_finite(constant)) constant_is_bad = constant < 0
   end function constant_is_bad
end module subgrid_closures
