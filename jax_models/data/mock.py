"""Columns that look like ClimSim's but come from a few lines: for tests, examples and machines without data.

Profiles are smooth random departures from a reference atmosphere; targets follow from inputs by simple rules
(relaxation of temperature and vapour, rain from column condensation, sunlight dimmed by cloud), obey the
invariants of the real data exactly (NETSW identity, snow within precipitation, no negative water, liquid/ice
by temperature, silent top levels), and carry noise, so that there is something to learn and something not.
With the high-resolution histograms the marginal distribution of each level is the real one instead.
"""

from pathlib import Path

import numpy as np

from ...contracts.variables import FILL, LEVELS, SCALARS, STATE, STEP_S, WATER_DENSITY
from .columns import ColumnSet
from .derived import liquid_fraction
from .grid import Grid
from .sun import DAYS_BEFORE_MONTH, SOLAR_CONSTANT, cosine_zenith, coszrs_end

TOP_SILENT = 12


def mock_grid(ncol: int) -> Grid:
    """Evenly spread columns (a Fibonacci sphere) of equal area on 60 hybrid levels from 0.08 to 993 hPa."""
    turn = np.arange(ncol) + 0.5
    lat = np.rad2deg(np.arcsin(1 - 2 * turn / ncol))
    lon = np.mod(turn * 180 * (3 - np.sqrt(5)), 360)
    sigma = np.linspace(0, 1, LEVELS + 1)
    interface = 6.0 + (1e5 - 6.0) * sigma**3
    hybi = (np.maximum(sigma - 0.57, 0) / 0.43) ** 1.2
    hyai = interface / 1e5 - hybi
    middle = [0.5 * (a[1:] + a[:-1]) for a in (hyai, hybi)]
    return Grid(lat, lon, np.full(ncol, 4 * np.pi / ncol), *middle, hyai, hybi, 1e5)


def mock_columns(steps: int, *, ncol: int = 384, seed: int = 0, histograms: Path | None = None) -> ColumnSet:
    """`steps` × `ncol` columns with all V2 inputs and targets; consecutive 20-minute steps.

    histograms: climsim_highres_histograms.npz; gives inputs the real marginal distributions.
    """
    rng = np.random.default_rng(seed)
    grid = mock_grid(ncol)
    ymd, tod = _dates(steps)
    fields = _surface(rng, grid, ymd, tod)
    fields.update(_profiles(rng, grid, fields["state_ps"]))
    if histograms is not None:
        fields = _with_marginals(fields, Path(histograms))
    fields.update(_targets(rng, grid, fields, ymd, tod))
    return ColumnSet({n: np.asarray(f, np.float32) for n, f in fields.items()}, ymd, tod, grid)


def _dates(steps: int) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(steps) * int(STEP_S)
    day = DAYS_BEFORE_MONTH[1] + 1 + index // 86400
    month = np.searchsorted(DAYS_BEFORE_MONTH, day, side="left")
    return 80000 + month * 100 + day - DAYS_BEFORE_MONTH[month - 1], index % 86400


def _surface(rng, grid: Grid, ymd, tod) -> dict[str, np.ndarray]:
    shape = (ymd.size, grid.ncol)
    within = np.mean(
        [cosine_zenith(ymd, tod, grid.lat, grid.lon, offset_s=s) for s in (0, 600, 1200)], axis=0
    )
    warmth = np.cos(np.deg2rad(grid.lat)) ** 2
    land = (rng.uniform(size=grid.ncol) < 0.3).astype(float)
    ice = np.where((np.abs(grid.lat) > 65) & (land == 0), rng.uniform(0.2, 0.98, grid.ncol), 0.0)
    fields = {name: np.broadcast_to(0.0, shape) for name in SCALARS}
    albedo = np.clip(0.06 + 0.15 * land + 0.5 * ice, 0, 0.9)
    fields.update(
        {f"cam_in_{name}": np.broadcast_to(albedo, shape) for name in ("ALDIF", "ALDIR", "ASDIF", "ASDIR")}
    )
    fields.update(
        state_ps=98500 + 1500 * rng.normal(size=shape),
        pbuf_COSZRS=within,
        pbuf_SOLIN=SOLAR_CONSTANT * within,
        pbuf_LHFLX=80 * warmth * rng.gamma(2, 0.5, shape) + 60 * within * land,
        pbuf_SHFLX=15 * rng.gamma(2, 0.5, shape) + 100 * within * land,
        pbuf_TAUX=0.1 * rng.normal(size=shape),
        pbuf_TAUY=0.1 * rng.normal(size=shape),
        cam_in_LWUP=5.67e-8 * (245 + 55 * warmth + 4 * rng.normal(size=shape)) ** 4,
        cam_in_LANDFRAC=np.broadcast_to(land, shape),
        cam_in_ICEFRAC=np.broadcast_to(ice, shape),
        cam_in_OCNFRAC=np.broadcast_to(1 - land - ice, shape),
        cam_in_SNOWHICE=np.broadcast_to(np.where(ice > 0, 0.2, FILL), shape),
        cam_in_SNOWHLAND=np.broadcast_to(land * (np.abs(grid.lat) > 50) * 0.3, shape),
    )
    return fields


