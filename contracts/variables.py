"""The one table of column variables: names, levels, units, order and normalisation.

Everything that knows a variable (readers, networks, exporters, scores, mock data, docs) asks here.
Names are those of the ClimSim files (Yu et al. 2023, arXiv 2306.08754). Levels run from the model top (0)
to the surface (59). Constants are E3SM's.
"""

from dataclasses import dataclass

from .errors import InputError

LEVELS = 60
COLUMNS_LOW_RES = 384
STEP_S = 1200.0  # s, host step = sampling step

GRAVITY = 9.80616  # m s-2
HEAT_CAPACITY = 1004.64  # J kg-1 K-1, dry air at constant pressure
LATENT_VAPORISATION = 2.501e6  # J kg-1
WATER_DENSITY = 1000.0  # kg m-3
GAS_DRY, GAS_VAPOUR = 287.0, 461.0  # J kg-1 K-1, as the relative humidity of the data set uses them
FILL = 1e30  # SNOWHICE where a cell holds no sea ice


@dataclass(frozen=True)
class Variable:
    """One row: what a quantity is, where it comes from and what it may be.

    `source` is `mli` or `mlo` (raw files), `tendency` (their difference over STEP_S), `derived` (from mli),
    `history` (from earlier steps) or `grid`. `rule` is the normalisation for online work (Hu et al. 2024):
    `centred` (x−mean)/(max−min), `range` x/(max−min), `deviation` x/std, `identity`, or `cloud` 1−exp(−λx).
    `peak` is the usual max |x| over one global step, by which a wrong unit is recognised (0: not judged).
    `energy` turns a target into W m⁻² after mass weighting; 0 means that the target has no such form.
    """

    name: str
    levels: int
    units: str
    long_name: str
    source: str
    minimum: float
    maximum: float
    peak: float
    rule: str = "centred"
    energy: float = 0.0

    @property
    def is_profile(self) -> bool:
        return self.levels > 1


def _rows(source: str, levels: int, rows: str, rule: str = "centred") -> list[Variable]:
    """Rows of `name | units | long name | min | max | peak [| rule]`."""
    table = []
    for line in rows.strip().splitlines():
        name, units, long_name, low, high, peak, *own = (cell.strip() for cell in line.split("|"))
        table.append(
            Variable(
                name, levels, units, long_name, source, float(low), float(high), float(peak), *(own or [rule])
            )
        )
    return table


