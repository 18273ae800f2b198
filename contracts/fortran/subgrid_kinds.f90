!> Real and integer kinds of every subgrid module.
module subgrid_kinds
   use, intrinsic :: iso_fortran_env, only: int32, int64, real32, real64
   implicit none (type, external)
   private
   public :: sp, dp, i4, i8

   integer, parameter :: sp = real32  !< networks
   integer, parameter :: dp = real64  !< solvers
   integer, parameter :: i4 = int32
   integer, parameter :: i8 = int64
end module subgrid_kinds
