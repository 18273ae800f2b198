!> Compensating motion: how updraft, downdraft and the subsidence between them change the column (specification §3.10).
!>
!>    ω_k = ω_{k-1} + Δp_{k-1} (entrained - detrained)_{k-1}/m_{k-1},   m = Δp Δx²/g,
!> upstream in space, N explicit steps over the convective time scale such that |ω| δt <= 0.75 Δp. What a quantity gains over its
!> initial profile φ is transported, so that single precision keeps the digits of the gain. By continuity φ acts as the source
!>    detrained (φ_draft - φ)_k + flux from below (φ_{k-1} - φ_k) + flux from above (φ_{k+1} - φ_k).
module subgrid_mskf_transport_dp
   use subgrid_kinds, only: wp => dp
   use subgrid_mskf_constants_dp, only: gravity
   use subgrid_mskf_state_dp, only: closure_type, downdraft_type, environment_type, updraft_type
   implicit none (type, external)
   private
   public :: set_compensating_motion, transport_heat_and_moisture, transport_condensate

   integer, parameter :: most_substeps = 100000

contains

   !> ω at the layer bottoms and the number of sub-steps for fluxes times `closure%factor`.
   pure subroutine set_compensating_motion(env, up, down, closure)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(inout) :: closure
      real(wp) :: step, inflow
      integer :: k

      closure%omega(1) = 0.0_wp
      closure%from_below(1) = 0.0_wp
      closure%from_above(1) = 0.0_wp
      step = closure%time
      do k = 2, up%top
         inflow = up%entrained(k - 1) + down%entrained(k - 1) - up%detrained(k - 1) - down%detrained(k - 1)
         closure%omega(k) = closure%omega(k - 1) + env%dp(k - 1)*inflow*closure%factor/env%mass(k - 1)
         if (abs(closure%omega(k))*closure%time > 0.75_wp*env%dp(k - 1)) then
            step = min(step, 0.75_wp*env%dp(k - 1)/abs(closure%omega(k)))
         end if
         closure%from_below(k) = max(0.0_wp, -closure%omega(k))*env%area/gravity
         closure%from_above(k) = max(0.0_wp, closure%omega(k))*env%area/gravity
      end do
      closure%omega(up%top + 1:env%levels) = 0.0_wp
      closure%from_below(up%top + 1) = 0.0_wp
      closure%from_above(up%top + 1) = 0.0_wp
      closure%substeps = nint(min(closure%time/step + 1.0_wp, real(most_substeps, wp)))
   end subroutine set_compensating_motion

   !> θ and q from their initial profiles, with what the drafts take from and give to the environment.
   pure subroutine transport_heat_and_moisture(env, up, down, closure)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      type(downdraft_type), intent(in) :: down
      type(closure_type), intent(inout) :: closure

      associate (c => closure, n => up%top)
         call set_source(n, c%factor, up%detrained, down%detrained, c%from_below, c%from_above, c%theta0, c%theta_updraft, &
            down%theta, c%source)
         c%gain(:n) = 0.0_wp
         call advect(n, env%mass, c%time, c%substeps, c%from_below, c%from_above, c%source, c%gain)
         call set_source(n, c%factor, up%detrained, down%detrained, c%from_below, c%from_above, env%q, up%q_detrained, &
            down%q, c%source)
         c%q(:n) = 0.0_wp
         call advect(n, env%mass, c%time, c%substeps, c%from_below, c%from_above, c%source, c%q)
         c%q(:n) = env%q(:n) + c%q(:n)
      end associate
   end subroutine transport_heat_and_moisture

   !> What the drafts and the compensating motion do to the initial profile.
   pure subroutine set_source(n, factor, from_updraft, from_downdraft, from_below, from_above, initial, in_updraft, &
      in_downdraft, source)
      integer, intent(in) :: n
      real(wp), intent(in) :: factor                                       !< of the unit fluxes [1]
      real(wp), intent(in) :: from_updraft(:), from_downdraft(:)           !< detrained by the unit drafts [kg s-1]
      real(wp), intent(in) :: from_below(:), from_above(:)                 !< through the bottom of each layer [kg s-1]
      real(wp), intent(in) :: initial(:), in_updraft(:), in_downdraft(:)   !< [K] or [kg kg-1]
      real(wp), intent(out) :: source(n)                                   !< [kg s-1 times the unit of the quantity]
      integer :: k

      do k = 1, n
         source(k) = factor*(from_updraft(k)*(in_updraft(k) - initial(k)) &
            + from_downdraft(k)*(in_downdraft(k) - initial(k)))
      end do
      do k = 2, n
         source(k) = source(k) + from_below(k)*(initial(k - 1) - initial(k))
         source(k - 1) = source(k - 1) + from_above(k)*(initial(k) - initial(k - 1))
      end do
   end subroutine set_source

   !> Condensate that the updraft leaves in the environment; `feedback` is the share of the precipitation that stays.
   pure subroutine transport_condensate(env, up, feedback, closure)
      type(environment_type), intent(in) :: env
      type(updraft_type), intent(in) :: up
      real(wp), intent(in) :: feedback   !< [1]
      type(closure_type), intent(inout) :: closure

      associate (c => closure, n => up%top)
         c%source(:n) = c%factor*up%liquid_detrained(:n)
         call advect_from_zero(n, env%mass, c%time, c%substeps, c%from_below, c%from_above, c%source, c%liquid)
         c%source(:n) = c%factor*up%ice_detrained(:n)
         call advect_from_zero(n, env%mass, c%time, c%substeps, c%from_below, c%from_above, c%source, c%ice)
         c%source(:n) = c%factor*feedback*up%rain(:n)
         call advect_from_zero(n, env%mass, c%time, c%substeps, c%from_below, c%from_above, c%source, c%rain)
         c%source(:n) = c%factor*feedback*up%snow(:n)
         call advect_from_zero(n, env%mass, c%time, c%substeps, c%from_below, c%from_above, c%source, c%snow)
      end associate
   end subroutine transport_condensate

   !> Transport of a quantity that the environment has none of; no work where there is no source.
   pure subroutine advect_from_zero(n, mass, time, substeps, from_below, from_above, source, field)
      integer, intent(in) :: n, substeps
      real(wp), intent(in) :: mass(:), time                !< [kg], [s]
      real(wp), intent(in) :: from_below(:), from_above(:) !< [kg s-1]
      real(wp), intent(in) :: source(:)                    !< [kg s-1]
      real(wp), intent(inout) :: field(:)                  !< [kg kg-1]

      field = 0.0_wp
      if (maxval(abs(source(:n))) > 0.0_wp) call advect(n, mass, time, substeps, from_below, from_above, source, field)
   end subroutine advect_from_zero

   !> N upstream steps of dφ/dt = (flux from below - flux to above + source)/m; nothing passes the top.
   pure subroutine advect(n, mass, time, substeps, from_below, from_above, source, field)
      integer, intent(in) :: n, substeps
      real(wp), intent(in) :: mass(:), time                !< [kg], [s]
      real(wp), intent(in) :: from_below(:), from_above(:) !< [kg s-1]
      real(wp), intent(in) :: source(:)                    !< [kg s-1 times the unit of the field]
      real(wp), intent(inout) :: field(:)
      real(wp) :: face(n + 1), gain(n)
      integer :: i, k

      gain = time/real(substeps, wp)/mass(:n)
      face(1) = 0.0_wp
      face(n + 1) = 0.0_wp
      do i = 1, substeps
         do k = 2, n
            face(k) = from_below(k)*field(k - 1) - from_above(k)*field(k)
         end do
         do k = 1, n
            field(k) = field(k) + (face(k) - face(k + 1) + source(k))*gain(k)
         end do
      end do
   end subroutine advect
end module subgrid_mskf_transport_dp
