"""Every array of the convection scheme once, in the order of the Fortran entries `subgrid_mskf_columns_*`."""

from typing import NamedTuple


class Variable(NamedTuple):
    """One array of the scheme, under the name that WRF's reference columns use."""

    name: str
    units: str
    long_name: str


PROFILES = (
    Variable("t", "K", "temperature"),
    Variable("qv", "kg kg-1", "water vapour mixing ratio"),
    Variable("p", "Pa", "pressure at mass levels"),
    Variable("pi", "1", "Exner function"),
    Variable("rho", "kg m-3", "density of moist air; rho*g*dz8w is the layer's pressure depth"),
    Variable("dz8w", "m", "layer thickness"),
    Variable("u", "m s-1", "zonal wind"),
    Variable("v", "m s-1", "meridional wind"),
)
INTERFACES = (Variable("w", "m s-1", "vertical velocity at layer interfaces"),)
SCALARS = (
    Variable("dx", "m", "grid spacing"),
    Variable("dt", "s", "model time step"),
    Variable("cudt", "min", "time between calls of the scheme"),
    Variable("ust", "m s-1", "friction velocity"),
    Variable("hfx", "W m-2", "surface sensible heat flux"),
    Variable("pblh", "m", "boundary-layer height"),
    Variable("zol", "1", "z/L"),
)
INTEGERS = (
    Variable("nlev", "1", "number of mass levels"),
    Variable("stepcu", "1", "time steps between calls; sets the memory of w0avg"),
    Variable("warm_rain", "1", "1: the microphysics has no ice"),
    Variable("f_qr", "1", "1: the microphysics carries rain"),
    Variable("f_qi", "1", "1: the microphysics carries cloud ice"),
    Variable("f_qs", "1", "1: the microphysics carries snow"),
    Variable("adapt_step_flag", "1", "1: adaptive time step"),
)
# In and out: a column held by NCA keeps them all, except w0avg.
STATE_PROFILES = (
    Variable("rthcuten", "K s-1", "potential temperature tendency"),
    Variable("rqvcuten", "kg kg-1 s-1", "vapour tendency"),
    Variable("rqccuten", "kg kg-1 s-1", "cloud water tendency"),
    Variable("rqrcuten", "kg kg-1 s-1", "rain tendency"),
    Variable("rqicuten", "kg kg-1 s-1", "cloud ice tendency"),
    Variable("rqscuten", "kg kg-1 s-1", "snow tendency"),
    Variable("rucuten", "m s-2", "zonal wind tendency"),
    Variable("rvcuten", "m s-2", "meridional wind tendency"),
    Variable("cldfra_dp", "1", "deep convective cloud fraction"),
    Variable("cldfra_sh", "1", "shallow convective cloud fraction"),
    Variable("qc_kf", "kg kg-1", "liquid water in the convective cloud"),
    Variable("qi_kf", "kg kg-1", "ice in the convective cloud"),
    Variable("w0avg", "m s-1", "running mean of vertical velocity at mass levels"),
)
STATE_SCALARS = (
    Variable("raincv", "mm", "convective rain of one time step"),
    Variable("pratec", "mm s-1", "convective rain rate"),
    Variable("nca", "s", "time for which the tendencies stay in force"),
    Variable("cutop", "1", "level of cloud top, lowest level 1; 1 without convection"),
    Variable("cubot", "1", "level of cloud base; nlev + 1 without convection"),
    Variable("timec_kf", "s", "convective time scale; 0 without convection"),
)
CODES = (
    Variable(
        "exit_code",
        "1",
        "1 deep, 2 shallow, 0 held by NCA, -1 no source layer triggers, -2 source layer thinner than 50 hPa, "
        "-3 condensation level above the top, -4 convection would raise the CAPE, -5 mass flux too small, "
        "-100 refused",
    ),
    Variable("status", "1", "0: fit for the scheme; else the reason why the column was refused"),
)
INPUTS = PROFILES + INTERFACES + SCALARS + INTEGERS
STATE = STATE_PROFILES + STATE_SCALARS
OPTIONAL_INTEGERS = {"stepcu": 1, "warm_rain": 0, "f_qr": 1, "f_qi": 1, "f_qs": 1, "adapt_step_flag": 0}
"""Default of each integer input that a caller may leave out; `nlev` defaults to all levels."""
