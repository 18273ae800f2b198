!> How a learned tendency enters a host: one rule for each variable, its weight in time, and the counters.
!>
!> All of it lies in variables of the host: a coupler is only read while it is used, so threads may share it; each thread counts in
!> counters of its own, which add up with `+`.
module subgrid_coupling_rules
   use subgrid_errors, only: conclude, report, status_name, status_ok, status_value
   use subgrid_kinds, only: dp, i8
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   implicit none (type, external)
   private
   public :: subgrid_coupler, subgrid_coupling_counts, subgrid_ramp, coupling_rule
   public :: subgrid_couple_variable, subgrid_coupling_reset, find_rule, weight_at, operator(+)

   !> Share of the final weight at time t, s, linear and then constant; off in part of each cycle if `off` is positive:
   !>
   !>     r(t) = 0 for t < start, min(1, (t − start)/length) after it; 0 where mod(t − start, on + off) ≥ on
   type :: subgrid_ramp
      real(dp) :: start = 0    !< before it the physical scheme is alone (spin-up), s
      real(dp) :: length = 0   !< from nothing to the full weight, s; 0: at once
      real(dp) :: on = 0       !< coupled part of each cycle, s
      real(dp) :: off = 0      !< uncoupled part of each cycle, s; 0: coupled always
   end type subgrid_ramp

   type :: coupling_rule
      character(len=:), allocatable :: name
      real(dp) :: weight = 1               !< of the learned tendency after the ramp, 1
      type(subgrid_ramp) :: ramp
      real(dp) :: limit = huge(1.0_dp)     !< on |learned tendency|, units of the tendency
      real(dp) :: lowest = -huge(1.0_dp)   !< a learned tendency below it is not believed, units of the tendency
      real(dp) :: highest = huge(1.0_dp)   !< nor one above it, units of the tendency
      logical :: non_negative = .false.    !< the state after the step must not be negative
   end type coupling_rule

   type :: subgrid_coupler
      private
      type(coupling_rule), allocatable :: rules(:)
   end type subgrid_coupler

   !> What happened since the last reset; columns are counted once for each variable and call.
   type :: subgrid_coupling_counts
      integer(i8) :: calls = 0         !< of subgrid_couple
      integer(i8) :: columns = 0       !< that came in with a weight above 0
      integer(i8) :: limited = 0       !< columns with a learned tendency beyond the limit
      integer(i8) :: kept_positive = 0 !< columns whose state would have become negative
      integer(i8) :: fallen_back = 0   !< columns that took the physical tendency
   end type subgrid_coupling_counts

   interface operator(+)
      module procedure sum_of_counts
   end interface operator(+)

