!> What the stages of the scheme hand to each other. One `workspace_type` per thread; its arrays (level 1 lowest) are
!> allocated once and hold the column in hand only, so that a result never depends on the column before.
module subgrid_mskf_state_dp
   use subgrid_kinds, only: wp => dp
   implicit none (type, external)
   private
   public :: environment_type, source_type, updraft_type, downdraft_type, closure_type, result_type, workspace_type
   public :: allocate_workspace

   !> The column as the scheme sees it.
   type :: environment_type
      integer :: levels = 0         !< mass levels
      integer :: mid_level = 0      !< L5: highest level with p >= p_1/2
      integer :: search_top = 0     !< LLFC: highest level that may be a source base
      integer :: freezing_level = 0 !< ML: highest level warmer than 273.16 K
      integer :: theta_e_levels = 0 !< levels whose theta_e has been computed
      logical :: clean = .true.     !< guards and consistent units; otherwise WRF's ways
      real(wp) :: dx = 0.0_wp, area = 0.0_wp      !< grid spacing [m], cell area [m2]
      real(wp) :: dt = 0.0_wp, cudt = 0.0_wp      !< time step [s], minutes between calls [min]
      real(wp) :: beta = 0.0_wp                   !< scale factor 1 + ln(25 km/dx) [1]
      real(wp) :: ust = 0.0_wp, hfx = 0.0_wp      !< friction velocity [m s-1], sensible heat flux [W m-2]
      real(wp) :: pblh = 0.0_wp, zol = 0.0_wp     !< boundary-layer height [m], z/L [1]
      real(wp), allocatable :: p(:), t(:), q(:)   !< [Pa], [K], clipped mixing ratio [kg kg-1]
      real(wp), allocatable :: log_p(:)           !< ln(1e5/p) [1]
      real(wp), allocatable :: rh(:), tv(:)       !< over water [1], virtual temperature [K]
      real(wp), allocatable :: theta_e(:)         !< [K], filled on demand from below
      real(wp), allocatable :: dp(:), z(:)        !< layer pressure depth [Pa], height of the mid-level [m]
      real(wp), allocatable :: dz(:)              !< z(k+1) - z(k) [m]
      real(wp), allocatable :: thickness(:)       !< layer thickness [m]
      real(wp), allocatable :: mass(:)            !< of air in the cell's layer [kg]
      real(wp), allocatable :: u(:), v(:), w(:)   !< winds; w is the running mean [m s-1]
   end type environment_type

   !> Source layer, its mixture, and the parcel at the lifting condensation level (LCL).
   type :: source_type
      integer :: base = 0, top = 0        !< LC, KPBL
      integer :: above = 0                !< KLCL: first mid-level at or above the LCL
      real(wp) :: depth = 0.0_wp          !< pressure depth [Pa]
      real(wp) :: t = 0.0_wp, q = 0.0_wp, p = 0.0_wp, z = 0.0_wp   !< mixture [K], [kg kg-1], [Pa], [m]
      real(wp) :: t_lcl = 0.0_wp, tv_lcl = 0.0_wp, z_lcl = 0.0_wp, p_lcl = 0.0_wp  !< parcel at the LCL
      real(wp) :: t_saturation = 0.0_wp   !< T_L in θ_e; WRF does not cap it where the mixture is supersaturated [K]
      real(wp) :: t_env = 0.0_wp, tv_env = 0.0_wp   !< environment at the LCL [K]
      real(wp) :: dt_trigger = 0.0_wp     !< temperature excess granted by w [K]
      real(wp) :: w_lcl = 0.0_wp          !< parcel speed at the LCL [m s-1]
      real(wp) :: theta_e = 0.0_wp        !< of the mixture [K]
      real(wp) :: flux = 0.0_wp           !< unit cloud-base mass flux M_b [kg s-1]
      real(wp) :: radius = 0.0_wp         !< entrainment length R [m]
   end type source_type

   !> Unit updraft. All fluxes are for the whole cell [kg s-1]; multiply by the closure's factor.
   type :: updraft_type
      integer :: top = 0, equilibrium = 0   !< LTOP, LET
      real(wp) :: cape = 0.0_wp             !< ABE of the diluted parcel [J kg-1]
      real(wp) :: depth = 0.0_wp            !< cloud depth [m]
      real(wp) :: least_depth = 0.0_wp      !< depth that makes a cloud deep [m]
      real(wp) :: precipitation = 0.0_wp    !< TRPPT: all that falls out [kg s-1]
      real(wp), allocatable :: flux(:), entrained(:), detrained(:)      !< [kg s-1]
      real(wp), allocatable :: t(:), q(:), q_detrained(:), theta_e(:)   !< [K], [kg kg-1], [kg kg-1], [K]
      real(wp), allocatable :: liquid(:), ice(:)                        !< carried condensate [kg kg-1]
      real(wp), allocatable :: tv(:), tv_loaded(:), w(:)                !< [K], [K], [m s-1]
      real(wp), allocatable :: dilution(:)                              !< flux after over before entrainment [1]
      real(wp), allocatable :: liquid_detrained(:), ice_detrained(:)    !< [kg s-1]
      real(wp), allocatable :: liquid_fallout(:), ice_fallout(:)        !< [kg kg-1]
      real(wp), allocatable :: rain(:), snow(:)                         !< precipitation source [kg s-1]
   end type updraft_type

   !> Unit downdraft: flux <= 0, entrainment and detrainment >= 0 [kg s-1].
   type :: downdraft_type
      integer :: top = 0, base = 0          !< LFS, LDB; absent if top = 0
      real(wp) :: evaporation = 0.0_wp      !< TDER [kg s-1]
      real(wp), allocatable :: flux(:), entrained(:), detrained(:)   !< [kg s-1]
      real(wp), allocatable :: t(:), q(:), q_saturated(:), theta(:), theta_e(:)   !< [K], [kg kg-1] twice, [K], [K]
   end type downdraft_type

   !> Closure, compensating motion and the adjusted profile.
   type :: closure_type
      integer :: passes = 0, substeps = 0
      integer :: cloud_base = 0             !< KLCL of the adjusted profile
      real(wp) :: z_lcl = 0.0_wp            !< LCL height of the adjusted profile [m]
      real(wp) :: factor = 0.0_wp           !< what multiplies the unit fluxes [1]
      real(wp) :: nominal_factor = 0.0_wp   !< AINC; in WRF's first pass not what multiplies the fluxes [1]
      real(wp) :: largest_factor = 0.0_wp   !< AINC_max [1]
      real(wp) :: time = 0.0_wp             !< TIMEC [s]
      real(wp) :: advective_time = 0.0_wp   !< [s]
      real(wp) :: subcloud_velocity = 0.0_wp  !< W_sb [m s-1]
      real(wp) :: cape_left = 0.0_wp        !< FABE: share of the CAPE that remains [1]
      real(wp), allocatable :: omega(:)     !< at the bottom of each layer [Pa s-1]
      real(wp), allocatable :: from_below(:), from_above(:)  !< donor fluxes through that face [kg s-1]
      real(wp), allocatable :: theta0(:), theta_updraft(:)   !< [K]
      real(wp), allocatable :: gain(:)      !< of the adjusted θ and then temperature over the initial one [K]
      real(wp), allocatable :: t(:), tv(:), q(:)   !< adjusted profile [K] twice, [kg kg-1]
      real(wp), allocatable :: liquid(:), ice(:), rain(:), snow(:)   !< left in the environment [kg kg-1]
      real(wp), allocatable :: theta_e(:), t_parcel(:), q_parcel(:)  !< parcel of the CAPE [K], [K], [kg kg-1]
      real(wp), allocatable :: step(:)                       !< scratch of its saturation [K]
      real(wp), allocatable :: source(:), face(:)            !< scratch of the transport [kg s-1 times the quantity]
   end type closure_type

   !> What the host receives.
   type :: result_type
      integer :: outcome = 0
      real(wp) :: pratec = 0.0_wp, nca = 0.0_wp, timec = 0.0_wp  !< [mm s-1], [s], [s]
      real(wp) :: cutop = 0.0_wp, cubot = 0.0_wp                 !< levels
      real(wp), allocatable :: rth(:), rqv(:), rqc(:), rqr(:), rqi(:), rqs(:)   !< [K s-1], [kg kg-1 s-1]
      real(wp), allocatable :: ru(:), rv(:)                      !< [m s-2]
      real(wp), allocatable :: fraction_deep(:), fraction_shallow(:)   !< cloud fraction [1]
      real(wp), allocatable :: qc(:), qi(:)                      !< condensate in the cloud [kg kg-1]
   end type result_type

   type :: workspace_type
      type(environment_type) :: env
      type(source_type) :: source
      type(updraft_type) :: up
      type(downdraft_type) :: down
      type(closure_type) :: closure
      type(result_type) :: result
   end type workspace_type

