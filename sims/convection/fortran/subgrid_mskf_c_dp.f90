!> C entry to the batches: two tables of addresses, so that C, ctypes and the XLA handler share one signature.
module subgrid_mskf_c_dp
   use, intrinsic :: iso_c_binding, only: c_f_pointer, c_int, c_ptr
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_batch_dp, only: batch_type, run_batch
   implicit none (type, external)
   private
   public :: columns_from_addresses
   integer, parameter, public :: input_count = 23, state_count = 19

contains

   !> Run the scheme on columns whose arrays lie at the given addresses, levels fastest.
   !> inputs: t qv p pi rho dz8w u v | w (levels + 1) | dx dt cudt ust hfx pblh zol (one real a column)
   !>         | nlev stepcu warm_rain f_qr f_qi f_qs adapt_step_flag (one 32-bit integer a column)
   !> state (in and out): rthcuten rqvcuten rqccuten rqrcuten rqicuten rqscuten rucuten rvcuten cldfra_dp cldfra_sh
   !>         qc_kf qi_kf w0avg | raincv pratec nca cutop cubot timec_kf (one real a column)
   subroutine columns_from_addresses(levels, columns, clean, threads, inputs, state, outcome, status) &
      bind(C, name='subgrid_mskf_columns_dp')
      integer(c_int), value :: levels, columns   !< sizes of the arrays
      integer(c_int), value :: clean             !< 1: clean, 0: match
      integer(c_int), value :: threads
      type(c_ptr), intent(in) :: inputs(input_count), state(state_count)
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
      call point_at_state(state, batch)
      batch%outcome => outcome
      batch%status => status
      call run_batch(batch, threads)
   end subroutine columns_from_addresses

   !> The arrays that the scheme updates.
   subroutine point_at_state(state, batch)
      type(c_ptr), intent(in) :: state(state_count)
      type(batch_type), intent(inout) :: batch

      associate (levels => batch%levels, columns => batch%columns)
         call c_f_pointer(state(1), batch%rth, [levels, columns])
         call c_f_pointer(state(2), batch%rqv, [levels, columns])
         call c_f_pointer(state(3), batch%rqc, [levels, columns])
         call c_f_pointer(state(4), batch%rqr, [levels, columns])
         call c_f_pointer(state(5), batch%rqi, [levels, columns])
         call c_f_pointer(state(6), batch%rqs, [levels, columns])
         call c_f_pointer(state(7), batch%ru, [levels, columns])
         call c_f_pointer(state(8), batch%rv, [levels, columns])
         call c_f_pointer(state(9), batch%fraction_deep, [levels, columns])
         call c_f_pointer(state(10), batch%fraction_shallow, [levels, columns])
         call c_f_pointer(state(11), batch%qc, [levels, columns])
         call c_f_pointer(state(12), batch%qi, [levels, columns])
         call c_f_pointer(state(13), batch%w_mean, [levels, columns])
         call c_f_pointer(state(14), batch%raincv, [columns])
         call c_f_pointer(state(15), batch%pratec, [columns])
         call c_f_pointer(state(16), batch%nca, [columns])
         call c_f_pointer(state(17), batch%cutop, [columns])
         call c_f_pointer(state(18), batch%cubot, [columns])
         call c_f_pointer(state(19), batch%timec, [columns])
      end associate
   end subroutine point_at_state
end module subgrid_mskf_c_dp
