!> Coupling of learned and physical tendencies: what is exact is compared bit for bit.
module test_coupling
   use coupling_fixture, only: columns, fields, levels, new_fields, time_step
   use subgrid_coupling, only: operator(+), subgrid_couple, subgrid_couple_variable, subgrid_coupler, subgrid_coupling_counts, &
      subgrid_coupling_reset, subgrid_coupling_weight, subgrid_ramp, subgrid_screen
   use subgrid_kinds, only: dp, sp
   use subgrid_testing, only: check, check_close, new_case, test_case
   use, intrinsic :: ieee_arithmetic, only: ieee_positive_inf, ieee_quiet_nan, ieee_value
   implicit none (type, external)
   private
   public :: collect

contains

   subroutine collect(cases)
      type(test_case), allocatable, intent(out) :: cases(:)

      cases = [ &
         new_case('weight_zero_is_physical', weight_zero_is_physical), &
         new_case('weight_one_is_learned', weight_one_is_learned), &
         new_case('blend_is_linear', blend_is_linear), &
         new_case('ramp_is_linear_and_clamped', ramp_is_linear_and_clamped), &
         new_case('ramp_cycles', ramp_cycles), &
         new_case('limiter_cuts_both_signs', limiter_cuts_both_signs), &
         new_case('not_finite_falls_back_by_column', not_finite_falls_back_by_column), &
         new_case('out_of_range_falls_back_by_column', out_of_range_falls_back_by_column), &
         new_case('screened_columns_fall_back_together', screened_columns_fall_back_together), &
         new_case('water_stays_non_negative', water_stays_non_negative), &
         new_case('single_precision_water', single_precision_water), &
         new_case('both_index_orders_agree', both_index_orders_agree), &
         new_case('slices_and_scalars', slices_and_scalars), &
         new_case('threads_share_a_coupler', threads_share_a_coupler), &
         new_case('counters_add_and_reset', counters_add_and_reset)]
   end subroutine collect

   !> Also where the learned array holds no numbers: the host has not run its network.
   subroutine weight_zero_is_physical(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns)

      f = new_fields()
      f%learned(2, :) = ieee_value(1.0_dp, ieee_quiet_nan)
      tendency = f%physical
      call subgrid_couple_variable(coupler, 'q', weight=0.0_dp, non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, tendency, counts, state=f%state)
      call check(failure, same(tendency, f%physical), 'the physical tendency changed at weight 0')
      call check(failure, counts%calls == 1 .and. counts%columns == 0 .and. counts%fallen_back == 0, 'only the call counts')
   end subroutine weight_zero_is_physical

   subroutine weight_one_is_learned(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns)
      real(sp) :: learned_sp(levels, columns), tendency_sp(levels, columns)

      f = new_fields()
      tendency = f%physical
      learned_sp = real(f%learned, sp)
      tendency_sp = real(f%physical, sp)
      call subgrid_couple_variable(coupler, 't')
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, tendency, counts)
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, learned_sp, tendency_sp, counts)
      call check(failure, same(tendency, f%learned), 'weight 1 is not the learned tendency')
      call check(failure, all(transfer(tendency_sp, [0]) == transfer(learned_sp, [0])), 'the same in single precision')
      call check(failure, counts%columns == 2*columns .and. counts%limited == 0, 'all columns were coupled, none limited')
   end subroutine weight_one_is_learned

   subroutine blend_is_linear(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns)

      f = new_fields()
      tendency = f%physical
      call subgrid_couple_variable(coupler, 't', weight=0.25_dp)
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, tendency, counts)
      call check_close(failure, maxval(abs(tendency - (f%learned + 3*f%physical)/4)), 0.0_dp, 1e-20_dp, '¼ learned + ¾ physical')
   end subroutine blend_is_linear

   !> r = 0 before start, (t − start)/length on the way, 1 after it, times the weight.
   subroutine ramp_is_linear_and_clamped(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      real(dp), parameter :: times(6) = [0, 3600, 4500, 5400, 7200, 90000]
      real(dp), parameter :: expected(6) = [0.0_dp, 0.0_dp, 0.2_dp, 0.4_dp, 0.8_dp, 0.8_dp]
      real(dp) :: weight
      integer :: i

      call subgrid_couple_variable(coupler, 't', weight=0.8_dp, ramp=subgrid_ramp(start=3600.0_dp, length=3600.0_dp))
      do i = 1, size(times)
         call subgrid_coupling_weight(coupler, 't', times(i), weight)
         call check_close(failure, weight, expected(i), 1e-15_dp, 'weight on the ramp')
      end do
      call subgrid_coupling_weight(coupler, 't', 3599.0_dp, weight)
      call check(failure, weight <= 0, 'nothing before the start')
   end subroutine ramp_is_linear_and_clamped

   !> Coupled for the first two of each five steps.
   subroutine ramp_cycles(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      real(dp) :: weight
      integer :: step

      call subgrid_couple_variable(coupler, 't', ramp=subgrid_ramp(on=2*time_step, off=3*time_step))
      do step = 0, 20
         call subgrid_coupling_weight(coupler, 't', step*time_step, weight)
         call check_close(failure, weight, merge(1.0_dp, 0.0_dp, mod(step, 5) < 2), 0.0_dp, 'weight in the cycle')
      end do
   end subroutine ramp_cycles

   !> One learned value beyond each end; the physical part is not cut.
   subroutine limiter_cuts_both_signs(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns), expected(levels, columns)

      f = new_fields()
      f%learned(1, 2) = 1
      f%learned(3, 2) = -1
      f%learned(4, 5) = -2
      f%physical(1, 2) = 3
      expected = (min(max(f%learned, -1e-3_dp), 1e-3_dp) + f%physical)/2
      tendency = f%physical
      call subgrid_couple_variable(coupler, 't', weight=0.5_dp, limit=1e-3_dp)
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, tendency, counts)
      call check_close(failure, maxval(abs(tendency - expected)), 0.0_dp, 1e-15_dp, 'cut, then blended')
      call check(failure, counts%limited == 2, 'two columns were limited')
   end subroutine limiter_cuts_both_signs

   subroutine not_finite_falls_back_by_column(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns), expected(levels, columns)

      f = new_fields()
      expected = f%learned
      expected(:, [2, 4]) = f%physical(:, [2, 4])
      f%learned(3, 2) = ieee_value(1.0_dp, ieee_quiet_nan)
      f%learned(1, 4) = ieee_value(1.0_dp, ieee_positive_inf)
      tendency = f%physical
      call subgrid_couple_variable(coupler, 't')
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, tendency, counts)
      call check(failure, same(tendency, expected), 'columns 2 and 4 are physical, the others learned')
      call check(failure, counts%fallen_back == 2 .and. counts%columns == columns, 'two of all columns fell back')
   end subroutine not_finite_falls_back_by_column

   subroutine out_of_range_falls_back_by_column(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns), expected(levels, columns)

      f = new_fields()
      expected = f%learned
      expected(:, [1, 3]) = f%physical(:, [1, 3])
      f%learned(levels, 1) = 0.02_dp
      f%learned(1, 3) = -0.01001_dp
      tendency = f%physical
      call subgrid_couple_variable(coupler, 't', lowest=-0.01_dp, highest=0.01_dp)
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, tendency, counts)
      call check(failure, same(tendency, expected), 'columns 1 and 3 are physical, the others learned')
      call check(failure, counts%fallen_back == 2, 'two columns fell back')
   end subroutine out_of_range_falls_back_by_column

   !> A column where one variable fails keeps the physical tendency of the other one too.
   subroutine screened_columns_fall_back_together(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns), expected(levels, columns), moisture(levels, columns)
      logical :: trusted(columns)

      f = new_fields()
      expected = f%learned
      expected(:, 3) = f%physical(:, 3)
      moisture = f%learned
      moisture(2, 3) = ieee_value(1.0_dp, ieee_quiet_nan)
      tendency = f%physical
      trusted = .true.
      call subgrid_couple_variable(coupler, 't')
      call subgrid_couple_variable(coupler, 'q')
      call subgrid_screen(coupler, 't', 0.0_dp, f%learned, trusted)
      call check(failure, all(trusted), 'nothing is wrong with t')
      call subgrid_screen(coupler, 'q', 0.0_dp, moisture, trusted)
      call check(failure, count(trusted) == columns - 1 .and. .not. trusted(3), 'q fails in column 3 alone')
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, f%learned, tendency, counts, trusted=trusted)
      call check(failure, same(tendency, expected), 't is physical in column 3')
      call check(failure, counts%fallen_back == 1, 'one column fell back')
   end subroutine screened_columns_fall_back_together

   !> Drying far beyond what is there, and a state that is negative already.
   subroutine water_stays_non_negative(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns)

      f = new_fields()
      f%learned(:, 2) = -1
      f%learned(:, 5) = 0
      f%state(3, 5) = -1
      tendency = f%physical
      call subgrid_couple_variable(coupler, 'q', weight=0.9_dp, non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, tendency, counts, state=f%state)
      call check(failure, all(f%state + time_step*tendency >= 0), 'the state after the step is negative')
      call check(failure, all(f%state(:, 2) + time_step*tendency(:, 2) <= 1e-15_dp*f%state(:, 2)), 'column 2 dries out, no more')
      call check_close(failure, tendency(1, 1), 0.9_dp*f%learned(1, 1) + 0.1_dp*f%physical(1, 1), 1e-20_dp, 'others are blended')
      call check(failure, counts%kept_positive == 2, 'two columns were kept positive')
   end subroutine water_stays_non_negative

   !> The host adds in single precision, over nine decades of water.
   subroutine single_precision_water(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer, parameter :: many = 2000
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      real(sp) :: water(1, many), learned(1, many), tendency(1, many)
      integer :: i

      water(1, :) = [(10.0_sp**(-9*real(i, sp)/many)/3, i=1, many)]
      learned = -1
      tendency = 0
      call subgrid_couple_variable(coupler, 'q', non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, learned, tendency, counts, state=water)
      call check(failure, all(water + real(time_step, sp)*tendency >= 0), 'negative water in single precision')
      call check(failure, all(water + real(time_step, sp)*tendency <= 1e-6_sp*water), 'more water left than rounding explains')
   end subroutine single_precision_water

   !> (level, column) and (column, level) give the same numbers.
   subroutine both_index_orders_agree(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts, turned_counts
      type(fields) :: f
      real(dp) :: tendency(levels, columns), turned(columns, levels)
      logical :: trusted(columns)

      f = new_fields()
      f%learned(2, 2) = ieee_value(1.0_dp, ieee_quiet_nan)
      f%learned(:, 3) = -1
      tendency = f%physical
      turned = transpose(f%physical)
      trusted = .true.
      trusted(columns) = .false.
      call subgrid_couple_variable(coupler, 'q', weight=0.7_dp, limit=0.5_dp, non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, tendency, counts, f%state, trusted)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, transpose(f%learned), turned, turned_counts, &
         transpose(f%state), trusted, level_dimension=2)
      call check(failure, same(transpose(turned), tendency), 'the order of the indices matters')
      call check(failure, counts%fallen_back == 2 .and. counts%limited == 1 .and. counts%kept_positive == 1, 'counts of this case')
      call check(failure, turned_counts%fallen_back == 2 .and. turned_counts%limited == 1, 'the same counts in the other order')
   end subroutine both_index_orders_agree

   !> Parts of larger arrays, and quantities without levels.
   subroutine slices_and_scalars(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: counts
      real(dp) :: learned(2*levels, columns), tendency(2*levels, columns), rain(columns)

      learned = 1
      tendency = 0
      call subgrid_couple_variable(coupler, 't', weight=0.5_dp)
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, learned(::2, :), tendency(::2, :), counts)
      call check_close(failure, sum(abs(tendency(::2, :) - 0.5_dp)) + sum(abs(tendency(2::2, :))), 0.0_dp, 0.0_dp, 'alternating')
      rain = 3
      learned(1, 2) = ieee_value(1.0_dp, ieee_quiet_nan)
      call subgrid_couple(coupler, 't', 0.0_dp, time_step, learned(1, :), rain, counts)
      call check_close(failure, rain(2), 3.0_dp, 0.0_dp, 'a scalar that falls back')
      call check_close(failure, rain(1), 2.0_dp, 0.0_dp, 'a scalar that is blended')
      call check(failure, counts%columns == 2*columns .and. counts%fallen_back == 1, 'each scalar is a column')
   end subroutine slices_and_scalars

   !> Sixty-four chunks in parallel, each with counters of its own, give what one call gives.
   subroutine threads_share_a_coupler(failure)
      character(len=:), allocatable, intent(out) :: failure
      integer, parameter :: chunks = 64
      type(subgrid_coupler) :: coupler
      type(subgrid_coupling_counts) :: once, each(chunks), total
      type(fields) :: f
      real(dp) :: expected(levels, columns), tendency(levels, columns, chunks)
      integer :: i

      f = new_fields()
      f%learned(1, 2) = ieee_value(1.0_dp, ieee_quiet_nan)
      expected = f%physical
      tendency = spread(f%physical, 3, chunks)
      call subgrid_couple_variable(coupler, 'q', weight=0.5_dp, limit=5e-7_dp, non_negative=.true.)
      call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, expected, once, state=f%state)
      !$omp parallel do
      do i = 1, chunks
         call subgrid_couple(coupler, 'q', 0.0_dp, time_step, f%learned, tendency(:, :, i), each(i), state=f%state)
      end do
      !$omp end parallel do
      do i = 1, chunks
         total = total + each(i)
         call check(failure, same(tendency(:, :, i), expected), 'a chunk differs from the serial result')
      end do
      call check(failure, total%calls == chunks .and. total%limited == chunks*once%limited .and. once%limited > 0, 'counts add up')
   end subroutine threads_share_a_coupler

   subroutine counters_add_and_reset(failure)
      character(len=:), allocatable, intent(out) :: failure
      type(subgrid_coupling_counts) :: a, b, c

      a = subgrid_coupling_counts(1, 2, 3, 4, 5)
      b = subgrid_coupling_counts(10, 20, 30, 40, 50)
      c = a + b
      call check(failure, c%calls == 11 .and. c%columns == 22 .and. c%limited == 33, 'sums of counts')
      call check(failure, c%kept_positive == 44 .and. c%fallen_back == 55, 'sums of counts')
      call subgrid_coupling_reset(c)
      call check(failure, max(c%calls, c%columns, c%limited, c%kept_positive, c%fallen_back) == 0, 'a reset leaves nothing')
   end subroutine counters_add_and_reset

   !> Equal bit for bit.
   pure logical function same(a, b)
      real(dp), intent(in) :: a(:, :), b(:, :)

      same = all(transfer(a, [0]) == transfer(b, [0]))
   end function same
end module test_coupling
