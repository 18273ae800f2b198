!> Any emulator of column physics inside a Fortran program: its inputs and outputs come from the manifest by name.
!>
!>     example_02_run_columns emulator.bundle columns.bin outputs.bin [device]
!>
!> Profiles are (level, column), which is the memory of Python's (column, level); quantities without levels are (column).
program run_columns
   use subgrid_bridge, only: subgrid_bind, subgrid_finalize, subgrid_free, subgrid_init, subgrid_inquire, subgrid_load, &
      subgrid_model, subgrid_run, subgrid_session
   use subgrid_kinds, only: i4, sp
   implicit none (type, external)

   type :: field
      character(len=:), allocatable :: name
      character(len=:), allocatable :: units
      real(sp), pointer, contiguous :: profile(:, :) => null()  !< (level, column), units of the field
      real(sp), pointer, contiguous :: surface(:) => null()     !< (column), units of the field; the same memory
   end type field

   type(subgrid_session) :: session
   type(subgrid_model) :: model
   type(field), allocatable :: inputs(:), outputs(:)
   character(len=1000) :: paths(3), device
   integer(i4) :: columns
   integer :: i, unit, code, bytes

   if (command_argument_count() < 3) error stop 'expected example_02_run_columns BUNDLE COLUMNS OUTPUTS [DEVICE]'
   do i = 1, size(paths)
      call get_command_argument(i, paths(i))
   end do
   open (newunit=unit, file=trim(paths(2)), access='stream', form='unformatted', action='read', status='old', iostat=code)
   if (code /= 0) error stop trim(paths(2))//' cannot be read; export.py writes it beside the bundle'
   inquire (unit=unit, size=bytes)
   read (unit, iostat=code) columns
   if (code /= 0 .or. columns < 1 .or. columns > bytes) error stop trim(paths(2))//' holds no columns of export.py'

   call get_command_argument(4, device)
   if (len_trim(device) == 0) device = 'cpu'
   call subgrid_init(session, trim(device))
   call subgrid_load(session, trim(paths(1)), model)
   call attach(model, 'input', inputs)
   call attach(model, 'output', outputs)
   if (bytes /= 4 + 4*sum([(size(inputs(i)%profile), i=1, size(inputs))])) error stop trim(paths(2))// &
      ' is of other size than the inputs of the bundle; give the columns that export.py wrote beside it'
   do i = 1, size(inputs)
      read (unit) inputs(i)%profile
   end do
   close (unit)

   call subgrid_run(model)

   open (newunit=unit, file=trim(paths(3)), access='stream', form='unformatted', action='write', status='new', iostat=code)
   if (code /= 0) error stop trim(paths(3))//' exists or cannot be written; choose another name'
   do i = 1, size(outputs)
      write (unit) outputs(i)%profile
      print '(a16,3es12.4,2x,a)', outputs(i)%name, sum(outputs(i)%profile)/size(outputs(i)%profile), &
         minval(outputs(i)%profile), maxval(outputs(i)%profile), outputs(i)%units
   end do
   close (unit)
   call subgrid_free(model)
   call subgrid_finalize(session)
   call release(inputs)
   call release(outputs)

contains

   !> Allocate and bind an array for each input or output of the bundle.
   subroutine attach(emulator, side, fields)
      type(subgrid_model), intent(inout) :: emulator
      character(len=*), intent(in) :: side  !< input or output
      type(field), allocatable, intent(out) :: fields(:)
      character(len=40) :: record
      integer, allocatable :: levels(:)
      integer :: count, j

      call subgrid_inquire(emulator, side//'s', count)
      allocate (fields(count))
      do j = 1, count
         write (record, '(2a,i0)') side, '.', j
         call subgrid_inquire(emulator, trim(record)//'.name', fields(j)%name)
         call subgrid_inquire(emulator, trim(record)//'.units', fields(j)%units)
         call subgrid_inquire(emulator, trim(record)//'.shape_fortran', levels)
         allocate (fields(j)%profile(product(levels), columns))
         if (size(levels) == 1) then
            call subgrid_bind(emulator, fields(j)%name, fields(j)%profile)
         else
            fields(j)%surface(1:columns) => fields(j)%profile
            call subgrid_bind(emulator, fields(j)%name, fields(j)%surface)
         end if
      end do
   end subroutine attach

   subroutine release(fields)
      type(field), intent(inout) :: fields(:)
      integer :: j

      do j = 1, size(fields)
         deallocate (fields(j)%profile)
      end do
   end subroutine release
end program run_columns
