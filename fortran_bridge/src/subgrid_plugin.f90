!> Where the plug-in is, and which device belongs to a rank.
module subgrid_plugin
   use subgrid_errors, only: report, status_ok, status_plugin
   implicit none (type, external)
   private
   public :: find_plugin, local_rank, environment

   character(len=*), parameter :: variable = 'SUBGRID_PJRT_PLUGIN'

contains

   !> Path and family (cpu, gpu or '') of a plug-in that is given by name, by path or by the environment.
   subroutine find_plugin(plugin, path, family, stat, errmsg)
      character(len=*), intent(in) :: plugin                      !< name (cpu, cuda, …), path with a '/', or blank
      character(len=:), allocatable, intent(out) :: path, family
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      path = trim(plugin)
      if (path == '') path = environment(variable)
      if (path == '') call report(stat, errmsg, status_plugin, 'no plug-in is given: pass cpu, cuda or a path, or set '//variable)
      if (index(path, '/') == 0 .and. path /= '') then
         family = family_of(path)
         path = environment(variable//'_'//upper(path))
         if (path == '') call report(stat, errmsg, status_plugin, 'the plug-in "'//trim(plugin)//'" is not known here: set '// &
            variable//'_'//upper(trim(plugin))//' to the path of its library (for cpu, pjrt_c_api_cpu_plugin.so of the Python'// &
            ' package lammps-jax-pjrt-cpu), or pass the path')
      else
         family = family_of(path(index(path, '/', back=.true.) + 1:))
      end if
   end subroutine find_plugin

   !> Which create options a plug-in takes, by its name or the name of its file.
   pure function family_of(name) result(family)
      character(len=*), intent(in) :: name
      character(len=:), allocatable :: family

      family = ''
      if (index(name, 'cpu') > 0) family = 'cpu'
      if (index(name, 'cuda') > 0 .or. index(name, 'rocm') > 0 .or. index(name, 'gpu') > 0) family = 'gpu'
   end function family_of

   !> The rank of this process on its node, by the launcher's variables; 0 without a launcher.
   integer function local_rank()
      character(len=*), parameter :: variables(4) = [character(len=26) :: 'SLURM_LOCALID', 'OMPI_COMM_WORLD_LOCAL_RANK', &
         'MPI_LOCALRANKID', 'PMI_LOCAL_RANK']
      character(len=:), allocatable :: value
      integer :: i, iostat

      do i = 1, size(variables)
         value = environment(trim(variables(i)))
         read (value, *, iostat=iostat) local_rank
         if (iostat == 0) return
      end do
      local_rank = 0
   end function local_rank

   !> The value of an environment variable, '' when it is not set.
   function environment(name) result(value)
      character(len=*), intent(in) :: name
      character(len=:), allocatable :: value
      integer :: length

      call get_environment_variable(name, length=length)
      allocate (character(len=length) :: value)
      if (length > 0) call get_environment_variable(name, value)
   end function environment

   pure function upper(text)
      character(len=*), intent(in) :: text
      character(len=len(text)) :: upper
      integer :: i, letter

      upper = text
      do i = 1, len(text)
         letter = index('abcdefghijklmnopqrstuvwxyz-', text(i:i))
         if (letter > 0) upper(i:i) = '_'
         if (letter > 0 .and. letter < 27) upper(i:i) = char(letter + iachar('A') - 1)
      end do
   end function upper
end module subgrid_plugin