contains

   !> Give the coupler the rule of one variable; a name that it has already is refused.
   subroutine subgrid_couple_variable(coupler, name, weight, ramp, limit, lowest, highest, non_negative, stat, errmsg)
      type(subgrid_coupler), intent(inout) :: coupler
      character(len=*), intent(in) :: name
      real(dp), intent(in), optional :: weight        !< final weight of the learned tendency, 0 … 1, 1; absent: 1
      type(subgrid_ramp), intent(in), optional :: ramp !< absent: the full weight at all times
      real(dp), intent(in), optional :: limit         !< |learned tendency| is cut to it, units of the tendency
      real(dp), intent(in), optional :: lowest        !< a column with a learned tendency below it falls back, units of the tendency
      real(dp), intent(in), optional :: highest       !< the same above, units of the tendency
      logical, intent(in), optional :: non_negative   !< for water: state + step·tendency ≥ 0
      integer, intent(out), optional :: stat
      character(len=:), allocatable, intent(inout), optional :: errmsg
      character(len=:), allocatable :: message
      type(coupling_rule) :: rule
      integer :: code

      rule%name = trim(name)
      if (present(weight)) rule%weight = weight
      if (present(ramp)) rule%ramp = ramp
      if (present(limit)) rule%limit = limit
      if (present(lowest)) rule%lowest = lowest
      if (present(highest)) rule%highest = highest
      if (present(non_negative)) rule%non_negative = non_negative

      if (.not. allocated(coupler%rules)) allocate (coupler%rules(0))
      call check_rule(rule, code, message)
      if (code == status_ok .and. index_of(coupler, rule%name) > 0) then
         call report(code, message, status_name, 'subgrid_couple_variable: "'//rule%name//'" has a rule already; give a new name')
      end if
      if (code == status_ok) coupler%rules = [coupler%rules, rule]
      if (present(errmsg) .and. allocated(message)) errmsg = message
      call conclude(code, message, stat)
   end subroutine subgrid_couple_variable

   !> Everything in a rule that no host can mean.
   subroutine check_rule(rule, code, message)
      type(coupling_rule), intent(in) :: rule
      integer, intent(out) :: code
      character(len=:), allocatable, intent(inout) :: message
      character(len=:), allocatable :: wrong

      code = status_ok
      if (rule%name == '') then
         wrong = 'the name is empty; expected the name of a variable'
      else if (.not. all(ieee_is_finite([rule%weight, rule%limit, rule%lowest, rule%highest]))) then
         wrong = 'weight, limit, lowest or highest is not a finite number; leave out what is not wanted'
      else if (.not. all(ieee_is_finite([rule%ramp%start, rule%ramp%length, rule%ramp%on, rule%ramp%off]))) then
         wrong = 'a time of the ramp is not a finite number of seconds'
      else if (rule%weight < 0 .or. rule%weight > 1) then
         wrong = 'weight is '//text_of(rule%weight)//'; expected 0 … 1'
      else if (rule%limit <= 0) then
         wrong = 'limit is '//text_of(rule%limit)//'; expected a positive tendency'
      else if (rule%lowest >= rule%highest) then
         wrong = 'lowest, '//text_of(rule%lowest)//', is not below highest, '//text_of(rule%highest)
      else if (min(rule%ramp%length, rule%ramp%on, rule%ramp%off) < 0) then
         wrong = 'length, on or off of the ramp is negative; expected seconds ≥ 0'
      end if
      if (allocated(wrong)) call report(code, message, status_value, 'subgrid_couple_variable("'//rule%name//'"): '//wrong)
   end subroutine check_rule

   !> The rule of a variable, or status_name.
   subroutine find_rule(coupler, name, rule, code, message)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name
      type(coupling_rule), intent(out) :: rule
      integer, intent(out) :: code
      character(len=:), allocatable, intent(inout) :: message
      integer :: i

      code = status_ok
      i = 0
      if (allocated(coupler%rules)) i = index_of(coupler, trim(name))
      if (i > 0) then
         rule = coupler%rules(i)
      else
         call report(code, message, status_name, 'the coupler has no rule for "'//trim(name)// &
            '"; give it one with subgrid_couple_variable')
      end if
   end subroutine find_rule

   !> Position of a name among the rules; 0 if it is not there.
   pure integer function index_of(coupler, name)
      type(subgrid_coupler), intent(in) :: coupler
      character(len=*), intent(in) :: name

      do index_of = size(coupler%rules), 1, -1
         if (coupler%rules(index_of)%name == name) exit
      end do
   end function index_of

   !> Weight of the learned tendency at one time, 1.
   pure real(dp) function weight_at(rule, time)
      type(coupling_rule), intent(in) :: rule
      real(dp), intent(in) :: time  !< s, on the clock of ramp%start
      real(dp) :: since

      since = time - rule%ramp%start
      weight_at = 0
      if (since < 0) return
      if (rule%ramp%off > 0) then
         if (modulo(since, rule%ramp%on + rule%ramp%off) >= rule%ramp%on) return
      end if
      weight_at = rule%weight
      if (since < rule%ramp%length) weight_at = rule%weight*(since/rule%ramp%length)
   end function weight_at

   !> Start counting from nothing.
   pure subroutine subgrid_coupling_reset(counts)
      type(subgrid_coupling_counts), intent(out) :: counts

      counts = subgrid_coupling_counts()
   end subroutine subgrid_coupling_reset

   pure type(subgrid_coupling_counts) function sum_of_counts(a, b) result(total)
      type(subgrid_coupling_counts), intent(in) :: a, b

      total = subgrid_coupling_counts(a%calls + b%calls, a%columns + b%columns, a%limited + b%limited, &
         a%kept_positive + b%kept_positive, a%fallen_back + b%fallen_back)
   end function sum_of_counts

   function text_of(value) result(text)
      real(dp), intent(in) :: value
      character(len=:), allocatable :: text
      character(len=24) :: buffer

      write (buffer, '(g0.6)') value
      text = trim(buffer)
   end function text_of
end module subgrid_coupling_rules
