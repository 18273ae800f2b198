!> The N x N grid of the doubly periodic square [0, 2 pi)^2 and its carried modes (docs/physics/turbulence2d.md, "Space").
!>
!> Only carried modes are stored: a spectrum is `(0:cutoff, 2*cutoff + 1)`, kx = 0..K along the first index and
!> ky = 0..K, -K..-1 along the second. So the mask is symmetric by construction and needs no array.
module subgrid_grid
   use subgrid_errors, only: report, status_ok, status_value
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: grid_type, pi

   real(dp), parameter :: pi = acos(-1.0_dp)
   integer, parameter :: smallest_n = 4

   type :: grid_type
      integer :: n = 0                             !< points along each side [1], even
      integer :: cutoff = 0                        !< K, largest carried |kx| and |ky| [1]
      integer :: rows = 0                          !< number of carried ky, 2 K + 1 [1]
      real(dp) :: spacing = 0.0_dp                 !< 2 pi / N [1]
      character(len=:), allocatable :: dealiasing  !< 'two_thirds' or 'none'
      real(dp), allocatable :: kx(:)               !< (0:K) wavenumbers along x [1]
      real(dp), allocatable :: ky(:)               !< (2 K + 1) wavenumbers along y, in storage order [1]
      integer, allocatable :: place(:)             !< (2 K + 1) place of ky in a full transform, 0..N-1
      real(dp), allocatable :: square(:, :)        !< (0:K, 2 K + 1) kx^2 + ky^2 [1]
      real(dp), allocatable :: inverse_square(:, :)  !< (0:K, 2 K + 1) 1/(kx^2 + ky^2), zero for the mean [1]
   contains
      procedure :: create
      procedure :: carries
   end type grid_type

contains

   !> Wavenumbers of the carried modes. Fails with status_value on an odd or tiny N or an unknown dealiasing.
   subroutine create(self, n, dealiasing, stat, errmsg)
      class(grid_type), intent(inout) :: self
      integer, intent(in) :: n                     !< points along each side [1]
      character(len=*), intent(in) :: dealiasing   !< 'two_thirds' or 'none'
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      integer :: i, row
      character(len=12) :: found

      stat = status_ok
      if (n < smallest_n .or. mod(n, 2) /= 0) then
         write (found, '(i0)') n
         call report(stat, errmsg, status_value, 'the grid n = '//trim(found)//' is not an even number of at least 4: choose '// &
                     'one such as 64 or 128')
         return
      end if
      select case (dealiasing)
      case ('two_thirds')
         self%cutoff = (n - 1)/3
      case ('none')
         self%cutoff = n/2 - 1
      case default
         call report(stat, errmsg, status_value, "the dealiasing '"//trim(dealiasing)//"' is unknown: "// &
                     "choose 'two_thirds' or 'none'")
         return
      end select

      self%n = n
      self%rows = 2*self%cutoff + 1
      self%spacing = 2*pi/n
      self%dealiasing = dealiasing
      if (allocated(self%kx)) deallocate (self%kx, self%ky, self%place, self%square, self%inverse_square)
      allocate (self%kx(0:self%cutoff), self%ky(self%rows), self%place(self%rows))
      allocate (self%square(0:self%cutoff, self%rows), self%inverse_square(0:self%cutoff, self%rows))
      self%kx = [(real(i, dp), i = 0, self%cutoff)]
      self%ky = [(real(i, dp), i = 0, self%cutoff), (real(i, dp), i = -self%cutoff, -1)]
      self%place = modulo(nint(self%ky), n)
      do row = 1, self%rows
         self%square(:, row) = self%kx**2 + self%ky(row)**2
      end do
      self%square(0, 1) = 1
      self%inverse_square = 1/self%square
      self%square(0, 1) = 0
      self%inverse_square(0, 1) = 0
   end subroutine create

   !> Whether modes of this wavenumber [1] are among the carried ones.
   pure logical function carries(self, wavenumber)
      class(grid_type), intent(in) :: self
      integer, intent(in) :: wavenumber

      carries = abs(wavenumber) <= self%cutoff
   end function carries
end module subgrid_grid