contains

   !> Allocate all arrays for columns of at most n levels.
   pure subroutine allocate_workspace(work, n)
      type(workspace_type), intent(out) :: work
      integer, intent(in) :: n   !< levels

      associate (e => work%env, u => work%up, d => work%down, c => work%closure, r => work%result)
         allocate (e%p(n), e%log_p(n), e%t(n), e%q(n), e%rh(n), e%tv(n), e%theta_e(n), e%dp(n), e%z(n), e%dz(n))
         allocate (e%thickness(n), e%mass(n), e%u(n), e%v(n), e%w(n))
         allocate (u%flux(n), u%entrained(n), u%detrained(n), u%t(n), u%q(n), u%q_detrained(n), u%theta_e(n))
         allocate (u%liquid(n), u%ice(n), u%tv(n), u%tv_loaded(n), u%w(n), u%dilution(n))
         allocate (u%liquid_detrained(n), u%ice_detrained(n), u%liquid_fallout(n), u%ice_fallout(n), u%rain(n), u%snow(n))
         allocate (d%flux(n), d%entrained(n), d%detrained(n), d%t(n), d%q(n), d%q_saturated(n), d%theta(n), d%theta_e(n))
         allocate (c%omega(n), c%from_below(n + 1), c%from_above(n + 1), c%theta0(n), c%theta_updraft(n))
         allocate (c%gain(n), c%t(n), c%tv(n), c%q(n), c%liquid(n), c%ice(n), c%rain(n), c%snow(n), c%source(n), c%face(n + 1))
         allocate (c%theta_e(n), c%t_parcel(n), c%q_parcel(n), c%step(n))
         allocate (r%rth(n), r%rqv(n), r%rqc(n), r%rqr(n), r%rqi(n), r%rqs(n), r%ru(n), r%rv(n))
         allocate (r%fraction_deep(n), r%fraction_shallow(n), r%qc(n), r%qi(n))
      end associate
   end subroutine allocate_workspace
end module subgrid_mskf_state_dp
