!> The bridge: learned schemes (bundles) inside a Fortran program, without Python (docs/bridge.md).
!>
!>     call subgrid_init(session, 'cpu')                      ! once, after MPI_Init
!>     call subgrid_load(session, 'closure.bundle', model)    ! compiles, proves the check vectors
!>     call subgrid_bind(model, 'vorticity', vorticity)       ! once; arrays (n1, …, nk, batch), the same memory as JAX
!> (batch, nk, …, n1)
!>     call subgrid_bind(model, 'tendency', tendency)
!>     do step = …
!>        call subgrid_run(model)
!>     end do
!>     call subgrid_free(model)
!>     call subgrid_finalize(session)                         ! before MPI_Finalize
!>
!> `stat` and `errmsg` come last and are optional everywhere: 0 is success, negative codes are those of subgrid_errors, positive
!> ones
!> the absl codes of the plug-in. Without `stat` a failure is an error stop with one sentence.
!>
!> Threads: load, share and free may be called by any thread; a model that several threads run is shared first (subgrid_share),
!> since each
!> thread needs its own set of bound arrays.
module subgrid_bridge
   use subgrid_aligned_dp, only: subgrid_alloc, subgrid_free
   use subgrid_aligned_sp, only: subgrid_alloc, subgrid_free
   use subgrid_binding, only: bind_array, binding, collect_run, get_array, release_binding, set_array
   use subgrid_engine, only: engine, run_program, start_engine, stop_engine
   use subgrid_errors, only: conclude, report, status_name, status_ok, status_state, status_value
   use subgrid_files, only: text_of_integer
   use subgrid_handles, only: require_loaded, subgrid_model, subgrid_session
   use subgrid_inquiry, only: subgrid_inquire
   use subgrid_kinds, only: i8
   use subgrid_pjrt, only: lock, unlock
   use subgrid_plugin, only: local_rank
   use subgrid_selftest, only: run_selftest
   use subgrid_session_state, only: close_session, open_session
   use, intrinsic :: iso_c_binding, only: c_float, c_ptr
   implicit none (type, external)
   private
   ! The plug-in and its device
   public :: subgrid_session, subgrid_init, subgrid_finalize, subgrid_device_for_rank
   ! A bundle on the device
   public :: subgrid_model, subgrid_load, subgrid_share, subgrid_free, subgrid_warmup, subgrid_inquire
   ! Its arguments, and running it
   public :: subgrid_bind, subgrid_set, subgrid_get, subgrid_run, subgrid_call, subgrid_alloc

   interface subgrid_free
      module procedure free_model
   end interface subgrid_free

