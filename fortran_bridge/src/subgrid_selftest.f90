!> The self-test: the plug-in in use must reproduce the bundle's check vectors, |found − expected| ≤ atol + rtol · max
!> |expected|.
!>
!> Current XLA builds return wrong numbers for ordinary functions on some processors without a word (jax#39103, jax#39352).
module subgrid_selftest
   use subgrid_bundle, only: check_record
   use subgrid_engine, only: engine, run_batch, shifted
   use subgrid_errors, only: report, status_format, status_ok, status_selftest
   use subgrid_files, only: text_of_integer
   use subgrid_kinds, only: dp, i4, i8, sp
   use subgrid_pjrt, only: kind_bytes, kind_names
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: iso_c_binding, only: c_f_pointer, c_loc, c_ptr
   use, intrinsic :: iso_fortran_env, only: int8
   implicit none (type, external)
   private
   public :: run_selftest

   type :: buffer
      integer(int8), allocatable :: bytes(:)
   end type buffer

contains

   !> Every program of the platform at every batch size; one without a check is status_format.
   subroutine run_selftest(self, stat, errmsg)
      type(engine), intent(in), target :: self
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: p, c
      logical :: checked

      do p = 1, size(self%compiled)
         checked = .false.
         do c = 1, size(self%bundle%checks)
            associate (check => self%bundle%checks(c), record => self%bundle%programs(p))
               if (check%program /= record%name .or. check%batch /= record%batch) cycle
               if (stat == status_ok) call run_check(self, p, check, stat, errmsg)
               checked = .true.
            end associate
         end do
         if (.not. checked .and. stat == status_ok) call report(stat, errmsg, status_format, self%bundle%path// &
            ': program '//self%bundle%programs(p)%name//' has no check vectors; export the bundle again')
      end do
   end subroutine run_selftest

   subroutine run_check(self, p, check, stat, errmsg)
      type(engine), intent(in), target :: self
      integer, intent(in) :: p
      type(check_record), intent(in) :: check
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      type(buffer), allocatable, target :: found(:)
      type(c_ptr), allocatable :: inputs(:), outputs(:)
      type(c_ptr) :: vectors
      integer :: i, field

      associate (compiled => self%compiled(p), record => self%bundle%programs(p))
         if (.not. fits(check%input_offsets, compiled%input_bytes) .or. .not. fits(check%output_offsets, &
            compiled%output_bytes)) then
            call report(stat, errmsg, status_format, self%bundle%path//': the check of '//record%name//' reaches past check.bin')
            return
         end if
         vectors = c_loc(self%bundle%vectors)
         allocate (inputs(size(record%inputs)), found(size(record%outputs)), outputs(size(record%outputs)))
         do i = 1, size(inputs)
            inputs(i) = shifted(vectors, check%input_offsets(i))
         end do
         do i = 1, size(found)
            allocate (found(i)%bytes(check%entries*compiled%output_bytes(i)))
            outputs(i) = c_loc(found(i)%bytes)
         end do
         call run_batch(self, p, check%entries, inputs, outputs, stat, errmsg)
         do i = 1, size(found)
            field = compiled%output_fields(i)
            if (stat == status_ok) call compare(check, record%outputs(i)%text, self%bundle%fields(field)%kind, outputs(i), &
                                                shifted(vectors, check%output_offsets(i)), size(found(i)%bytes, kind=i8), stat, &
                                                   errmsg)
         end do
         if (stat == status_selftest) errmsg = self%bundle%path//': '//errmsg
      end associate

   contains

      pure logical function fits(offsets, bytes)
         integer(i8), intent(in) :: offsets(:), bytes(:)

         fits = size(offsets) == size(bytes)
         if (fits) fits = all(offsets + check%entries*bytes <= size(self%bundle%vectors, kind=i8))
      end function fits
   end subroutine run_check

   subroutine compare(check, name, kind, found, expected, bytes, stat, errmsg)
      type(check_record), intent(in) :: check
      character(len=*), intent(in) :: name
      integer, intent(in) :: kind
      type(c_ptr), intent(in) :: found, expected
      integer(i8), intent(in) :: bytes
      integer, intent(inout) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      real(dp), allocatable :: a(:), b(:)
      real(dp) :: allowed, worst
      character(len=80) :: numbers

      allocate (a(bytes/kind_bytes(kind)), b(bytes/kind_bytes(kind)))
      call read_reals(kind, found, a)
      call read_reals(kind, expected, b)
      if (all(ieee_is_finite(a)) .and. all(ieee_is_finite(b))) then
         allowed = check%atol + check%rtol*max(maxval(abs(b)), 0.0_dp)
         worst = max(maxval(abs(a - b)), 0.0_dp)
         if (worst <= allowed) return
         write (numbers, '(a,es10.3,a,es10.3)') 'differs by', worst, ', allowed', allowed
      else
         numbers = 'holds a number that is not finite'
      end if
      call report(stat, errmsg, status_selftest, 'self-test of program '//check%program//' (batch '// &
                  text_of_integer(check%batch)//'): '//name//' '//trim(numbers)// &
                  '; this plug-in computes other numbers than the exporter, use another one or export the bundle again')
   end subroutine compare

   subroutine read_reals(kind, address, values)
      integer, intent(in) :: kind
      type(c_ptr), intent(in) :: address
      real(dp), intent(out) :: values(:)
      real(sp), pointer :: f32(:)
      real(dp), pointer :: f64(:)
      integer(i4), pointer :: i32(:)
      integer(i8), pointer :: i64(:)

      select case (trim(kind_names(kind)))
      case ('float32')
         call c_f_pointer(address, f32, shape(values))
         values(:) = f32
      case ('float64')
         call c_f_pointer(address, f64, shape(values))
         values(:) = f64
      case ('int32')
         call c_f_pointer(address, i32, shape(values))
         values(:) = i32
      case default
         call c_f_pointer(address, i64, shape(values))
         values(:) = real(i64, dp)
      end select
   end subroutine read_reals
end module subgrid_selftest
