!> What the Fortran solver refuses, with a status and one sentence.
module test_turbulence2d_refusals
   use subgrid_errors, only: status_name, status_ok, status_shape, status_value
   use subgrid_kinds, only: dp, i8
   use subgrid_testing, only: check, new_case, test_case
   use subgrid_turbulence2d, only: closure_type, grid_type, make_closure, numerics_type, physics_type, turbulence_type
   use turbulence2d_fixture, only: ideal, lively_field, prepare
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [new_case('odd_grid_is_refused', odd_grid_is_refused), &
               new_case('coarse_grid_is_refused', coarse_grid_is_refused), &
               new_case('bad_settings_are_refused', bad_settings_are_refused), &
               new_case('bad_fields_are_refused', bad_fields_are_refused), &
               new_case('unknown_closure_is_refused', unknown_closure_is_refused)]
   end subroutine collect

   subroutine odd_grid_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(grid_type) :: grid
      character(len=:), allocatable :: errmsg
      integer :: stat

      call grid%create(33, 'two_thirds', stat, errmsg)
      call check(failure, stat == status_value, 'status of an odd grid')
      call check(failure, index(errmsg, 'n = 33') > 0, 'the sentence names the grid')
      call grid%create(32, 'half', stat, errmsg)
      call check(failure, stat == status_value, 'status of an unknown dealiasing')
      call check(failure, index(errmsg, "'half'") > 0, 'the sentence names the dealiasing')
   end subroutine odd_grid_is_refused

   subroutine coarse_grid_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 25, 74, 'two_thirds', 'ifrk4', 0.01_dp, '76')
      call refuse(failure, 25, 50, 'none', 'ifrk4', 0.01_dp, '52')
      call refuse(failure, -4, 64, 'none', 'ifrk4', 0.01_dp, 'negative')
   end subroutine coarse_grid_is_refused

   subroutine bad_settings_are_refused(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 4, 64, 'two_thirds', 'euler', 0.01_dp, "'euler'")
      call refuse(failure, 4, 64, 'two_thirds', 'ifrk4', 0.0_dp, 'dt')
      call refuse(failure, 4, 64, 'two_thirds', 'ifrk4', -1.0_dp, 'dt')
   end subroutine bad_settings_are_refused

   subroutine refuse(failure, forcing_wavenumber, n, dealiasing, integrator, dt, word)
      character(len=:), allocatable, intent(inout) :: failure
      integer, intent(in) :: forcing_wavenumber, n
      character(len=*), intent(in) :: dealiasing, integrator, word
      real(dp), intent(in) :: dt
      type(turbulence_type) :: flow
      class(closure_type), allocatable :: closure
      type(numerics_type) :: numerics
      character(len=:), allocatable :: errmsg
      integer :: stat

      numerics%n = n
      numerics%dt = dt
      numerics%integrator = integrator
      numerics%dealiasing = dealiasing
      call make_closure('none', closure, stat, errmsg)
      call flow%create(physics_type(forcing_wavenumber=forcing_wavenumber), numerics, closure, stat, errmsg)
      call check(failure, stat == status_value, 'status of a refusal that names '//word)
      if (stat /= status_ok) call check(failure, index(errmsg, word) > 0, 'the sentence names '//word)
   end subroutine refuse

   subroutine bad_fields_are_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(turbulence_type) :: flow
      character(len=:), allocatable :: errmsg
      real(dp) :: field(16, 16), small(15, 16)
      integer :: stat

      call prepare(flow, ideal, 16, 0.01_dp, 'ifrk4', 'two_thirds', 'none', lively_field(16), failure)
      if (allocated(failure)) return
      small = 0
      call flow%set_vorticity(small, stat, errmsg)
      call check(failure, stat == status_shape, 'status of another shape')
      call check(failure, index(errmsg, '(15, 16)') > 0, 'the sentence names the shape')
      call flow%get_vorticity(small, stat, errmsg)
      call check(failure, stat == status_shape, 'status of another shape for the answer')
      field = lively_field(16)
      field(3, 4) = transfer(9221120237041090560_i8, 1.0_dp)  ! a quiet NaN, made without a trap
      call flow%set_vorticity(field, stat, errmsg)
      call check(failure, stat == status_value, 'status of a field with a NaN')
      call check(failure, index(errmsg, ' 1 value') > 0, 'the sentence counts the values')
   end subroutine bad_fields_are_refused

   subroutine unknown_closure_is_refused(failure)
      character(len=:), allocatable, intent(out) :: failure
      class(closure_type), allocatable :: closure
      character(len=:), allocatable :: errmsg
      integer :: stat

      call make_closure('magic', closure, stat, errmsg)
      call check(failure, stat == status_name .and. .not. allocated(closure), 'status of an unknown closure')
      call check(failure, index(errmsg, "'magic'") > 0, 'the sentence names the closure')
      call make_closure('leith', closure, stat, errmsg, constant=-1.0_dp)
      call check(failure, stat == status_value, 'status of a negative constant')
   end subroutine unknown_closure_is_refused
end module test_turbulence2d_refusals
