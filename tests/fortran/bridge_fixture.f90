!> What the suites of the bridge share: one session on the real CPU plug-in, and the bundles of make_test_bundles.py.
module bridge_fixture
   use subgrid_bridge, only: subgrid_init, subgrid_load, subgrid_model, subgrid_session, subgrid_share
   use subgrid_kinds, only: i4, sp
   use subgrid_testing, only: check
   use, intrinsic :: iso_c_binding, only: c_char, c_int, c_null_char
   implicit none (type, external)
   private
   public :: session, open_session, open_bundle, bundle_path, set_environment, variable, expect_status, same

   type(subgrid_session) :: session   !< opened by the first case that needs it; a process has one

   interface
      integer(c_int) function setenv(name, value, overwrite) bind(c, name='setenv')
         import :: c_char, c_int
         implicit none (type, external)
         character(kind=c_char), intent(in) :: name(*), value(*)
         integer(c_int), value :: overwrite
      end function setenv
   end interface

contains

   !> Open the session on the CPU plug-in unless it is open.
   subroutine open_session(failure)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=:), allocatable :: message
      logical, save :: opened = .false.
      integer :: stat

      if (opened) return
      call subgrid_init(session, 'cpu', stat=stat, errmsg=message)
      opened = stat == 0
      if (.not. opened) call check(failure, .false., 'set-up: '//message)
   end subroutine open_session

   !> A sound bundle on the CPU plug-in, compiled once a process and shared by the cases.
   subroutine open_bundle(failure, name, model)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: name   !< perceptron or mixed
      type(subgrid_model), intent(inout) :: model
      type(subgrid_model), save :: loaded(2)
      logical, save :: done(2) = .false.
      character(len=:), allocatable :: message
      integer :: i, stat

      call open_session(failure)
      if (allocated(failure)) return
      stat = 0
      i = merge(1, 2, name == 'perceptron')
      if (.not. done(i)) call subgrid_load(session, bundle_path(name), loaded(i), stat=stat, errmsg=message)
      done(i) = stat == 0
      if (stat == 0) call subgrid_share(loaded(i), model, stat, message)
      if (stat /= 0) call check(failure, .false., 'set-up: '//message)
   end subroutine open_bundle

   !> Bit for bit.
   elemental logical function same(a, b)
      real(sp), intent(in) :: a, b

      same = transfer(a, 0_i4) == transfer(b, 0_i4)
   end function same

   function bundle_path(name) result(path)
      character(len=*), intent(in) :: name
      character(len=:), allocatable :: path

      path = variable('SUBGRID_TEST_BUNDLES')//'/'//name//'.bundle'
   end function bundle_path

   function variable(name) result(value)
      character(len=*), intent(in) :: name
      character(len=:), allocatable :: value
      integer :: length

      call get_environment_variable(name, length=length)
      allocate (character(len=length) :: value)
      if (length > 0) call get_environment_variable(name, value)
   end function variable

   subroutine set_environment(name, value)
      character(len=*), intent(in) :: name, value
      integer(c_int) :: ignored

      ignored = setenv(name//c_null_char, value//c_null_char, 1_c_int)
   end subroutine set_environment

   !> A failure with this status and with all these words in its sentence.
   subroutine expect_status(failure, found, expected, message, words)
      character(len=:), allocatable, intent(inout) :: failure
      integer, intent(in) :: found, expected
      character(len=:), allocatable, intent(in) :: message
      character(len=*), intent(in) :: words(:)
      character(len=80) :: numbers
      integer :: i

      write (numbers, '(a,i0,a,i0)') 'found status ', found, ', expected ', expected
      call check(failure, found == expected, trim(numbers))
      call check(failure, allocated(message), 'there is no message')
      if (allocated(failure)) return
      do i = 1, size(words)
         call check(failure, index(message, trim(words(i))) > 0, '"'//trim(words(i))//'" is not in: '//message)
      end do
   end subroutine expect_status
end module bridge_fixture