_PROFILES = """
state_t     | K       | air temperature                | 120  | 360  | 309
state_q0001 | kg/kg   | water vapour                   | 0    | 0.08 | 0.0195
state_q0002 | kg/kg   | cloud liquid                   | 0    | 0.02 | 3.5e-4  | cloud
state_q0003 | kg/kg   | cloud ice                      | 0    | 0.02 | 2.8e-4  | cloud
state_u     | m/s     | zonal wind                     | -400 | 400  | 110
state_v     | m/s     | meridional wind                | -400 | 400  | 80
pbuf_ozone  | mol/mol | ozone                          | 0    | 1e-4 | 1.76e-5
pbuf_CH4    | mol/mol | methane                        | 0    | 1e-5 | 1e-6
pbuf_N2O    | mol/mol | nitrous oxide                  | 0    | 1e-5 | 4.9e-7
"""
_SURFACE = """
state_ps         | Pa   | surface pressure                    | 3e4   | 1.2e5 | 1.03e5
pbuf_SOLIN       | W/m2 | insolation at the top, mean of step | 0     | 1500  | 1360  | range
pbuf_LHFLX       | W/m2 | surface latent heat flux            | -1000 | 3000  | 418   | range
pbuf_SHFLX       | W/m2 | surface sensible heat flux          | -1000 | 3000  | 381   | range
pbuf_TAUX        | N/m2 | zonal surface stress                | -30   | 30    | 0.47
pbuf_TAUY        | N/m2 | meridional surface stress           | -30   | 30    | 0.4
pbuf_COSZRS      | 1    | cosine of zenith angle, mean of step| 0     | 1.001 | 1
cam_in_ALDIF     | 1    | near-infrared albedo, diffuse       | 0     | 1.001 | 1
cam_in_ALDIR     | 1    | near-infrared albedo, direct        | 0     | 1.001 | 1
cam_in_ASDIF     | 1    | visible albedo, diffuse             | 0     | 1.001 | 1
cam_in_ASDIR     | 1    | visible albedo, direct              | 0     | 1.001 | 1
cam_in_LWUP      | W/m2 | upward longwave at the surface      | 20    | 1500  | 582
cam_in_ICEFRAC   | 1    | sea-ice fraction                    | 0     | 1.001 | 0.97  | identity
cam_in_LANDFRAC  | 1    | land fraction                       | 0     | 1.001 | 1     | identity
cam_in_OCNFRAC   | 1    | open-ocean fraction                 | 0     | 1.001 | 1     | identity
cam_in_SNOWHICE  | m    | snow on sea ice (1e30: no ice)      | 0     | 1e30  | 0
cam_in_SNOWHLAND | m    | snow on land, liquid equivalent     | 0     | 100   | 1
"""
_TENDENCIES = (
    ("ptend_t", "K/s", "temperature tendency", 0.01, 6.8e-4, HEAT_CAPACITY),
    ("ptend_q0001", "kg/kg/s", "vapour tendency", 1e-5, 4.9e-7, LATENT_VAPORISATION),
    ("ptend_q0002", "kg/kg/s", "cloud liquid tendency", 1e-5, 1e-7, LATENT_VAPORISATION),
    ("ptend_q0003", "kg/kg/s", "cloud ice tendency", 1e-5, 1.4e-7, LATENT_VAPORISATION),
    ("ptend_qn", "kg/kg/s", "cloud condensate tendency", 1e-5, 1.8e-7, LATENT_VAPORISATION),
    ("ptend_u", "m/s2", "zonal wind tendency", 0.02, 4.6e-4, 0.0),
    ("ptend_v", "m/s2", "meridional wind tendency", 0.02, 3.5e-4, 0.0),
)
_PRECIPITATION = LATENT_VAPORISATION * WATER_DENSITY  # J m-3
_SURFACE_OUT = (
    ("cam_out_NETSW", "W/m2", "net shortwave at the surface", 1500, 968, 1.0),
    ("cam_out_FLWDS", "W/m2", "downward longwave at the surface", 900, 455, 1.0),
    ("cam_out_PRECSC", "m/s", "snowfall, liquid equivalent", 1e-4, 6.2e-8, _PRECIPITATION),
    ("cam_out_PRECC", "m/s", "total precipitation (rain and snow)", 1e-4, 7.3e-7, _PRECIPITATION),
    ("cam_out_SOLS", "W/m2", "visible direct at the surface", 1500, 463, 1.0),
    ("cam_out_SOLL", "W/m2", "near-infrared direct at the surface", 1500, 485, 1.0),
    ("cam_out_SOLSD", "W/m2", "visible diffuse at the surface", 1500, 234, 1.0),
    ("cam_out_SOLLD", "W/m2", "near-infrared diffuse at the surface", 1500, 165, 1.0),
)  # fmt: skip
_DERIVED = """
state_rh      | 1     | relative humidity              | 0 | 100  | 0 | identity
state_qn      | kg/kg | cloud condensate               | 0 | 0.04 | 0 | cloud
liq_partition | 1     | liquid fraction of condensate  | 0 | 1    | 0 | identity
"""
# Names without `tm_` belong to the step before, those with it to the one before that.
_DYNAMICS = """
state_t_dyn  | K/s     | temperature tendency of the dynamics | -1    | 1    | 0
state_q0_dyn | kg/kg/s | total-water tendency of the dynamics | -1e-3 | 1e-3 | 0
state_u_dyn  | m/s2    | zonal wind tendency of the dynamics  | -1    | 1    | 0
"""
_PHYSICS = """
state_t_prvphy     | K/s     | temperature tendency of the physics  | -1    | 1    | 0
state_q0001_prvphy | kg/kg/s | vapour tendency of the physics       | -1e-3 | 1e-3 | 0
state_q0002_prvphy | kg/kg/s | cloud liquid tendency of the physics | -1e-3 | 1e-3 | 0
state_q0003_prvphy | kg/kg/s | cloud ice tendency of the physics    | -1e-3 | 1e-3 | 0
state_qn_prvphy    | kg/kg/s | condensate tendency of the physics   | -1e-3 | 1e-3 | 0
state_u_prvphy     | m/s2    | zonal wind tendency of the physics   | -1    | 1    | 0
"""
_PLACE = """
clat       | 1 | cosine of latitude                                   | 0  | 1    | 0 | identity
slat       | 1 | sine of latitude                                     | -1 | 1    | 0 | identity
icol       | 1 | column number from 1                                 | 1  | 1e7  | 0 | identity
coszrs_end | 1 | cosine of zenith angle at the end of the step, ≥ 0   | 0  | 1.001| 0 | identity
"""


