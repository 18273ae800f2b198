!> Facade of the Fortran solver of forced two-dimensional turbulence on a beta-plane (docs/physics/turbulence2d.md).
!>
!>     call make_closure('leith', closure, stat, errmsg)
!>     call flow%create(physics, numerics, closure, stat, errmsg)
!>     call flow%set_vorticity(vorticity, stat, errmsg)
!>     do i = 1, steps
!>        call flow%step(stat, errmsg)
!>     end do
!>     call flow%get_vorticity(vorticity, stat, errmsg)
!>
!> All quantities are dimensionless. Fields are `vorticity(i, j)`, x along i: the memory of Python's `vorticity[j, i]`.
module subgrid_turbulence2d
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use subgrid_ab2cn, only: ab2cn_type
   use subgrid_closure, only: closure_type
   use subgrid_closures, only: make_closure
   use subgrid_eddy_viscosity, only: mean_square_vorticity
   use subgrid_equation, only: equation_type, physics_type
   use subgrid_errors, only: report, status_ok, status_shape, status_value
   use subgrid_grid, only: grid_type
   use subgrid_ifrk4, only: ifrk4_type
   use subgrid_kinds, only: dp
   use subgrid_multipliers, only: multiplier_type, spectrum_of_real_part, vorticity_of
   use subgrid_stepper, only: stepper_type
   use subgrid_transforms, only: rows_at_once, transforms_type
   implicit none (type, external)
   private
   public :: turbulence_type, physics_type, numerics_type                     ! the model and its settings
   public :: closure_type, make_closure, grid_type, transforms_type           ! closures, and what one of one's own needs
   public :: grid_to_spectrum, spectrum_to_grid                               ! fields and spectra
   public :: ab2cn_type

   type :: numerics_type
      integer :: n = 64                                        !< points along each side [1]
      real(dp) :: dt = 5.0e-3_dp                               !< time step [1]
      character(len=:), allocatable :: integrator              !< 'ifrk4' or 'ab2cn'
      character(len=:), allocatable :: dealiasing              !< 'two_thirds' or 'none'
   end type numerics_type

   type :: turbulence_type
      type(equation_type) :: equation
      class(stepper_type), allocatable :: stepper
      complex(dp), allocatable :: vorticity_hat(:, :)  !< (0:K, 2 K + 1), carried modes only [1]
   contains
      procedure :: create
      procedure :: set_vorticity
      procedure :: get_vorticity
      procedure :: step
      procedure :: enstrophy
      procedure :: energy
   end type turbulence_type