def _profiles(rng, grid: Grid, ps: np.ndarray) -> dict[str, np.ndarray]:
    pressure = grid.midpoint_pressure(ps)
    height = -7.5 * np.log(pressure / 1e5)  # km
    warmth = np.cos(np.deg2rad(grid.lat))[None, :, None] ** 2
    temperature = np.maximum(250 + 52 * warmth - 6.3 * height, 200 + 1.2 * np.maximum(height - 20, 0))
    temperature = temperature + 3 * _smooth(rng, pressure.shape)
    humidity = np.clip(0.7 * np.exp(-height / 6) + 0.25 * _smooth(rng, pressure.shape), 0.02, 1.1)
    saturation = 611.2 * np.exp(17.67 * (temperature - 273.16) / np.maximum(temperature - 29.66, 40.0))
    vapour = np.clip(humidity * 0.622 * saturation / pressure, 2e-6, 0.03)
    vapour = np.where(pressure < 1e4, 3e-6, vapour)
    cloud = 2e-4 * np.maximum(humidity - 0.8, 0) * (pressure > 1e4)
    fraction = liquid_fraction(temperature)
    profile = {
        "state_t": temperature, "state_q0001": vapour,
        "state_q0002": fraction * cloud, "state_q0003": (1 - fraction) * cloud,
        "pbuf_ozone": 8e-6 * np.exp(-(((height - 35) / 12) ** 2)) + 3e-8,
        "pbuf_CH4": np.full(pressure.shape, 1e-6), "pbuf_N2O": np.full(pressure.shape, 4.9e-7),
    }  # fmt: skip
    return profile | {n: 25 * _smooth(rng, pressure.shape) for n in ("state_u", "state_v")}


def _smooth(rng, shape: tuple[int, ...]) -> np.ndarray:
    """Unit-variance noise, correlated over some eight levels."""
    noise = rng.normal(size=(*shape[:-1], 9))
    knots, levels = np.linspace(0, 1, 9), np.linspace(0, 1, shape[-1])
    left = np.minimum((levels * 8).astype(int), 7)
    weight = (levels - knots[left]) * 8
    return noise[..., left] * (1 - weight) + noise[..., left + 1] * weight


def _with_marginals(fields: dict, path: Path) -> dict:
    """Give each level of each state variable its real marginal distribution, keeping the order of columns."""
    with np.load(path) as table:
        for name in STATE:
            edges, counts = table[f"mli_{name}__edges"], table[f"mli_{name}__counts"]
            values = fields[name].reshape(-1, LEVELS)
            rank = (values.argsort(axis=0).argsort(axis=0) + 0.5) / len(values)
            matched = [_quantile(edges[k], counts[k], rank[:, k]) for k in range(LEVELS)]
            fields[name] = np.stack(matched, axis=-1).reshape(fields[name].shape)
    return fields


def _quantile(edges: np.ndarray, counts: np.ndarray, rank: np.ndarray) -> np.ndarray:
    cumulative = np.concatenate([[0], np.cumsum(counts)]) / max(counts.sum(), 1)
    return np.interp(rank, cumulative, edges)


def _targets(rng, grid: Grid, x: dict, ymd, tod) -> dict[str, np.ndarray]:
    mass = grid.layer_mass(x["state_ps"])
    noise = 1 + 0.1 * rng.normal(size=x["state_t"].shape)
    below = np.arange(LEVELS) >= TOP_SILENT
    cloud = x["state_q0002"] + x["state_q0003"]
    vapour_loss = (
        np.maximum(x["state_q0001"] - 0.8 * x["state_q0001"].mean(axis=(0, 1)), 0) / 2e5 * noise * below
    )
    cloud_loss = np.minimum(0.3 * cloud * np.abs(noise), cloud) / STEP_S * below
    out = {"ptend_t": 2490 * vapour_loss - 1.5e-5 * noise, "ptend_q0001": -vapour_loss}
    after = x["state_t"] + STEP_S * out["ptend_t"]
    left, fraction = cloud - STEP_S * cloud_loss, liquid_fraction(after)
    out["ptend_q0002"] = (fraction * left - x["state_q0002"]) / STEP_S * below
    out["ptend_q0003"] = ((1 - fraction) * left - x["state_q0003"]) / STEP_S * below
    out |= {f"ptend_{w}": -x[f"state_{w}"] / 4e5 * noise * below for w in "uv"}
    water = sum((out[f"ptend_q000{i}"] * mass).sum(axis=-1) for i in (1, 2, 3))
    rain = np.maximum(-water, 0) / WATER_DENSITY
    out |= {"cam_out_PRECC": rain, "cam_out_PRECSC": rain * (1 - fraction[..., -1])}
    return out | _radiation(x, mass, cloud, coszrs_end(ymd, tod, grid.lat, grid.lon))


def _radiation(x: dict, mass, cloud, sun) -> dict[str, np.ndarray]:
    depth = (cloud * mass).sum(axis=-1)
    beam = SOLAR_CONSTANT * sun * np.exp(-2 * depth - 0.2)
    haze = SOLAR_CONSTANT * sun * 0.25 * (1 - np.exp(-2 * depth - 0.2))
    out = {"cam_out_SOLS": 0.48 * beam, "cam_out_SOLL": 0.52 * beam}
    out |= {"cam_out_SOLSD": 0.6 * haze, "cam_out_SOLLD": 0.4 * haze}
    albedo = {"SOLS": "ASDIR", "SOLSD": "ASDIF", "SOLL": "ALDIR", "SOLLD": "ALDIF"}
    net = sum(out[f"cam_out_{band}"] * (1 - x[f"cam_in_{name}"]) for band, name in albedo.items())
    emissivity = 0.7 + 0.25 * (1 - np.exp(-3 * depth))
    out |= {"cam_out_NETSW": net, "cam_out_FLWDS": emissivity * 5.67e-8 * x["state_t"][..., -1] ** 4}
    return out
