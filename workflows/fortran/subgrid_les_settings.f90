!> What one LES is asked to do: the namelist group `&les` of a file, checked before anything runs.
module subgrid_les_settings
   use subgrid_errors, only: report, status_file, status_ok, status_value
   use subgrid_kinds, only: dp
   use subgrid_process, only: file_exists
   use subgrid_turbulence2d, only: numerics_type, physics_type
   implicit none (type, external)
   private
   public :: les_settings_type, read_settings

   integer, parameter :: path_length = 4096
   integer, parameter :: word_length = 64
   real(dp), parameter :: not_given = -huge(1.0_dp)

   type :: les_settings_type
      type(physics_type) :: physics
      type(numerics_type) :: numerics
      integer :: steps = 0                                  !< time steps to make [1]
      integer :: save_every = 0                             !< steps between two records [1]
      character(len=:), allocatable :: closure              !< 'none', 'smagorinsky', 'leith' or 'learned'
      real(dp), allocatable :: closure_constant             !< [1], not allocated for the closure's own
      character(len=:), allocatable :: bundle               !< directory of a learned closure
      character(len=:), allocatable :: plugin               !< PJRT plug-in that runs it
      character(len=:), allocatable :: device               !< 'cpu' or 'cuda'
      character(len=:), allocatable :: initial_file         !< empty when there is a restart
      character(len=:), allocatable :: restart_file         !< empty when there is an initial file
      character(len=:), allocatable :: output_file
      character(len=:), allocatable :: restart_output_file  !< empty for none
   end type les_settings_type

contains

   !> Read and check `&les`. Fails with status_file when the file cannot be read or an output exists already, and with
   !> status_value on an unknown key or an impossible value.
   subroutine read_settings(path, settings, stat, errmsg)
      character(len=*), intent(in) :: path
      type(les_settings_type), intent(out) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call read_namelist(path, settings, stat, errmsg)
      if (stat == status_ok) call check_numbers(settings, stat, errmsg)
      if (stat == status_ok) call check_files(settings, stat, errmsg)
   end subroutine read_settings

   subroutine read_namelist(path, settings, stat, errmsg)
      character(len=*), intent(in) :: path
      type(les_settings_type), intent(inout) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: n, forcing_wavenumber, steps, save_every, unit, code
      real(dp) :: beta, viscosity, drag, dt, closure_constant
      character(len=word_length) :: integrator, dealiasing, closure, device
      character(len=path_length) :: bundle, plugin, initial_file, restart_file, output_file, restart_output_file
      character(len=256) :: message
      namelist /les/ n, forcing_wavenumber, beta, viscosity, drag, dt, steps, save_every, integrator, dealiasing, closure, &
         closure_constant, bundle, plugin, device, initial_file, restart_file, output_file, restart_output_file

      stat = status_ok
      n = 0
      steps = 0
      save_every = 0
      dt = 0
      associate (case => settings%physics)
         forcing_wavenumber = case%forcing_wavenumber
         beta = case%beta
         viscosity = case%viscosity
         drag = case%drag
      end associate
      closure_constant = not_given
      integrator = 'ifrk4'
      dealiasing = 'two_thirds'
      closure = 'none'
      device = 'cpu'
      bundle = ''
      plugin = ''
      initial_file = ''
      restart_file = ''
      output_file = ''
      restart_output_file = ''
      open (newunit=unit, file=path, status='old', action='read', iostat=code, iomsg=message)
      if (code /= 0) then
         call report(stat, errmsg, status_file, 'the settings file '//path//' cannot be read: '//trim(message))
         return
      end if
      read (unit, nml=les, iostat=code, iomsg=message)
      close (unit)
      if (code /= 0) then
         call report(stat, errmsg, status_value, 'the namelist &les in '//path//' is not understood: '//trim(message))
         return
      end if
      settings%physics = physics_type(forcing_wavenumber, beta, viscosity, drag)
      settings%numerics%n = n
      settings%numerics%dt = dt
      settings%numerics%integrator = trim(integrator)
      settings%numerics%dealiasing = trim(dealiasing)
      settings%steps = steps
      settings%save_every = save_every
      settings%closure = trim(closure)
      if (closure_constant > not_given) settings%closure_constant = closure_constant
      settings%bundle = trim(bundle)
      settings%plugin = trim(plugin)
      settings%device = trim(device)
      settings%initial_file = trim(initial_file)
      settings%restart_file = trim(restart_file)
      settings%output_file = trim(output_file)
      settings%restart_output_file = trim(restart_output_file)
   end subroutine read_namelist

   subroutine check_numbers(settings, stat, errmsg)
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=12) :: found

      stat = status_ok
      if (settings%steps < 1) then
         write (found, '(i0)') settings%steps
         call report(stat, errmsg, status_value, 'steps = '//trim(found)//' in &les: expected at least 1')
      else if (settings%save_every < 1) then
         write (found, '(i0)') settings%save_every
         call report(stat, errmsg, status_value, 'save_every = '//trim(found)//' in &les: expected at least 1')
      else if (settings%closure == 'learned' .and. settings%bundle == '') then
         call report(stat, errmsg, status_value, "closure = 'learned' in &les needs the directory of a bundle: set `bundle`")
      else if (settings%closure /= 'learned' .and. settings%bundle /= '') then
         call report(stat, errmsg, status_value, "a bundle is given in &les, but the closure is '"//settings%closure// &
                     "': set closure = 'learned', or leave `bundle` out")
      end if
   end subroutine check_numbers

   subroutine check_files(settings, stat, errmsg)
      type(les_settings_type), intent(in) :: settings
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      if ((settings%initial_file == '') .eqv. (settings%restart_file == '')) then
         call report(stat, errmsg, status_value, 'expected exactly one of `initial_file` and `restart_file` in &les')
      else if (settings%output_file == '') then
         call report(stat, errmsg, status_value, 'expected an `output_file` in &les')
      else if (settings%output_file == settings%restart_output_file) then
         call report(stat, errmsg, status_value, '`output_file` and `restart_output_file` in &les are the same file: name two')
      end if
      if (stat /= status_ok) return
      call check_absent(settings%output_file, stat, errmsg)
      if (stat == status_ok .and. settings%restart_output_file /= '') then
         call check_absent(settings%restart_output_file, stat, errmsg)
      end if
   end subroutine check_files

   subroutine check_absent(path, stat, errmsg)
      character(len=*), intent(in) :: path
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      if (file_exists(path)) call report(stat, errmsg, status_file, 'the output '//path//' exists already: remove it or '// &
                                         'choose another name')
   end subroutine check_absent
end module subgrid_les_settings
