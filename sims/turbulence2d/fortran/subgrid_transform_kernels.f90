!> The loops between spectra, columns and the buffer of the pass along y (subgrid_transforms): plain arrays, no types.
!>
!> A block holds `count` <= columns_at_once wavenumbers kx = first, first + 1, … and their mirrors -kx. `place` is the place of
!> each carried ky in a full transform.
module subgrid_transform_kernels
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: columns_at_once, fold_spectrum, load_columns, load_spectrum, store_columns

   integer, parameter :: columns_at_once = 4   !< positive kx of one pass along y (one cache line); as many negative ones

contains

   !> buffer(ky, kx) = m(k) s(k) and buffer(-ky, -kx) = m(-k) s(-k), with s(-k) = conj s(k) and m(-k) = parity m(k).
   pure subroutine load_spectrum(n, cutoff, first, count, place, spectrum, values, parity, buffer)
      integer, intent(in) :: n, cutoff, first, count
      integer, intent(in) :: place(2*cutoff + 1)
      complex(dp), intent(in) :: spectrum(0:cutoff, 2*cutoff + 1), values(0:cutoff, 2*cutoff + 1)
      real(dp), intent(in) :: parity
      complex(dp), intent(inout) :: buffer(0:n - 1, columns_at_once, 2)
      integer :: b, row, there, mirror

      buffer(cutoff + 1:n - cutoff - 1, :, :) = 0
      if (count < columns_at_once) buffer(:, count + 1:, :) = 0
      do row = 1, 2*cutoff + 1
         there = place(row)
         mirror = modulo(n - there, n)
         do b = 1, count
            buffer(there, b, 1) = values(first + b - 1, row)*spectrum(first + b - 1, row)
            buffer(mirror, b, 2) = parity*values(first + b - 1, row)*conjg(spectrum(first + b - 1, row))
         end do
      end do
      if (first > 0) return
      ! The column kx = 0 is its own mirror: its half ky < 0 is taken from ky > 0, so that rounding cannot make the
      ! real fields complex.
      do row = 2, cutoff + 1
         buffer(n - place(row), 1, 1) = buffer(n - place(row), 1, 2)
      end do
   end subroutine load_spectrum

   !> columns(kx, y) = buffer(y, kx) and the same for -kx; columns are in FFT order, kx = 0..K, -K..-1.
   pure subroutine store_columns(n, cutoff, first, count, buffer, columns)
      integer, intent(in) :: n, cutoff, first, count
      complex(dp), intent(in) :: buffer(0:n - 1, columns_at_once, 2)
      complex(dp), intent(inout) :: columns(2*cutoff + 1, 0:n - 1)
      integer :: b, j

      do j = 0, n - 1
         do b = 1, count
            columns(first + b, j) = buffer(j, b, 1)
         end do
         do b = merge(2, 1, first == 0), count
            columns(2*cutoff + 3 - first - b, j) = buffer(j, b, 2)
         end do
      end do
   end subroutine store_columns

   !> buffer(y, kx) = columns(kx, y) and the same for -kx.
   pure subroutine load_columns(n, cutoff, first, count, columns, buffer)
      integer, intent(in) :: n, cutoff, first, count
      complex(dp), intent(in) :: columns(2*cutoff + 1, 0:n - 1)
      complex(dp), intent(inout) :: buffer(0:n - 1, columns_at_once, 2)
      integer :: b, j

      if (count < columns_at_once) buffer(:, count + 1:, :) = 0
      do j = 0, n - 1
         do b = 1, count
            buffer(j, b, 1) = columns(first + b, j)
         end do
         do b = merge(2, 1, first == 0), count
            buffer(j, b, 2) = columns(2*cutoff + 3 - first - b, j)
         end do
      end do
      if (first == 0) buffer(:, 1, 2) = buffer(:, 1, 1)
   end subroutine load_columns

   !> spectrum(k) += factor [A(k) z(k) + conj(A(-k) z(-k))], with A(-k) = parity A(k).
   pure subroutine fold_spectrum(n, cutoff, first, count, place, buffer, values, parity, factor, spectrum)
      integer, intent(in) :: n, cutoff, first, count
      integer, intent(in) :: place(2*cutoff + 1)
      complex(dp), intent(in) :: buffer(0:n - 1, columns_at_once, 2), values(0:cutoff, 2*cutoff + 1)
      real(dp), intent(in) :: parity, factor
      complex(dp), intent(inout) :: spectrum(0:cutoff, 2*cutoff + 1)
      integer :: b, row, there, mirror

      do row = 1, 2*cutoff + 1
         there = place(row)
         mirror = modulo(n - there, n)
         do b = 1, count
            associate (a => values(first + b - 1, row))
               spectrum(first + b - 1, row) = spectrum(first + b - 1, row) &
                                              + factor*(a*buffer(there, b, 1) + parity*conjg(a*buffer(mirror, b, 2)))
            end associate
         end do
      end do
   end subroutine fold_spectrum
end module subgrid_transform_kernels
