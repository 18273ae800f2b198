!> The few services of the operating system that a well-behaved program needs: signals, rename, remove, exit status.
!>
!> The module variable is the one piece of global state: a signal handler has no other place to leave its message.
module subgrid_process
   use, intrinsic :: iso_c_binding, only: c_char, c_funloc, c_funptr, c_int, c_intptr_t, c_null_char
   use, intrinsic :: iso_fortran_env, only: error_unit, output_unit
   use subgrid_errors, only: report, status_file, status_ok
   implicit none (type, external)
   private
   public :: catch_interruptions, interrupted, move_file, remove_file, exit_with, exit_at_once, file_exists

   integer(c_int), parameter :: sigint = 2, sigterm = 15, sigxfsz = 25
   integer(c_intptr_t), parameter :: sig_ign = 1

   logical, volatile :: was_interrupted = .false.

   interface
      function c_signal(signum, handler) result(previous) bind(C, name='signal')
         import :: c_funptr, c_int
         implicit none (type, external)
         integer(c_int), value :: signum
         type(c_funptr), value :: handler
         type(c_funptr) :: previous
      end function c_signal

      function c_rename(old, new) result(code) bind(C, name='rename')
         import :: c_char, c_int
         implicit none (type, external)
         character(kind=c_char), intent(in) :: old(*), new(*)
         integer(c_int) :: code
      end function c_rename

      function c_unlink(path) result(code) bind(C, name='unlink')
         import :: c_char, c_int
         implicit none (type, external)
         character(kind=c_char), intent(in) :: path(*)
         integer(c_int) :: code
      end function c_unlink

      subroutine c_exit(code) bind(C, name='exit')
         import :: c_int
         implicit none (type, external)
         integer(c_int), value :: code
      end subroutine c_exit

      subroutine c_exit_at_once(code) bind(C, name='_exit')
         import :: c_int
         implicit none (type, external)
         integer(c_int), value :: code
      end subroutine c_exit_at_once
   end interface

contains

   !> From now on SIGINT and SIGTERM only raise the flag of `interrupted`, and writing beyond a file-size limit is an
   !> error of that write instead of the end of the process.
   subroutine catch_interruptions()
      type(c_funptr) :: previous

      previous = c_signal(sigint, c_funloc(on_signal))
      previous = c_signal(sigterm, c_funloc(on_signal))
      previous = c_signal(sigxfsz, transfer(sig_ign, previous))
   end subroutine catch_interruptions

   subroutine on_signal(signum) bind(C)
      integer(c_int), value :: signum

      if (signum > 0) was_interrupted = .true.
   end subroutine on_signal

   !> Whether SIGINT or SIGTERM has come.
   logical function interrupted()
      interrupted = was_interrupted
   end function interrupted

   !> Give a finished file its final name. Fails with status_file.
   subroutine move_file(old, new, stat, errmsg)
      character(len=*), intent(in) :: old, new
      integer, intent(out) :: stat
      character(len=:), allocatable, intent(inout) :: errmsg

      stat = status_ok
      if (c_rename(old//c_null_char, new//c_null_char) == 0) return
      call report(stat, errmsg, status_file, 'the finished file '//old//' could not be renamed to '//new// &
                  ': check the permissions of its folder')
   end subroutine move_file

   !> Remove a file if it is there.
   subroutine remove_file(path)
      character(len=*), intent(in) :: path
      integer(c_int) :: code

      if (.not. file_exists(path)) return
      code = c_unlink(path//c_null_char)
   end subroutine remove_file

   logical function file_exists(path)
      character(len=*), intent(in) :: path

      inquire (file=path, exist=file_exists)
   end function file_exists

   !> End the program; unlike `stop`, without a word on floating-point flags.
   subroutine exit_with(code)
      integer, intent(in) :: code

      call c_exit(int(code, c_int))
   end subroutine exit_with

   !> End the program without the exit handlers of libraries: HDF5's crashes after a file that it could not write.
   subroutine exit_at_once(code)
      integer, intent(in) :: code

      flush (output_unit)
      flush (error_unit)
      call c_exit_at_once(int(code, c_int))
   end subroutine exit_at_once
end module subgrid_process