contains

   !> Set up a flow at rest; the closure is moved into it. Fails with status_value on impossible settings.
   subroutine create(self, physics, numerics, closure, stat, errmsg)
      class(turbulence_type), intent(inout) :: self
      type(physics_type), intent(in) :: physics
      type(numerics_type), intent(in) :: numerics
      class(closure_type), allocatable, intent(inout) :: closure
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      class(stepper_type), allocatable :: stepper

      stat = status_ok
      if (.not. is_positive(numerics%dt)) then
         call report(stat, errmsg, status_value, 'the time step dt is not a positive number')
         return
      end if
      if (.not. allocated(numerics%integrator) .or. .not. allocated(numerics%dealiasing)) then
         call report(stat, errmsg, status_value, 'numerics lacks the integrator or the dealiasing')
         return
      end if
      select case (numerics%integrator)
      case ('ifrk4')
         allocate (ifrk4_type :: stepper)
      case ('ab2cn')
         allocate (ab2cn_type :: stepper)
      case default
         call report(stat, errmsg, status_value, "the integrator '"//numerics%integrator//"' is unknown: choose 'ifrk4' or 'ab2cn'")
         return
      end select
      call self%equation%create(physics, numerics%n, numerics%dealiasing, closure, stat, errmsg)
      if (stat /= status_ok) return
      call stepper%set_up(self%equation, numerics%dt)
      call move_alloc(stepper, self%stepper)
      if (allocated(self%vorticity_hat)) deallocate (self%vorticity_hat)
      allocate (self%vorticity_hat(0:self%equation%grid%cutoff, self%equation%grid%rows), source=(0.0_dp, 0.0_dp))
   end subroutine create

   pure logical function is_positive(value)
      real(dp), intent(in) :: value

      is_positive = .false.
      if (ieee_is_finite(value)) is_positive = value > 0
   end function is_positive

   !> Start from a field: its mean and its modes beyond the carried ones are dropped.
   !> Fails with status_shape on another shape than (N, N), with status_value on a field that is not finite.
   subroutine set_vorticity(self, vorticity, stat, errmsg)
      class(turbulence_type), intent(inout) :: self
      real(dp), intent(in) :: vorticity(:, :)  !< (N, N) [1]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=120) :: sentence
      integer :: bad, n

      stat = status_ok
      n = self%equation%grid%n
      if (any(shape(vorticity) /= n)) then
         write (sentence, '(4(a, i0), a)') 'the initial vorticity has the shape (', size(vorticity, 1), ', ', size(vorticity, 2), &
            ') where (', n, ', ', n, ') is expected'
         call report(stat, errmsg, status_shape, trim(sentence))
         return
      end if
      bad = count(.not. ieee_is_finite(vorticity))  ! a comparison with NaN would trap in a host that traps
      if (bad > 0) then
         write (sentence, '(a, i0, a)') 'the initial vorticity holds ', bad, ' values that are not finite: mend the field'
         call report(stat, errmsg, status_value, trim(sentence))
         return
      end if
      self%vorticity_hat = 0
      associate (equation => self%equation)
         call grid_to_spectrum(equation%grid, equation%transforms, vorticity, self%vorticity_hat)
      end associate
   end subroutine set_vorticity

   !> The vorticity on the grid. Fails with status_shape on another shape than (N, N).
   subroutine get_vorticity(self, vorticity, stat, errmsg)
      class(turbulence_type), intent(inout) :: self
      real(dp), intent(inout) :: vorticity(:, :)  !< (N, N) [1]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      if (any(shape(vorticity) /= self%equation%grid%n)) then
         call report(stat, errmsg, status_shape, 'the array for the vorticity is not of the shape (N, N) of the grid')
         return
      end if
      call spectrum_to_grid(self%equation%grid, self%equation%transforms, self%vorticity_hat, vorticity)
   end subroutine get_vorticity

   !> One time step; fails as the closure does, and leaves the state of before.
   subroutine step(self, stat, errmsg)
      class(turbulence_type), intent(inout) :: self
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      call self%stepper%step(self%equation, self%vorticity_hat, stat, errmsg)
   end subroutine step

   !> 1/2 <omega^2> [1]; not finite when and only when the flow is not.
   pure real(dp) function enstrophy(self)
      class(turbulence_type), intent(in) :: self

      enstrophy = 0.5_dp*mean_square_vorticity(self%equation%grid, self%vorticity_hat)
   end function enstrophy

   !> 1/2 <u^2 + v^2> = 1/2 <|omega|^2/k^2> [1].
   pure real(dp) function energy(self)
      class(turbulence_type), intent(in) :: self

      associate (grid => self%equation%grid)
         energy = 0.5_dp*mean_square_vorticity(grid, sqrt(grid%inverse_square)*self%vorticity_hat)
      end associate
   end function energy

   !> spectrum += carried modes of a real field, its mean left out.
   subroutine grid_to_spectrum(grid, transforms, field, spectrum)
      type(grid_type), intent(in) :: grid
      type(transforms_type), intent(inout) :: transforms
      real(dp), intent(in) :: field(:, :)               !< (N, N)
      complex(dp), intent(inout) :: spectrum(0:, :)     !< (0:K, 2 K + 1)
      integer :: j, last

      do j = 1, grid%n, rows_at_once
         last = min(rows_at_once, grid%n + 1 - j)
         transforms%rows(:, :, 1) = 0
         transforms%rows(:, 1:last, 1) = cmplx(field(:, j:j + last - 1), 0, dp)
         call transforms%grid_to_columns(1, j)
      end do
      call transforms%add_spectrum(1, spectrum_of_real_part(grid), 1.0_dp, spectrum)
   end subroutine grid_to_spectrum

   !> A real field from its carried modes, its mean zero.
   subroutine spectrum_to_grid(grid, transforms, spectrum, field)
      type(grid_type), intent(in) :: grid
      type(transforms_type), intent(inout) :: transforms
      complex(dp), intent(in) :: spectrum(0:, :)   !< (0:K, 2 K + 1)
      real(dp), intent(inout) :: field(:, :)       !< (N, N)
      integer :: j, last

      call transforms%spectrum_to_columns(1, spectrum, vorticity_of(grid))
      do j = 1, grid%n, rows_at_once
         last = min(rows_at_once, grid%n + 1 - j)
         call transforms%columns_to_grid(1, j)
         field(:, j:j + last - 1) = real(transforms%rows(:, 1:last, 1))
      end do
   end subroutine spectrum_to_grid
end module subgrid_turbulence2d
