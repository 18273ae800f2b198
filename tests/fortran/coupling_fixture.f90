!> Columns of moisture with learned and physical tendencies that take no part in any limit.
module coupling_fixture
   use subgrid_kinds, only: dp
   implicit none (type, external)
   private
   public :: fields, new_fields, levels, columns, time_step

   integer, parameter :: levels = 4, columns = 6
   real(dp), parameter :: time_step = 1200  !< s

   type :: fields
      real(dp) :: learned(levels, columns) = 0   !< kg/kg/s
      real(dp) :: physical(levels, columns) = 0  !< kg/kg/s
      real(dp) :: state(levels, columns) = 0     !< kg/kg, before the step
   end type fields

contains

   pure type(fields) function new_fields() result(f)
      integer :: i, j

      do j = 1, columns
         do i = 1, levels
            f%learned(i, j) = 1e-6_dp*sin(real(3*i + 7*j, dp))
            f%physical(i, j) = 1e-6_dp*cos(real(5*i - 2*j, dp))
            f%state(i, j) = 1e-2_dp*(1 + i)/(1 + j)
         end do
      end do
   end function new_fields
end module coupling_fixture