contains

   !> Open a plug-in and create its client.
   subroutine subgrid_init(session, plugin, device, memory_fraction, threads, stat, errmsg)
      type(subgrid_session), intent(inout) :: session
      character(len=*), intent(in), optional :: plugin   !< cpu, cuda, a path; absent: the variable SUBGRID_PJRT_PLUGIN
      integer, intent(in), optional :: device            !< from 0, the default; see subgrid_device_for_rank
      !> of the GPU's memory, 0 … 1; absent: the plug-in's default, grown on demand
      real, intent(in), optional :: memory_fraction
      integer, intent(in), optional :: threads           !< of the CPU pool; absent: as many as the process may use
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message, name
      real(c_float) :: fraction
      integer :: code, index, n_threads

      code = status_ok
      name = ''
      index = 0
      fraction = 0
      n_threads = 0
      if (present(plugin)) name = trim(plugin)
      if (present(device)) index = device
      if (present(memory_fraction)) fraction = real(memory_fraction, c_float)
      if (present(threads)) n_threads = threads
      if (associated(session%state)) then
         call report(code, message, status_state, 'subgrid_init: this session is open already; finalize it first')
      else if (fraction < 0 .or. fraction > 1 .or. n_threads < 0) then
         call report(code, message, status_value, 'subgrid_init: memory_fraction lies in 0 … 1 and threads is not negative')
      else
         allocate (session%state)
         call lock()
         call open_session(session%state, name, index, fraction, n_threads, code, message)
         call unlock()
         if (code /= status_ok) deallocate (session%state)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_init

   !> Close the client; all models must have been freed.
   subroutine subgrid_finalize(session, stat, errmsg)
      type(subgrid_session), intent(inout) :: session
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      if (associated(session%state)) then
         call lock()
         call close_session(session%state, code, message)
         call unlock()
         if (code == status_ok) deallocate (session%state)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_finalize

   !> Device of this process when a node's ranks share its `devices` devices: local rank mod devices. The local rank is an
   !> argument or comes
   !> from SLURM_LOCALID, OMPI_COMM_WORLD_LOCAL_RANK, MPI_LOCALRANKID, PMI_LOCAL_RANK; without any of them it is 0.
   integer function subgrid_device_for_rank(devices, rank) result(device)
      integer, intent(in) :: devices         !< on this node, at least 1
      integer, intent(in), optional :: rank  !< on this node, from 0

      if (present(rank)) then
         device = modulo(rank, max(devices, 1))
      else
         device = modulo(local_rank(), max(devices, 1))
      end if
   end function subgrid_device_for_rank

   !> Read, verify, compile and self-test the bundle `path`.
   subroutine subgrid_load(session, path, model, self_test, stat, errmsg)
      type(subgrid_session), intent(in) :: session
      character(len=*), intent(in) :: path
      type(subgrid_model), intent(inout) :: model
      logical, intent(in), optional :: self_test   !< .false. trusts the plug-in, which is at your own risk
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      logical :: tested
      integer :: code

      code = status_ok
      tested = .true.
      if (present(self_test)) tested = self_test
      if (.not. associated(session%state)) then
         call report(code, message, status_state, 'subgrid_load: the session is not open; call subgrid_init first')
      else if (associated(model%shared)) then
         call report(code, message, status_state, 'subgrid_load: this model is loaded already; free it first')
      else
         allocate (model%shared)
         model%shared%session => session%state
         call start_engine(model%shared%engine, session%state%client, session%state%platform, trim(path), code, message)
         if (code == status_ok .and. tested) call run_selftest(model%shared%engine, code, message)
         if (code == status_ok) then
            allocate (model%bindings(size(model%shared%engine%slots)))
            call lock()
            session%state%models = session%state%models + 1
            call unlock()
         else
            call stop_engine(model%shared%engine)
            deallocate (model%shared)
         end if
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_load

   !> Another variable for the same bundle on the device, with its own bound arrays: one for each thread.
   subroutine subgrid_share(model, other, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      type(subgrid_model), intent(inout) :: other
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      call require_loaded(model, code, message)
      if (associated(other%shared)) call report(code, message, status_state, &
         'subgrid_share: the other model is loaded already; free it first')
      if (code == status_ok) then
         call lock()
         model%shared%users = model%shared%users + 1
         call unlock()
         other%shared => model%shared
         allocate (other%bindings(size(model%bindings)))
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_share

   !> Let go of a model; with the last one that shares it, programs and weights leave the device.
   subroutine free_model(model, stat, errmsg)
      type(subgrid_model), intent(inout) :: model
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: i

      if (associated(model%shared)) then
         do i = 1, size(model%bindings)
            call release_binding(model%bindings(i))
         end do
         deallocate (model%bindings)
         call lock()
         model%shared%users = model%shared%users - 1
         if (model%shared%users == 0) then
            call stop_engine(model%shared%engine)
            model%shared%session%models = model%shared%session%models - 1
            deallocate (model%shared)
         end if
         call unlock()
         nullify (model%shared)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(status_ok, message, stat)
   end subroutine free_model

   !> Run the check vectors of all programs and batch sizes again; status_selftest when the plug-in does not reproduce them.
   subroutine subgrid_warmup(model, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      call require_loaded(model, code, message)
      if (code == status_ok) call run_selftest(model%shared%engine, code, message)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_warmup

   !> Attach an array to an input or output once; its values are read and written at every run. It must be contiguous, have the
   !> target or
   !> pointer attribute, and live as long as it is bound. Shape (n1, …, nk, batch); the batch dimension may be left out for
   !> one entry.
   subroutine subgrid_bind(model, name, array, zero_copy, stat, errmsg)
      type(subgrid_model), intent(inout) :: model
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(in), target :: array
      logical, intent(out), optional :: zero_copy   !< a CPU plug-in reads the array in place (64-byte boundary, see subgrid_alloc)
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      logical :: aligned
      integer :: code

      code = status_ok
      aligned = .false.
      call require_loaded(model, code, message)
      if (code == status_ok) call bind_array(model%shared%engine, model%bindings, name, array, aligned, code, message)
      if (present(zero_copy)) zero_copy = code == status_ok .and. aligned .and. model%shared%session%platform == 'cpu'
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_bind

   !> Copy an array into an input, for slices and temporaries.
   subroutine subgrid_set(model, name, array, stat, errmsg)
      type(subgrid_model), intent(inout) :: model
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(in) :: array
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      call require_loaded(model, code, message)
      if (code == status_ok) call set_array(model%shared%engine, model%bindings, name, array, code, message)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_set

   !> Copy a result out, into slices too.
   subroutine subgrid_get(model, name, array, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      character(len=*), intent(in) :: name
      type(*), dimension(..), intent(inout) :: array
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      call require_loaded(model, code, message)
      if (code == status_ok) call get_array(model%shared%engine, model%bindings, name, array, code, message)
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_get

   !> Run a program on what is bound or set. Returns when the results are there.
   subroutine subgrid_run(model, program, n, stat, errmsg)
      type(subgrid_model), intent(inout) :: model
      character(len=*), intent(in), optional :: program   !< 'forward' if absent
      integer, intent(in), optional :: n                  !< number of valid entries; absent: all that the inputs hold
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      integer :: code

      code = status_ok
      call require_loaded(model, code, message)
      if (code == status_ok) then
         if (present(n)) then
            if (n < 1) call report(code, message, status_value, 'subgrid_run: n is '//text_of_integer(int(n, i8))// &
               ', at least 1 is needed')
         end if
         if (code == status_ok) call run_bound(model%shared%engine, model%bindings, code, message, program, n)
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_run

   !> One input, one output, one call: any number of entries, slices too. Needs no binding and is safe from several threads.
   subroutine subgrid_call(model, input, output, stat, errmsg)
      type(subgrid_model), intent(in) :: model
      type(*), dimension(..), intent(in), target :: input
      type(*), dimension(..), intent(inout), target :: output
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(binding), allocatable :: bindings(:)
      integer :: code, i

      code = status_ok
      call require_loaded(model, code, message)
      if (code == status_ok) then
         associate (engine => model%shared%engine)
            allocate (bindings(size(engine%slots)))
            if (size(engine%bundle%fields) /= 2) then
               call report(code, message, status_name, 'subgrid_call: '//engine%bundle%path// &
                           ' does not have one input and one output; use subgrid_bind and subgrid_run')
            else
               call set_array(engine, bindings, engine%bundle%fields(1)%name, input, code, message)
               if (code == status_ok) call run_bound(engine, bindings, code, message)
               if (code == status_ok) call get_array(engine, bindings, engine%bundle%fields(2)%name, output, code, message)
            end if
            do i = 1, size(bindings)
               call release_binding(bindings(i))
            end do
         end associate
      end if
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_call

   subroutine run_bound(self, bindings, code, message, program, n)
      type(engine), intent(in) :: self
      type(binding), intent(inout) :: bindings(:)
      integer, intent(inout) :: code
      character(len=:), allocatable, intent(inout) :: message
      character(len=*), intent(in), optional :: program
      integer, intent(in), optional :: n
      type(c_ptr), allocatable :: inputs(:), outputs(:)
      character(len=:), allocatable :: name
      integer(i8) :: entries

      name = 'forward'
      entries = 0
      if (present(program)) name = trim(program)
      if (present(n)) entries = n
      call collect_run(self, bindings, name, entries, inputs, outputs, code, message)
      if (code == status_ok) call run_program(self, name, entries, inputs, outputs, code, message)
   end subroutine run_bound
end module subgrid_bridge
