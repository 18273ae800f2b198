!> Two-dimensional transforms between carried modes and the grid, as two passes of one-dimensional complex ones (FFTW).
!>
!> A complex field a + ib carries two real ones (subgrid_multipliers). The pass along y touches only the 2 K + 1 carried
!> kx (pruning); the pass along x goes a few rows at a time, so that a caller forms its products while those rows are in
!> cache and sends them straight back:
!>
!>     spectrum_to_columns -> [columns_to_grid -> products on `rows` -> grid_to_columns] for all rows -> add_spectrum
!>
!> Every FFT runs on two small buffers that FFTW itself allocates, with plans made by FFTW_ESTIMATE: its choice depends
!> on sizes and alignment only, so that runs and restarts agree bit for bit. (FFTW_MEASURE chooses by timing, and may
!> choose differently the next time.)
module subgrid_transforms
   use, intrinsic :: iso_c_binding, only: c_associated, c_f_pointer, c_int, c_loc, c_null_ptr, c_ptr, c_size_t
   use subgrid_errors, only: report, status_ok, status_state
   use subgrid_fftw, only: fftw_alloc_complex, fftw_backward, fftw_destroy_plan, fftw_estimate, fftw_execute_dft, &
                           fftw_forward, fftw_free, fftw_plan_many_dft
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_multipliers, only: multiplier_type
   use subgrid_transform_kernels, only: columns_at_once, fold_spectrum, load_columns, load_spectrum, store_columns
   implicit none (type, external)
   private
   public :: transforms_type, rows_at_once

   integer, parameter :: rows_at_once = 4      !< rows of one pass along x: 64 kB at N = 1024

   type :: transforms_type
      integer :: n = 0        !< points along each side [1]
      integer :: cutoff = 0   !< largest carried wavenumber [1]
      complex(dp), pointer, contiguous :: rows(:, :, :) => null()  !< (0:N-1, rows_at_once, fields) part of the grid
      complex(dp), allocatable, private :: columns(:, :, :)        !< (2 K + 1, N, fields) kx in FFT order, y
      complex(dp), pointer, contiguous, private :: buffer(:, :) => null()  !< (0:N-1, 2 columns_at_once) ky or y, kx
      integer, allocatable, private :: place(:)                    !< (2 K + 1) place of ky in a column
      type(c_ptr), private :: rows_memory = c_null_ptr
      type(c_ptr), private :: buffer_memory = c_null_ptr
      type(c_ptr), private :: rows_forward = c_null_ptr
      type(c_ptr), private :: rows_backward = c_null_ptr
      type(c_ptr), private :: columns_forward = c_null_ptr
      type(c_ptr), private :: columns_backward = c_null_ptr
   contains
      procedure :: create
      procedure :: spectrum_to_columns
      procedure :: columns_to_grid
      procedure :: grid_to_columns
      procedure :: add_spectrum
      procedure :: destroy
      final :: finalise
   end type transforms_type

