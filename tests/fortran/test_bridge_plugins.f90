!> Plug-ins that are missing, broken or lie; devices that do not exist; hosts that trap floating-point exceptions.
module test_bridge_plugins
   use bridge_fixture, only: bundle_path, expect_status, open_bundle, session, set_environment, variable
   use subgrid_bridge, only: subgrid_call, subgrid_device_for_rank, subgrid_finalize, subgrid_free, subgrid_init, subgrid_inquire, &
      subgrid_load, subgrid_model, subgrid_session
   use subgrid_errors, only: status_device, status_plugin, status_selftest, status_state, status_value
   use subgrid_kinds, only: sp
   use subgrid_testing, only: check, new_case, test_case
   use, intrinsic :: ieee_exceptions, only: ieee_all, ieee_divide_by_zero, ieee_get_flag, ieee_get_halting_mode, ieee_inexact, &
      ieee_invalid, ieee_overflow, ieee_set_flag, ieee_set_halting_mode
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('no_plugin_of_that_name', no_plugin_of_that_name), &
         new_case('plugin_not_found', plugin_not_found), &
         new_case('library_that_is_no_plugin', library_that_is_no_plugin), &
         new_case('other_version', other_version), &
         new_case('unknown_device', unknown_device), &
         new_case('option_out_of_range', option_out_of_range), &
         new_case('client_that_cannot_start', client_that_cannot_start), &
         new_case('compiler_that_fails', compiler_that_fails), &
         new_case('plugin_that_computes_wrong_numbers', plugin_that_computes_wrong_numbers), &
         new_case('run_that_fails', run_that_fails), &
         new_case('results_fetched_as_from_a_gpu', results_fetched_as_from_a_gpu), &
         new_case('traps_and_flags_are_the_hosts', traps_and_flags_are_the_hosts), &
         new_case('order_of_closing', order_of_closing), &
         new_case('rank_to_device', rank_to_device)]
   end subroutine collect

   !> Opening `plugin` must fail like this.
   subroutine refuse(failure, plugin, device, status, words)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: plugin
      integer, intent(in) :: device, status
      character(len=*), intent(in) :: words(:)
      type(subgrid_session) :: other
      character(len=:), allocatable :: message
      integer :: stat

      call subgrid_init(other, plugin, device, stat=stat, errmsg=message)
      call expect_status(failure, stat, status, message, words)
   end subroutine refuse

   subroutine no_plugin_of_that_name(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'abacus', 0, status_plugin, [character(len=32) :: 'abacus', 'SUBGRID_PJRT_PLUGIN_ABACUS'])
   end subroutine no_plugin_of_that_name

   subroutine plugin_not_found(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, './nowhere/plugin.so', 0, status_plugin, [character(len=32) :: './nowhere/plugin.so', 'No such file'])
   end subroutine plugin_not_found

   subroutine library_that_is_no_plugin(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, variable('SUBGRID_TEST_LIBRARY'), 0, status_plugin, [character(len=32) :: 'no GetPjrtApi'])
   end subroutine library_that_is_no_plugin

   subroutine other_version(failure)
      character(len=:), allocatable, intent(out) :: failure

      call set_environment('SUBGRID_FAKE_PLUGIN', 'other_version')
      call refuse(failure, variable('SUBGRID_TEST_FAKE_PLUGIN'), 0, status_plugin, [character(len=32) :: 'PJRT 9', 'needs 0'])
      call set_environment('SUBGRID_FAKE_PLUGIN', '')
   end subroutine other_version

   subroutine unknown_device(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'cpu', 7, status_device, [character(len=32) :: 'device 7', 'cpu', 'offers 1'])
      call refuse(failure, 'cpu', -1, status_device, [character(len=32) :: 'device -1'])
   end subroutine unknown_device

   subroutine option_out_of_range(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      character(len=:), allocatable :: message
      integer :: stat

      call subgrid_init(other, 'cpu', memory_fraction=1.5, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_value, message, [character(len=32) :: 'memory_fraction'])
   end subroutine option_out_of_range

   subroutine client_that_cannot_start(failure)
      character(len=:), allocatable, intent(out) :: failure

      call set_environment('SUBGRID_FAKE_PLUGIN', 'fails_to_start')
      call refuse(failure, variable('SUBGRID_TEST_FAKE_PLUGIN'), 0, 3, [character(len=32) :: 'create its client'])
      call set_environment('SUBGRID_FAKE_PLUGIN', '')
   end subroutine client_that_cannot_start

   !> Load perceptron.bundle on the fake plug-in, which misbehaves only from then on if `afterwards` says so.
   subroutine load_on_fake(failure, misbehaviour, other, model, stat, message, afterwards)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: misbehaviour
      type(subgrid_session), intent(inout) :: other
      type(subgrid_model), intent(inout) :: model
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: message
      logical, intent(in) :: afterwards

      message = ''
      if (.not. afterwards) call set_environment('SUBGRID_FAKE_PLUGIN', misbehaviour)
      call subgrid_init(other, variable('SUBGRID_TEST_FAKE_PLUGIN'), stat=stat, errmsg=message)
      call check(failure, stat == 0, 'set-up: '//message)
      if (stat == 0) call subgrid_load(other, bundle_path('perceptron'), model, stat=stat, errmsg=message)
      if (afterwards) call set_environment('SUBGRID_FAKE_PLUGIN', misbehaviour)
   end subroutine load_on_fake

   subroutine close_fake(failure, other, model)
      character(len=:), allocatable, intent(inout) :: failure
      type(subgrid_session), intent(inout) :: other
      type(subgrid_model), intent(inout) :: model
      integer :: stat

      call set_environment('SUBGRID_FAKE_PLUGIN', '')
      call subgrid_free(model)
      call subgrid_finalize(other, stat)
      call check(failure, stat == 0, 'the session closes')
   end subroutine close_fake

   subroutine compiler_that_fails(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call load_on_fake(failure, 'fails_to_compile', other, model, stat, message, afterwards=.false.)
      call expect_status(failure, stat, 3, message, [character(len=32) :: 'perceptron', 'compile a program'])
      call close_fake(failure, other, model)
   end subroutine compiler_that_fails

   subroutine plugin_that_computes_wrong_numbers(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call load_on_fake(failure, 'wrong_numbers', other, model, stat, message, afterwards=.false.)
      call expect_status(failure, stat, status_selftest, message, [character(len=32) :: 'self-test', 'forward', ' y ', '2.500E-01'])
      call subgrid_load(other, bundle_path('perceptron'), model, self_test=.false., stat=stat, errmsg=message)
      call check(failure, stat == 0, 'whoever insists gets it without the test')
      call close_fake(failure, other, model)
   end subroutine plugin_that_computes_wrong_numbers

   subroutine run_that_fails(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      real(sp) :: x(32, 40), y(32, 40)
      integer :: stat, i

      x = 1
      call load_on_fake(failure, 'fails_to_run', other, model, stat, message, afterwards=.true.)
      do i = 1, 20
         call subgrid_call(model, x, y, stat, message)
         call expect_status(failure, stat, 3, message, [character(len=32) :: 'run a program', 'forward'])
      end do
      call set_environment('SUBGRID_FAKE_PLUGIN', '')
      call subgrid_call(model, x, y, stat, message)
      call check(failure, stat == 0, 'the model works again')
      call close_fake(failure, other, model)
   end subroutine run_that_fails

   !> A device whose memory the host cannot read: whole results are copied, valid entries kept.
   subroutine results_fetched_as_from_a_gpu(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      type(subgrid_model) :: model, sound
      character(len=:), allocatable :: message
      real(sp) :: x(32, 21), y(32, 21), expected(32, 21)
      integer :: stat

      call open_bundle(failure, 'perceptron', sound)
      if (allocated(failure)) return
      call random_number(x)
      call subgrid_call(sound, x, expected)
      call set_environment('SUBGRID_FAKE_PLUGIN', 'gpu')
      call subgrid_init(other, variable('SUBGRID_TEST_FAKE_PLUGIN'))
      call subgrid_load(other, bundle_path('disguised'), model, stat=stat, errmsg=message)
      call check(failure, stat == 0, 'it loads')
      if (stat == 0) then
         call subgrid_inquire(model, 'session.platform', message)
         call check(failure, message == 'cuda', 'it says that it was a GPU')
         call subgrid_call(model, x, y)
         call check(failure, all(abs(y - expected) < 1e-6_sp), 'the numbers arrive')
      end if
      call close_fake(failure, other, model)
      call subgrid_free(sound)
   end subroutine results_fetched_as_from_a_gpu

   !> Load and run with traps on: the plug-in must not trip over them, and modes and flags come back as they were.
   subroutine traps_and_flags_are_the_hosts(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      type(subgrid_model) :: model
      real(sp) :: x(32, 3), y(32, 3)
      logical :: before(5), during(5), flag

      x = 1
      call ieee_get_halting_mode(ieee_all, before)
      call ieee_set_halting_mode([ieee_invalid, ieee_divide_by_zero, ieee_overflow], .true.)
      call ieee_set_flag(ieee_all, .false.)
      call ieee_set_flag(ieee_inexact, .true.)
      call subgrid_init(other, 'cpu')
      call subgrid_load(other, bundle_path('mixed'), model)
      call subgrid_free(model)
      call subgrid_load(other, bundle_path('perceptron'), model)
      call subgrid_call(model, x, y)
      call subgrid_free(model)
      call subgrid_finalize(other)
      call ieee_get_halting_mode(ieee_all, during)
      call ieee_get_flag(ieee_inexact, flag)
      call check(failure, flag, 'a flag of the host is kept')
      call ieee_get_flag(ieee_divide_by_zero, flag)
      call check(failure, .not. flag, 'no flag of the plug-in leaks out')
      call ieee_set_halting_mode(ieee_all, before)
      call check(failure, all(during(1:3)), 'the traps are still on')
   end subroutine traps_and_flags_are_the_hosts

   subroutine order_of_closing(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_session) :: other
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call subgrid_load(other, bundle_path('mixed'), model, stat=stat, errmsg=message)
      call expect_status(failure, stat, status_state, message, [character(len=32) :: 'subgrid_init'])
      call subgrid_init(other, 'cpu')
      call subgrid_load(other, bundle_path('mixed'), model)
      call subgrid_finalize(other, stat, message)
      call expect_status(failure, stat, status_state, message, [character(len=32) :: '1 models', 'free them first'])
      call subgrid_free(model)
      call subgrid_free(model)
      call subgrid_finalize(other, stat)
      call subgrid_finalize(other, stat)
      call check(failure, stat == 0, 'a second time does no harm')
   end subroutine order_of_closing

   subroutine rank_to_device(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer :: rank

      call check(failure, all([(subgrid_device_for_rank(2, rank), rank=0, 3)] == [0, 1, 0, 1]), 'round robin')
      call set_environment('PMI_LOCAL_RANK', '1')
      call check(failure, subgrid_device_for_rank(4) == 1, 'PMI_LOCAL_RANK')
      call set_environment('MPI_LOCALRANKID', '2')
      call check(failure, subgrid_device_for_rank(4) == 2, 'MPI_LOCALRANKID')
      call set_environment('OMPI_COMM_WORLD_LOCAL_RANK', '7')
      call check(failure, subgrid_device_for_rank(4) == 3, 'OMPI_COMM_WORLD_LOCAL_RANK')
      call set_environment('SLURM_LOCALID', '0')
      call check(failure, subgrid_device_for_rank(8) == 0, 'SLURM_LOCALID comes first')
      call set_environment('SLURM_LOCALID', 'none')
      call check(failure, subgrid_device_for_rank(8) == 7, 'a value that is no number is passed over')
   end subroutine rank_to_device
end module test_bridge_plugins
