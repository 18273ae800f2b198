!> The few procedures of FFTW 3 that the solver calls, with addresses for arrays.
!>
!> The transforms work in place. FFTW's own interface file declares input and output as two arrays, and Fortran forbids
!> passing one array to both.
module subgrid_fftw
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_size_t
   implicit none (type, external)
   private
   public :: fftw_alloc_complex, fftw_destroy_plan, fftw_execute_dft, fftw_free, fftw_plan_many_dft
   public :: fftw_backward, fftw_estimate, fftw_forward

   ! From fftw3.h.
   integer(c_int), parameter :: fftw_forward = -1
   integer(c_int), parameter :: fftw_backward = 1
   integer(c_int), parameter :: fftw_estimate = 64

   interface
      function fftw_alloc_complex(n) result(memory) bind(C, name='fftw_alloc_complex')
         import :: c_ptr, c_size_t
         implicit none (type, external)
         integer(c_size_t), value :: n
         type(c_ptr) :: memory
      end function fftw_alloc_complex

      subroutine fftw_free(memory) bind(C, name='fftw_free')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: memory
      end subroutine fftw_free

      function fftw_plan_many_dft(rank, n, howmany, in, inembed, istride, idist, out, onembed, ostride, odist, sign, flags) &
         result(plan) bind(C, name='fftw_plan_many_dft')
         import :: c_int, c_ptr
         implicit none (type, external)
         integer(c_int), value :: rank, howmany, istride, idist, ostride, odist, sign, flags
         integer(c_int), intent(in) :: n(rank), inembed(rank), onembed(rank)
         type(c_ptr), value :: in, out
         type(c_ptr) :: plan
      end function fftw_plan_many_dft

      subroutine fftw_execute_dft(plan, in, out) bind(C, name='fftw_execute_dft')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: plan, in, out
      end subroutine fftw_execute_dft

      subroutine fftw_destroy_plan(plan) bind(C, name='fftw_destroy_plan')
         import :: c_ptr
         implicit none (type, external)
         type(c_ptr), value :: plan
      end subroutine fftw_destroy_plan
   end interface
end module subgrid_fftw
