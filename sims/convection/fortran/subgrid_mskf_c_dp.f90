!> C entry to the batches: two tables of addresses, so that C, ctypes and the XLA handler share one signature.
module subgrid_mskf_c_dp
   use, intrinsic :: iso_c_binding, only: c_associated, c_f_pointer, c_int, c_ptr
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_arrays_dp, only: batch_type, profile_states, scalar_states
   use subgrid_mskf_batch_dp, only: run_batch
   implicit none (type, external)
   private
   public :: columns_from_addresses
   integer, parameter, public :: input_count = 23, state_count = profile_states + scalar_states

contains

   !> Run the scheme on columns whose arrays lie at the given addresses, levels fastest.
   !> inputs: t qv p pi rho dz8w u v | w (levels + 1) | dx dt cudt ust hfx pblh zol (one real a column)
   !>         | nlev stepcu warm_rain f_qr f_qi f_qs adapt_step_flag (one 32-bit integer a column)
   !> state (out): rthcuten rqvcuten rqccuten rqrcuten rqicuten rqscuten rucuten rvcuten cldfra_dp cldfra_sh
   !>         qc_kf qi_kf w0avg | raincv pratec nca cutop cubot timec_kf (one real a column)
   !> entering: where the state is on entry, in the same order; the same addresses for an update in place, none for a quantity
   !>         at rest
   subroutine columns_from_addresses(levels, columns, clean, threads, inputs, entering, state, outcome, status) &
      bind(C, name='subgrid_mskf_columns_dp')
      integer(c_int), value :: levels, columns   !< sizes of the arrays
      integer(c_int), value :: clean             !< 1: clean, 0: match
      integer(c_int), value :: threads
      type(c_ptr), intent(in) :: inputs(input_count), entering(state_count), state(state_count)
      integer(c_int), intent(inout), target :: outcome(columns), status(columns)
      type(batch_type) :: batch

      batch%levels = levels
      batch%columns = columns
      batch%clean = clean /= 0
      call c_f_pointer(inputs(1), batch%t, [levels, columns])
      call c_f_pointer(inputs(2), batch%qv, [levels, columns])
      call c_f_pointer(inputs(3), batch%p, [levels, columns])
      call c_f_pointer(inputs(4), batch%exner, [levels, columns])
      call c_f_pointer(inputs(5), batch%rho, [levels, columns])
      call c_f_pointer(inputs(6), batch%thickness, [levels, columns])
      call c_f_pointer(inputs(7), batch%u, [levels, columns])
      call c_f_pointer(inputs(8), batch%v, [levels, columns])
      call c_f_pointer(inputs(9), batch%w, [levels + 1, columns])
      call c_f_pointer(inputs(10), batch%dx, [columns])
      call c_f_pointer(inputs(11), batch%dt, [columns])
      call c_f_pointer(inputs(12), batch%cudt, [columns])
      call c_f_pointer(inputs(13), batch%ust, [columns])
      call c_f_pointer(inputs(14), batch%hfx, [columns])
      call c_f_pointer(inputs(15), batch%pblh, [columns])
      call c_f_pointer(inputs(16), batch%zol, [columns])
      call c_f_pointer(inputs(17), batch%nlev, [columns])
      call c_f_pointer(inputs(18), batch%stepcu, [columns])
      call c_f_pointer(inputs(19), batch%warm_rain, [columns])
      call c_f_pointer(inputs(20), batch%f_qr, [columns])
      call c_f_pointer(inputs(21), batch%f_qi, [columns])
      call c_f_pointer(inputs(22), batch%f_qs, [columns])
      call c_f_pointer(inputs(23), batch%adaptive, [columns])
      call point_at_state(entering, state, batch)
      batch%outcome => outcome
      batch%status => status
      call run_batch(batch, threads)
   end subroutine columns_from_addresses

   !> The arrays that the scheme updates, and where they come from.
   subroutine point_at_state(entering, state, batch)
      type(c_ptr), intent(in) :: entering(state_count), state(state_count)
      type(batch_type), intent(inout) :: batch
      integer :: i

      batch%in_place = .true.
      do i = 1, state_count
         if (.not. c_associated(entering(i), state(i))) batch%in_place = .false.
      end do
      do i = 1, profile_states
         call c_f_pointer(state(i), batch%state_profiles(i)%values, [batch%levels, batch%columns])
         if (c_associated(entering(i))) then
            call c_f_pointer(entering(i), batch%entering_profiles(i)%values, [batch%levels, batch%columns])
         end if
      end do
      do i = 1, scalar_states
         call c_f_pointer(state(profile_states + i), batch%state_scalars(i)%values, [batch%columns])
         if (c_associated(entering(profile_states + i))) then
            call c_f_pointer(entering(profile_states + i), batch%entering_scalars(i)%values, [batch%columns])
         end if
      end do
      associate (profile => batch%state_profiles, scalar => batch%state_scalars)
         batch%rth => profile(1)%values
         batch%rqv => profile(2)%values
         batch%rqc => profile(3)%values
         batch%rqr => profile(4)%values
         batch%rqi => profile(5)%values
         batch%rqs => profile(6)%values
         batch%ru => profile(7)%values
         batch%rv => profile(8)%values
         batch%fraction_deep => profile(9)%values
         batch%fraction_shallow => profile(10)%values
         batch%qc => profile(11)%values
         batch%qi => profile(12)%values
         batch%w_mean => profile(13)%values
         batch%raincv => scalar(1)%values
         batch%pratec => scalar(2)%values
         batch%nca => scalar(3)%values
         batch%cutop => scalar(4)%values
         batch%cubot => scalar(5)%values
         batch%timec => scalar(6)%values
      end associate
   end subroutine point_at_state
end module subgrid_mskf_c_dp
