!> One LES from its settings to its files.
module subgrid_les_run
   use, intrinsic :: iso_fortran_env, only: int64, output_unit
   use subgrid_errors, only: report, status_blow_up, status_ok, status_value
   use subgrid_kinds, only: dp
   use subgrid_les_closure, only: make_les_closure
   use subgrid_les_netcdf, only: read_field
   use subgrid_les_output, only: output_type
   use subgrid_les_restart, only: read_restart, restart_type, write_restart
   use subgrid_les_settings, only: les_settings_type
   use subgrid_process, only: interrupted, remove_file
   use subgrid_turbulence2d, only: ab2cn_type, closure_type, turbulence_type
   implicit none (type, external)
   private
   public :: run_les

   integer, parameter :: check_every = 100              !< steps between two looks for a blow-up
   real(dp), parameter :: seconds_between_lines = 0.5_dp
   character(len=*), parameter :: complete = 'complete', blown_up = 'blown_up', stopped = 'interrupted'

   type :: march_type
      type(turbulence_type) :: flow
      type(output_type) :: output
      type(restart_type) :: last_finite             !< state of the last look that found it finite
      integer :: step = 0, last_step = 0            !< since the start of the flow [1]
      integer :: origin_step = 0                    !< time = origin_time + dt (step - origin_step)
      real(dp) :: origin_time = 0.0_dp              !< [1]
      integer(int64) :: step_ticks = 0              !< time spent in steps, in ticks of system_clock
      integer(int64) :: last_line = 0               !< when progress was told last, in ticks
      character(len=:), allocatable :: state
   end type march_type

