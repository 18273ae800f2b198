!> One column of a host's tile as a batch: local arrays that `run_column` works on.
module subgrid_mskf_column_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_arrays_dp, only: batch_type
   implicit none (type, external)
   private
   public :: point_at_column

   integer, parameter, public :: profiles = 22, scalars = 13, integers = 9   !< of one column

contains

   !> A batch of one column over local arrays, in the order of the columns of `profile` and the entries of the others.
   subroutine point_at_column(n, profile, scalar, whole, column)
      integer, intent(in) :: n
      real(wp), intent(in), target, contiguous :: profile(:, :), scalar(:)
      integer, intent(in), target, contiguous :: whole(:)
      type(batch_type), intent(out) :: column

      column%levels = n
      column%columns = 1
      column%clean = .false.
      call point_at_profiles(profile, column)
      column%dx => scalar(1:1)
      column%dt => scalar(2:2)
      column%cudt => scalar(3:3)
      column%ust => scalar(4:4)
      column%hfx => scalar(5:5)
      column%pblh => scalar(6:6)
      column%zol => scalar(7:7)
      column%raincv => scalar(8:8)
      column%pratec => scalar(9:9)
      column%nca => scalar(10:10)
      column%cutop => scalar(11:11)
      column%cubot => scalar(12:12)
      column%timec => scalar(13:13)
      column%nlev => whole(1:1)
      column%stepcu => whole(2:2)
      column%warm_rain => whole(3:3)
      column%f_qr => whole(4:4)
      column%f_qi => whole(5:5)
      column%f_qs => whole(6:6)
      column%adaptive => whole(7:7)
      column%outcome => whole(8:8)
      column%status => whole(9:9)
   end subroutine point_at_column

   !> The profiles, each a column of the local array.
   subroutine point_at_profiles(profile, column)
      real(wp), intent(in), target, contiguous :: profile(:, :)
      type(batch_type), intent(inout) :: column

      column%t => profile(:, 1:1)
      column%qv => profile(:, 2:2)
      column%p => profile(:, 3:3)
      column%exner => profile(:, 4:4)
      column%rho => profile(:, 5:5)
      column%thickness => profile(:, 6:6)
      column%u => profile(:, 7:7)
      column%v => profile(:, 8:8)
      column%w_mean => profile(:, 9:9)
      column%rth => profile(:, 10:10)
      column%rqv => profile(:, 11:11)
      column%rqc => profile(:, 12:12)
      column%rqr => profile(:, 13:13)
      column%rqi => profile(:, 14:14)
      column%rqs => profile(:, 15:15)
      column%ru => profile(:, 16:16)
      column%rv => profile(:, 17:17)
      column%fraction_deep => profile(:, 18:18)
      column%fraction_shallow => profile(:, 19:19)
      column%qc => profile(:, 20:20)
      column%qi => profile(:, 21:21)
      column%w => profile(:, 22:22)
   end subroutine point_at_profiles
end module subgrid_mskf_column_dp
