!> A learned scheme inside a Fortran program: load the bundle, bind two arrays, run. No Python in the process.
!>
!>     example_01_infer saturation.bundle
program infer
   use subgrid_bridge, only: subgrid_bind, subgrid_finalize, subgrid_free, subgrid_init, subgrid_load, subgrid_model, subgrid_run, &
      subgrid_session
   use subgrid_kinds, only: sp
   implicit none (type, external)
   integer, parameter :: levels = 5, columns = 3
   type(subgrid_session) :: session
   type(subgrid_model) :: model
   character(len=1000) :: path
   real(sp), target :: temperature(levels, columns)   !< K
   real(sp), target :: pressure(levels, columns)      !< saturation vapour pressure over water, Pa
   integer :: level, column

   if (command_argument_count() /= 1) error stop 'expected example_01_infer BUNDLE'
   call get_command_argument(1, path)
   do column = 1, columns
      temperature(:, column) = [(273.15_sp - 5*level + 10*(column - 1), level=0, levels - 1)]
   end do

   call subgrid_init(session, 'cpu')
   call subgrid_load(session, trim(path), model)
   call subgrid_bind(model, 'temperature', temperature)
   call subgrid_bind(model, 'saturation_pressure', pressure)
   call subgrid_run(model)
   do column = 1, columns
      print '(*(f10.3,:,1x))', pressure(:, column)
   end do
   call subgrid_free(model)
   call subgrid_finalize(session)
end program infer