contains

   !> Run an LES and write its files. An interruption is not a failure: `was_interrupted` tells of it.
   !> Fails with status_blow_up after the output up to then was kept; after any other failure nothing is left.
   subroutine run_les(settings, was_interrupted, stat, errmsg)
      type(les_settings_type), intent(in) :: settings
      logical, intent(out) :: was_interrupted
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(march_type) :: march
      class(closure_type), allocatable :: closure

      was_interrupted = .false.
      call make_les_closure(settings, closure, stat, errmsg)
      if (stat == status_ok) call march%flow%create(settings%physics, settings%numerics, closure, stat, errmsg)
      if (stat == status_ok) call begin(march, settings, stat, errmsg)
      if (stat == status_ok) call march%output%create(settings, march%flow%equation%grid, stat, errmsg)
      if (stat == status_ok .and. settings%restart_file == '') call save_record(march, settings, stat, errmsg)
      if (stat == status_ok) call advance(march, settings, stat, errmsg)
      if (stat == status_ok) call finish(march, settings, stat, errmsg)
      if (stat /= status_ok) then
         call march%output%discard()
         return
      end if
      was_interrupted = march%state == stopped
      if (march%state == blown_up) call report(stat, errmsg, status_blow_up, blow_up_sentence(march, settings))
   end subroutine run_les

   !> The first state, from a field or a restart.
   subroutine begin(march, settings, stat, errmsg)
      type(march_type), intent(inout) :: march
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp), allocatable :: field(:, :)

      if (settings%restart_file /= '') then
         call continue_from(march, settings, stat, errmsg)
      else
         allocate (field(settings%numerics%n, settings%numerics%n))
         call read_field(settings%initial_file, field, stat, errmsg)
         if (stat == status_ok) call march%flow%set_vorticity(field, stat, errmsg)
         if (stat /= status_ok .and. allocated(errmsg)) errmsg = errmsg//' ('//settings%initial_file//')'
      end if
      if (stat /= status_ok) return
      march%last_step = march%step + settings%steps
      march%last_finite%integrator = settings%numerics%integrator
      call keep(march, settings)
   end subroutine begin

   subroutine continue_from(march, settings, stat, errmsg)
      type(march_type), intent(inout) :: march
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(restart_type) :: restart
      logical :: same_dt

      call read_restart(settings%restart_file, march%flow%equation%grid, settings%numerics%integrator, restart, stat, errmsg)
      if (stat /= status_ok) return
      march%step = restart%step
      ! Written as step dt: with the same dt the times go on bit for bit, otherwise they count from here.
      same_dt = abs(restart%time - restart%step*settings%numerics%dt) <= 1.0e-12_dp*abs(restart%time)
      if (.not. same_dt) then
         march%origin_step = restart%step
         march%origin_time = restart%time
      end if
      march%flow%vorticity_hat = restart%vorticity_hat
      select type (stepper => march%flow%stepper)
      type is (ab2cn_type)
         if (.not. same_dt .and. restart%has_previous) then
            call report(stat, errmsg, status_value, 'the restart '//settings%restart_file//' was written with another dt: '// &
                        'ab2cn uses the advection of the step before, so continue with the same dt')
            return
         end if
         stepper%has_previous = restart%has_previous
         stepper%previous_advection = restart%previous_advection
      end select
   end subroutine continue_from

   !> The time loop: it ends at the last step, at a blow-up, or after the step in which an interruption came.
   subroutine advance(march, settings, stat, errmsg)
      type(march_type), intent(inout) :: march
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(int64) :: start, finish
      logical :: due, ends

      stat = status_ok
      march%state = complete
      do while (march%step < march%last_step)
         call system_clock(start)
         call march%flow%step(stat, errmsg)
         call system_clock(finish)
         if (stat /= status_ok) return
         march%step_ticks = march%step_ticks + (finish - start)
         march%step = march%step + 1
         if (interrupted()) march%state = stopped
         ends = march%step == march%last_step .or. march%state == stopped
         due = ends .or. mod(march%step, settings%save_every) == 0
         if (due .or. mod(march%step, check_every) == 0) then
            if (.not. abs(march%flow%enstrophy()) <= huge(1.0_dp)) then
               march%state = blown_up
               return
            end if
            call keep(march, settings)
         end if
         if (due) call save_record(march, settings, stat, errmsg)
         if (stat /= status_ok) return
         call tell(march, finish)
         if (ends) return
      end do
   end subroutine advance

   !> Remember a state that is known to be finite.
   subroutine keep(march, settings)
      type(march_type), intent(inout) :: march
      type(les_settings_type), intent(in) :: settings

      associate (state => march%last_finite)
         state%step = march%step
         state%time = time_of(march, settings)
         state%vorticity_hat = march%flow%vorticity_hat
         select type (stepper => march%flow%stepper)
         type is (ab2cn_type)
            state%has_previous = stepper%has_previous
            state%previous_advection = stepper%previous_advection
         class default
            if (.not. allocated(state%previous_advection)) then
               allocate (state%previous_advection, mold=march%flow%vorticity_hat)
            end if
            state%has_previous = .false.
            state%previous_advection = 0
         end select
      end associate
   end subroutine keep

   pure real(dp) function time_of(march, settings)
      type(march_type), intent(in) :: march
      type(les_settings_type), intent(in) :: settings

      time_of = march%origin_time + (march%step - march%origin_step)*settings%numerics%dt
   end function time_of

   subroutine save_record(march, settings, stat, errmsg)
      type(march_type), intent(inout) :: march
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp), allocatable :: field(:, :)

      allocate (field(settings%numerics%n, settings%numerics%n))
      call march%flow%get_vorticity(field, stat, errmsg)
      if (stat == status_ok) call march%output%append(time_of(march, settings), field, stat, errmsg)
   end subroutine save_record

   !> `progress <step> <steps>` on standard output, at most twice a second.
   subroutine tell(march, now)
      type(march_type), intent(inout) :: march
      integer(int64), intent(in) :: now  !< ticks of system_clock
      integer(int64) :: rate

      call system_clock(count_rate=rate)
      if (now - march%last_line < seconds_between_lines*rate .and. march%step < march%last_step) return
      march%last_line = now
      write (output_unit, '(a, i0, 1x, i0)') 'progress ', march%step, march%last_step
      flush (output_unit)
   end subroutine tell

   !> Close the files: first the restart, so that an output is never without the restart that was asked for.
   subroutine finish(march, settings, stat, errmsg)
      type(march_type), intent(inout) :: march
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp) :: wall_seconds, closure_seconds
      integer(int64) :: rate
      real(dp), allocatable :: blow_up_time

      call system_clock(count_rate=rate)
      wall_seconds = real(march%step_ticks, dp)/rate
      closure_seconds = real(march%flow%equation%closure_ticks, dp)/rate
      if (march%state == blown_up) blow_up_time = march%last_finite%time
      stat = status_ok
      if (settings%restart_output_file /= '') then
         call write_restart(settings%restart_output_file, march%flow%equation%grid, march%last_finite, stat, errmsg)
         if (stat /= status_ok) return
      end if
      call march%output%finish(march%state, march%last_finite%step, wall_seconds, closure_seconds, stat, errmsg, blow_up_time)
      if (stat /= status_ok) then
         if (settings%restart_output_file /= '') call remove_file(settings%restart_output_file)
         return
      end if
      write (output_unit, '(a, f0.6, 1x, f0.6)') 'done ', wall_seconds, closure_seconds
   end subroutine finish

   function blow_up_sentence(march, settings) result(sentence)
      type(march_type), intent(in) :: march
      type(les_settings_type), intent(in) :: settings
      character(len=:), allocatable :: sentence
      character(len=80) :: times

      write (times, '(a, g0.6, a, g0.6)') 't = ', march%last_finite%time, ' and t = ', time_of(march, settings)
      sentence = 'the simulation blew up between '//trim(times)//': the output up to then is in '//settings%output_file// &
                 '; use a smaller dt, a finer grid or another closure'
   end function blow_up_sentence
end module subgrid_les_run