contains

   !> Allocate the work arrays and plan the transforms. Fails with status_state when FFTW has no memory or no plan.
   subroutine create(self, grid, fields, stat, errmsg)
      class(transforms_type), intent(inout) :: self
      type(grid_type), intent(in) :: grid
      integer, intent(in) :: fields  !< complex fields that are on the grid at the same time
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      complex(dp), pointer, contiguous :: rows(:, :, :), buffer(:, :)
      logical :: ready

      stat = status_ok
      call self%destroy()
      self%n = grid%n
      self%cutoff = grid%cutoff
      self%place = grid%place
      allocate (self%columns(grid%rows, grid%n, fields))
      self%rows_memory = fftw_alloc_complex(int(grid%n, c_size_t)*rows_at_once*fields)
      self%buffer_memory = fftw_alloc_complex(int(grid%n, c_size_t)*2*columns_at_once)
      ready = c_associated(self%rows_memory) .and. c_associated(self%buffer_memory)
      if (ready) then
         call c_f_pointer(self%rows_memory, rows, [grid%n, rows_at_once, fields])
         call c_f_pointer(self%buffer_memory, buffer, [grid%n, 2*columns_at_once])
         self%rows(0:, 1:, 1:) => rows
         self%buffer(0:, 1:) => buffer
         self%rows = 0
         self%buffer = 0
         self%rows_forward = plan(grid%n, rows_at_once, self%rows_memory, fftw_forward)
         self%rows_backward = plan(grid%n, rows_at_once, self%rows_memory, fftw_backward)
         self%columns_forward = plan(grid%n, 2*columns_at_once, self%buffer_memory, fftw_forward)
         self%columns_backward = plan(grid%n, 2*columns_at_once, self%buffer_memory, fftw_backward)
         ready = c_associated(self%rows_forward) .and. c_associated(self%rows_backward) .and. &
                 c_associated(self%columns_forward) .and. c_associated(self%columns_backward)
      end if
      if (.not. ready) call report(stat, errmsg, status_state, 'FFTW could not plan the transforms: is there memory left?')
   end subroutine create

   !> Plan `howmany` contiguous transforms of length n in place.
   function plan(n, howmany, memory, direction)
      integer, intent(in) :: n, howmany
      type(c_ptr), intent(in) :: memory
      integer(c_int), intent(in) :: direction
      type(c_ptr) :: plan

      plan = fftw_plan_many_dft(1, [int(n, c_int)], howmany, memory, [int(n, c_int)], 1, n, memory, [int(n, c_int)], 1, n, &
                                direction, fftw_estimate)
   end function plan

   !> First pass of a synthesis: multiplier times spectrum, transformed along y.
   subroutine spectrum_to_columns(self, field, spectrum, multiplier)
      class(transforms_type), intent(inout) :: self
      integer, intent(in) :: field
      complex(dp), intent(in) :: spectrum(0:, :)        !< (0:K, 2 K + 1) of a real field
      type(multiplier_type), intent(in) :: multiplier   !< carries the 1/N^2
      integer :: first, count

      do first = 0, self%cutoff, columns_at_once
         count = min(columns_at_once, self%cutoff + 1 - first)
         call load_spectrum(self%n, self%cutoff, first, count, self%place, spectrum, multiplier%values, multiplier%parity, &
                            self%buffer)
         call fftw_execute_dft(self%columns_backward, self%buffer_memory, self%buffer_memory)
         call store_columns(self%n, self%cutoff, first, count, self%buffer, self%columns(:, :, field))
      end do
   end subroutine spectrum_to_columns

   !> Second pass of a synthesis: rows `first` to `first + rows_at_once - 1` of a complex field appear in `rows(:, :, field)`.
   subroutine columns_to_grid(self, field, first)
      class(transforms_type), intent(inout) :: self
      integer, intent(in) :: field
      integer, intent(in) :: first  !< first row, 1..N
      integer :: b, k, last

      k = self%cutoff
      last = min(rows_at_once, self%n - first + 1)
      do b = 1, last
         self%rows(0:k, b, field) = self%columns(1:k + 1, first + b - 1, field)
         self%rows(k + 1:self%n - k - 1, b, field) = 0
         self%rows(self%n - k:, b, field) = self%columns(k + 2:, first + b - 1, field)
      end do
      self%rows(:, last + 1:, field) = 0
      associate (memory => c_loc(self%rows(0, 1, field)))
         call fftw_execute_dft(self%rows_backward, memory, memory)
      end associate
   end subroutine columns_to_grid

   !> First pass of an analysis: the rows that are in `rows(:, :, field)` go back, transformed along x.
   subroutine grid_to_columns(self, field, first)
      class(transforms_type), intent(inout) :: self
      integer, intent(in) :: field
      integer, intent(in) :: first  !< first row, 1..N
      integer :: b, k

      k = self%cutoff
      associate (memory => c_loc(self%rows(0, 1, field)))
         call fftw_execute_dft(self%rows_forward, memory, memory)
      end associate
      do b = 1, min(rows_at_once, self%n - first + 1)
         self%columns(1:k + 1, first + b - 1, field) = self%rows(0:k, b, field)
         self%columns(k + 2:, first + b - 1, field) = self%rows(self%n - k:, b, field)
      end do
   end subroutine grid_to_columns

   !> Second pass of an analysis: spectrum += factor * (Re [multiplier applied to the complex field])^.
   subroutine add_spectrum(self, field, multiplier, factor, spectrum)
      class(transforms_type), intent(inout) :: self
      integer, intent(in) :: field
      type(multiplier_type), intent(in) :: multiplier
      real(dp), intent(in) :: factor                      !< [1]
      complex(dp), intent(inout) :: spectrum(0:, :)       !< (0:K, 2 K + 1)
      integer :: first, count

      do first = 0, self%cutoff, columns_at_once
         count = min(columns_at_once, self%cutoff + 1 - first)
         call load_columns(self%n, self%cutoff, first, count, self%columns(:, :, field), self%buffer)
         call fftw_execute_dft(self%columns_forward, self%buffer_memory, self%buffer_memory)
         call fold_spectrum(self%n, self%cutoff, first, count, self%place, self%buffer, multiplier%values, multiplier%parity, &
                            factor, spectrum)
      end do
   end subroutine add_spectrum

   !> Give plans and buffers back; harmless when there are none.
   subroutine destroy(self)
      class(transforms_type), intent(inout) :: self

      if (c_associated(self%rows_forward)) call fftw_destroy_plan(self%rows_forward)
      if (c_associated(self%rows_backward)) call fftw_destroy_plan(self%rows_backward)
      if (c_associated(self%columns_forward)) call fftw_destroy_plan(self%columns_forward)
      if (c_associated(self%columns_backward)) call fftw_destroy_plan(self%columns_backward)
      if (c_associated(self%rows_memory)) call fftw_free(self%rows_memory)
      if (c_associated(self%buffer_memory)) call fftw_free(self%buffer_memory)
      self%rows_forward = c_null_ptr
      self%rows_backward = c_null_ptr
      self%columns_forward = c_null_ptr
      self%columns_backward = c_null_ptr
      self%rows_memory = c_null_ptr
      self%buffer_memory = c_null_ptr
      nullify (self%rows, self%buffer)
      if (allocated(self%columns)) deallocate (self%columns)
   end subroutine destroy

   subroutine finalise(self)
      type(transforms_type), intent(inout) :: self

      call self%destroy()
   end subroutine finalise
end module subgrid_transforms