def _earlier(variables: list[Variable]) -> list[Variable]:
    return [
        Variable(
            f"tm_{v.name}", v.levels, v.units, f"{v.long_name}, one step earlier", "history",
            v.minimum, v.maximum, v.peak, v.rule,
        )
        for v in variables
    ]  # fmt: skip


def _table() -> dict[str, Variable]:
    profiles, surface = _rows("mli", LEVELS, _PROFILES), _rows("mli", 1, _SURFACE)
    history = [
        *_rows("history", LEVELS, _DYNAMICS, "range"),
        *_rows("history", LEVELS, _PHYSICS, "deviation"),
    ]
    before = [v for v in surface if v.name.split("_")[1] in ("ps", "SOLIN", "LHFLX", "SHFLX", "COSZRS")]
    rows = [
        *profiles,
        *surface,
        *(
            Variable(n, LEVELS, u, text, "tendency", -m, m, p, "deviation", e)
            for n, u, text, m, p, e in _TENDENCIES
        ),
        *(Variable(n, 1, u, text, "mlo", 0.0, m, p, "deviation", e) for n, u, text, m, p, e in _SURFACE_OUT),
        *_rows("derived", LEVELS, _DERIVED),
        *history,
        *_earlier(history),
        *_earlier(before),
        *_rows("grid", 1, _PLACE),
    ]
    return {row.name: row for row in rows}


VARIABLES: dict[str, Variable] = _table()

STATE = ("state_t", "state_q0001", "state_q0002", "state_q0003", "state_u", "state_v")
GASES = ("pbuf_ozone", "pbuf_CH4", "pbuf_N2O")
SCALARS = tuple(v.name for v in VARIABLES.values() if v.source == "mli" and not v.is_profile)
SURFACE_OUT = tuple(row[0] for row in _SURFACE_OUT)
TENDENCIES = tuple(name.replace("state", "ptend") for name in STATE)
RAW_INPUTS = (*STATE, *SCALARS, *GASES)
RAW_TARGETS = (*TENDENCIES, *SURFACE_OUT)
V1_TARGETS = ("ptend_t", "ptend_q0001", *SURFACE_OUT)
SHORTWAVE = ("cam_out_NETSW", "cam_out_SOLS", "cam_out_SOLL", "cam_out_SOLSD", "cam_out_SOLLD")


def variable(name: str) -> Variable:
    """The row of `name`. Raises InputError with the nearest known names."""
    if name not in VARIABLES:
        from difflib import get_close_matches

        near = ", ".join(get_close_matches(name, VARIABLES, 3, 0.5)) or "none is near"
        raise InputError(f"Unknown variable {name!r} (near: {near}); the table is contracts/variables.py.")
    return VARIABLES[name]
