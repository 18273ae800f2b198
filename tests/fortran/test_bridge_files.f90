!> Damaged bundles are refused with the right status and a sentence that names the damage; SHA-256 is the standard's.
module test_bridge_files
   use bridge_fixture, only: bundle_path, expect_status, open_bundle, open_session, session
   use subgrid_bridge, only: subgrid_free, subgrid_inquire, subgrid_load, subgrid_model
   use subgrid_errors, only: status_checksum, status_device, status_file, status_format, status_name, status_selftest, status_shape
   use subgrid_kinds, only: i8
   use subgrid_pjrt, only: sha256_of
   use subgrid_testing, only: check, new_case, test_case
   use, intrinsic :: iso_c_binding, only: c_char, c_loc
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('sha256_standard_vectors', sha256_standard_vectors), &
         new_case('sha256_long_messages', sha256_long_messages), &
         new_case('sound_bundle', sound_bundle), &
         new_case('missing_bundle', missing_bundle), &
         new_case('truncated_weights', truncated_weights), &
         new_case('missing_weights', missing_weights), &
         new_case('changed_weights', changed_weights), &
         new_case('changed_program', changed_program), &
         new_case('manifest_without_end', manifest_without_end), &
         new_case('other_format', other_format), &
         new_case('unknown_kind', unknown_kind), &
         new_case('lost_key', lost_key), &
         new_case('result_of_another_shape', result_of_another_shape), &
         new_case('other_platform', other_platform), &
         new_case('check_vectors_not_reproduced', check_vectors_not_reproduced), &
         new_case('sound_after_damaged', sound_after_damaged)]
   end subroutine collect

   subroutine sha256_standard_vectors(failure)   ! FIPS 180-4 examples
      character(len=:), allocatable, intent(out) :: failure

      call check(failure, digest('') == 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'of nothing')
      call check(failure, digest('abc') == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'of abc')
      call check(failure, digest('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq') == &
                 '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1', 'of 56 letters, padded by a block')
   end subroutine sha256_standard_vectors

   subroutine sha256_long_messages(failure)
      character(len=:), allocatable, intent(out) :: failure

      call check(failure, digest(repeat('a', 1000000)) == 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0', &
                 'of a million a')
   end subroutine sha256_long_messages

   function digest(text)
      character(len=*), intent(in) :: text
      character(len=64) :: digest
      character(kind=c_char), target :: bytes(len(text) + 1)
      integer :: i

      do i = 1, len(text)
         bytes(i) = text(i:i)
      end do
      digest = sha256_of(c_loc(bytes), len(text, kind=i8))
   end function digest

   subroutine sound_bundle(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: value
      integer, allocatable :: sizes(:)
      integer :: inputs

      call open_bundle(failure, 'mixed', model)
      if (allocated(failure)) return
      call subgrid_inquire(model, 'input.1.units', value)
      call check(failure, value == '1', 'units of slope')
      call subgrid_inquire(model, 'session.platform', value)
      call check(failure, value == 'cpu', 'platform')
      call subgrid_inquire(model, 'inputs', inputs)
      call check(failure, inputs == 3, 'number of inputs')
      call subgrid_inquire(model, 'batch_sizes', sizes)
      call check(failure, all(sizes == [1, 16]), 'batch sizes')
      call subgrid_inquire(model, 'input.2.shape', sizes)
      call check(failure, size(sizes) == 0, 'a scalar has no dimensions')
      call subgrid_free(model)
   end subroutine sound_bundle

   !> Loading `name` must end with `status` and these words, and leave nothing behind.
   subroutine refuse(failure, name, status, words)
      character(len=:), allocatable, intent(inout) :: failure
      character(len=*), intent(in) :: name
      integer, intent(in) :: status
      character(len=*), intent(in) :: words(:)
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call open_session(failure)
      if (allocated(failure)) return
      call subgrid_load(session, bundle_path(name), model, stat=stat, errmsg=message)
      call expect_status(failure, stat, status, message, words)
   end subroutine refuse

   !> A variable that could not be loaded takes a sound bundle afterwards.
   subroutine sound_after_damaged(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_model) :: model
      character(len=:), allocatable :: message
      integer :: stat

      call open_session(failure)
      if (allocated(failure)) return
      call subgrid_load(session, bundle_path('changed'), model, stat=stat, errmsg=message)
      call check(failure, stat == status_checksum, 'the damaged one is refused')
      call subgrid_load(session, bundle_path('perceptron'), model, stat=stat, errmsg=message)
      call check(failure, stat == 0, 'the sound one is taken')
      call subgrid_free(model)
   end subroutine sound_after_damaged

   subroutine missing_bundle(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'nowhere', status_file, [character(len=24) :: 'nowhere.bundle/manifest', 'cannot be opened'])
   end subroutine missing_bundle

   subroutine truncated_weights(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'truncated', status_format, [character(len=24) :: 'weights.bin', '16320 bytes', '16384'])
   end subroutine truncated_weights

   subroutine missing_weights(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'no_weights', status_file, [character(len=24) :: 'weights.bin'])
   end subroutine missing_weights

   subroutine changed_weights(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'changed', status_checksum, [character(len=24) :: 'weights.bin', 'checksum'])
   end subroutine changed_weights

   subroutine changed_program(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'changed_program', status_format, [character(len=24) :: 'forward.cpu.b1.mlir', 'bytes'])
   end subroutine changed_program

   subroutine manifest_without_end(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'no_end', status_format, [character(len=24) :: 'manifest.txt', 'truncated'])
   end subroutine manifest_without_end

   subroutine other_format(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'other_format', status_format, [character(len=24) :: 'subgrid-bundle 99', 'subgrid-bundle 1"'])
   end subroutine other_format

   subroutine unknown_kind(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'other_kind', status_format, [character(len=24) :: 'input.1.kind', 'bfloat16'])
   end subroutine unknown_kind

   subroutine lost_key(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'lost_key', status_format, [character(len=24) :: 'weights.sha256'])
   end subroutine lost_key

   subroutine result_of_another_shape(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'other_result', status_shape, [character(len=24) :: 'result 1', 'manifest'])
   end subroutine result_of_another_shape

   subroutine other_platform(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'disguised', status_device, [character(len=24) :: 'no program', 'cpu'])
   end subroutine other_platform

   subroutine check_vectors_not_reproduced(failure)
      character(len=:), allocatable, intent(out) :: failure

      call refuse(failure, 'other_numbers', status_selftest, [character(len=24) :: 'self-test', 'differs by', 'allowed'])
   end subroutine check_vectors_not_reproduced
end module test_bridge_files
