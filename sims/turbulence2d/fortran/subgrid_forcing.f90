!> The steady forcing F(x, y) = -k_f [cos(k_f x) + cos(k_f y)] as a spectrum; k_f = 0 is no forcing.
module subgrid_forcing
   use subgrid_errors, only: report, status_ok, status_value
   use subgrid_grid, only: grid_type
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: add_forcing, check_forcing

contains

   !> Fails with status_value on a negative k_f, or one that is not among the carried modes of the grid.
   subroutine check_forcing(grid, wavenumber, stat, errmsg)
      type(grid_type), intent(in) :: grid
      integer, intent(in) :: wavenumber  !< k_f [1]
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg
      character(len=200) :: sentence
      integer :: smallest

      stat = status_ok
      if (wavenumber >= 0 .and. grid%carries(wavenumber)) return
      if (wavenumber < 0) then
         write (sentence, '(a, i0, a)') 'the forcing wavenumber ', wavenumber, &
            ' is negative: give a positive one, or 0 for no forcing'
      else
         smallest = 2*wavenumber + 2
         if (grid%dealiasing == 'two_thirds') smallest = 3*wavenumber + 1 + mod(3*wavenumber + 1, 2)
         write (sentence, '(5(a, i0), a)') 'the grid n = ', grid%n, ' cannot carry the forcing wavenumber ', wavenumber, &
            ': it carries wavenumbers up to ', grid%cutoff, ", so choose n of at least ", smallest, " with this dealiasing"
      end if
      call report(stat, errmsg, status_value, trim(sentence))
   end subroutine check_forcing

   !> tendency += F^, which has the modes (k_f, 0) and (0, +-k_f): -k_f N^2/2 each.
   pure subroutine add_forcing(grid, wavenumber, tendency)
      type(grid_type), intent(in) :: grid
      integer, intent(in) :: wavenumber               !< k_f [1]
      complex(dp), intent(inout) :: tendency(0:, :)   !< (0:K, 2 K + 1) [1]
      real(dp) :: amplitude

      if (wavenumber == 0) return
      amplitude = -0.5_dp*wavenumber*real(grid%n, dp)**2
      tendency(wavenumber, 1) = tendency(wavenumber, 1) + amplitude
      tendency(0, 1 + wavenumber) = tendency(0, 1 + wavenumber) + amplitude
      tendency(0, grid%rows + 1 - wavenumber) = tendency(0, grid%rows + 1 - wavenumber) + amplitude
   end subroutine add_forcing
end module subgrid_forcing
