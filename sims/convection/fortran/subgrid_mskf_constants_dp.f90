!> Physical constants and tuning numbers of the multi-scale Kain-Fritsch scheme (docs/physics/mskf.md, "Constants").
module subgrid_mskf_constants_dp
   use subgrid_kinds, only: wp => dp
   implicit none (type, external)
   public

   real(wp), parameter :: gravity = 9.81_wp          !< [m s-2]
   real(wp), parameter :: gas_constant = 287.0_wp    !< of dry air [J kg-1 K-1]
   real(wp), parameter :: heat_capacity = 1004.5_wp  !< of dry air at constant pressure [J kg-1 K-1]
   real(wp), parameter :: reference_pressure = 1.0e5_wp  !< [Pa]
   real(wp), parameter :: dry_lapse_rate = gravity/heat_capacity  !< [K m-1]
   real(wp), parameter :: freezing_point = 273.16_wp     !< T00 [K]
   real(wp), parameter :: freezing_starts = 268.16_wp    !< condensate begins to freeze [K]
   real(wp), parameter :: freezing_ends = 248.16_wp      !< all condensate is ice [K]
   real(wp), parameter :: latent_heat_fusion = 3.339e5_wp  !< [J kg-1]
   real(wp), parameter :: vapour_ratio = 0.622_wp    !< molecular weight of water over that of dry air [1]
   real(wp), parameter :: virtual_factor = 0.608_wp  !< [1]

   real(wp), parameter :: source_depth = 5.0e3_wp    !< least pressure depth of a source layer [Pa]
   real(wp), parameter :: search_step = 1.5e3_wp     !< pressure between candidate source bases [Pa]
   real(wp), parameter :: search_depth = 3.0e4_wp    !< candidates lie within this of the lowest level [Pa]
   real(wp), parameter :: updraft_area = 0.01_wp     !< fraction of the cell that the unit updraft covers [1]
   real(wp), parameter :: fallout_rate = 0.03_wp     !< condensate to precipitation [s-1]
   real(wp), parameter :: tokioka = 0.03_wp          !< Tokioka parameter of the entrainment rate [m Pa-1]
   real(wp), parameter :: least_flux = 10.0_wp       !< updraft mass flux below which it ends [kg s-1]
   real(wp), parameter :: stability = 0.95_wp        !< share of the CAPE to be removed [1]
   real(wp), parameter :: shallow_tke = 5.0_wp       !< turbulent kinetic energy that drives shallow cloud [m2 s-2]
   real(wp), parameter :: longest_time = 86400.0_wp  !< cap on the convective time scale [s]
   real(wp), parameter :: coarse_grid = 25.0e3_wp    !< grid spacing beyond which nothing is scale aware [m]

   integer, parameter :: outcome_deep = 1, outcome_shallow = 2, outcome_held = 0
   integer, parameter :: outcome_no_trigger = -1     !< no source layer triggers
   integer, parameter :: outcome_thin_source = -2    !< no source layer of 50 hPa can be built
   integer, parameter :: outcome_high_lcl = -3       !< lifting condensation level above the model top
   integer, parameter :: outcome_cape_grows = -4     !< closure rejected: convection would raise the CAPE
   integer, parameter :: outcome_weak = -5           !< closure rejected: mass flux factor below 0.05
   integer, parameter :: outcome_refused = -100      !< bad input; see the column's status
end module subgrid_mskf_constants_dp
