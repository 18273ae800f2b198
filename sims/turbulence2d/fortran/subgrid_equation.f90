!> The forced vorticity equation on a beta-plane, split as the steppers need it (docs/physics/turbulence2d.md):
!>
!>     d omega^/dt = L omega^ + A^ + F^ + Pi^(omega^),   L = -nu k^2 - r + i beta kx/k^2,   A = -u.grad(omega)
module subgrid_equation
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use, intrinsic :: iso_fortran_env, only: int64
   use subgrid_advection, only: advection_type
   use subgrid_basdevant, only: basdevant_type
   use subgrid_closure, only: closure_type
   use subgrid_errors, only: report, status_ok, status_value
   use subgrid_forcing, only: add_forcing, check_forcing
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   use subgrid_skew, only: skew_fields, skew_type
   use subgrid_transforms, only: transforms_type
   implicit none (type, external)
   private
   public :: equation_type, physics_type

   !> A case of the physics page; all quantities are dimensionless.
   type :: physics_type
      integer :: forcing_wavenumber = 4   !< k_f [1], 0 for no forcing
      real(dp) :: beta = 0.0_dp           !< gradient of the planetary vorticity along y [1]
      real(dp) :: viscosity = 5.0e-5_dp   !< nu [1]
      real(dp) :: drag = 0.1_dp           !< r [1]
   end type physics_type

   type :: equation_type
      type(physics_type) :: physics
      type(grid_type) :: grid
      type(transforms_type) :: transforms
      integer(int64) :: closure_ticks = 0  !< time spent in the closure, in ticks of system_clock
      class(advection_type), allocatable, private :: advection
      class(closure_type), allocatable, private :: closure
   contains
      procedure :: create
      procedure :: add_advection
      procedure :: add_sources
      procedure :: rossby_frequency
   end type equation_type

contains

   !> Take over the closure and set up grid, transforms and advection: Basdevant's form with dealiasing 'two_thirds', the
   !> skew-symmetric one with 'none'. Fails with status_value on impossible physics or grid.
   subroutine create(self, physics, n, dealiasing, closure, stat, errmsg)
      class(equation_type), intent(inout) :: self
      type(physics_type), intent(in) :: physics
      integer, intent(in) :: n                                     !< points along each side [1]
      character(len=*), intent(in) :: dealiasing                   !< 'two_thirds' or 'none'
      class(closure_type), allocatable, intent(inout) :: closure   !< moved into the equation
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: fields

      call check_physics(physics, stat, errmsg)
      if (stat /= status_ok) return
      call self%grid%create(n, dealiasing, stat, errmsg)
      if (stat /= status_ok) return
      call check_forcing(self%grid, physics%forcing_wavenumber, stat, errmsg)
      if (stat /= status_ok) return
      if (.not. allocated(closure)) then
         call report(stat, errmsg, status_value, "no closure was given: make one with make_closure, for instance 'none'")
         return
      end if
      self%physics = physics
      if (allocated(self%advection)) deallocate (self%advection)
      if (dealiasing == 'none') then
         allocate (skew_type :: self%advection)
         fields = skew_fields
      else
         allocate (basdevant_type :: self%advection)
         fields = 1
      end if
      call self%transforms%create(self%grid, fields, stat, errmsg)
      if (stat /= status_ok) return
      call self%advection%set_up(self%grid)
      call move_alloc(closure, self%closure)
      self%closure_ticks = 0
   end subroutine create

   subroutine check_physics(physics, stat, errmsg)
      type(physics_type), intent(in) :: physics
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      if (.not. is_not_negative(physics%viscosity)) then
         call report(stat, errmsg, status_value, 'the viscosity is not a number of at least 0')
      else if (.not. is_not_negative(physics%drag)) then
         call report(stat, errmsg, status_value, 'the drag is not a number of at least 0')
      else if (.not. ieee_is_finite(physics%beta)) then
         call report(stat, errmsg, status_value, 'beta is not a finite number')
      end if
   end subroutine check_physics

   pure logical function is_not_negative(value)
      real(dp), intent(in) :: value

      is_not_negative = .false.
      if (ieee_is_finite(value)) is_not_negative = value >= 0  ! a comparison with NaN would trap in a host that traps
   end function is_not_negative

   !> tendency += A^.
   subroutine add_advection(self, vorticity_hat, tendency)
      class(equation_type), intent(inout) :: self
      complex(dp), intent(in) :: vorticity_hat(0:, :)  !< (0:K, 2 K + 1) [1]
      complex(dp), intent(inout) :: tendency(0:, :)    !< (0:K, 2 K + 1) [1]

      call self%advection%add_tendency(self%transforms, vorticity_hat, tendency)
   end subroutine add_advection

   !> tendency += F^ + Pi^(omega^); fails as the closure does.
   subroutine add_sources(self, vorticity_hat, tendency, stat, errmsg)
      class(equation_type), intent(inout) :: self
      complex(dp), intent(in) :: vorticity_hat(0:, :)  !< (0:K, 2 K + 1) [1]
      complex(dp), intent(inout) :: tendency(0:, :)    !< (0:K, 2 K + 1) [1]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer(int64) :: start, finish

      call system_clock(start)
      call self%closure%tendency(self%grid, self%transforms, vorticity_hat, tendency, stat, errmsg)
      call system_clock(finish)
      self%closure_ticks = self%closure_ticks + (finish - start)
      call add_forcing(self%grid, self%physics%forcing_wavenumber, tendency)
   end subroutine add_sources

   !> beta kx/k^2 of all carried modes [1]: a mode turns as exp(i beta kx/k^2 t).
   pure function rossby_frequency(self) result(frequency)
      class(equation_type), intent(in) :: self
      real(dp), allocatable :: frequency(:, :)
      integer :: row

      allocate (frequency(0:self%grid%cutoff, self%grid%rows))
      do row = 1, self%grid%rows
         frequency(:, row) = self%physics%beta*self%grid%kx*self%grid%inverse_square(:, row)
      end do
   end function rossby_frequency
end module subgrid_equation
