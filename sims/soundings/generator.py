"""Labelled columns, reproducible from (seed, number of the batch) whatever the number of processes.

Part of every batch lies near a decision of the scheme: for pairs of columns with different outcomes the
mixture (1 - a) A + a B of their profiles is halved BISECTIONS times towards the a where the outcome changes.
"""

import numpy as np

from ..convection.mskf import convect
from .column import MOST_LEVELS, complete, draw_grid, pseudo_height
from .families import FAMILIES
from .forcing import draw_forcing

BATCH = 2048  # columns a batch
NEAR_SHARE = 0.25  # of a batch that lies near a decision
BISECTIONS = 6
BLENDED = ("t", "qv", "w", "w0avg", "u", "v", "hfx", "ust", "pblh", "zol")


def labelled_batch(seed: int, number: int, count: int = BATCH, *, mode: str = "clean") -> tuple[dict, dict]:
    """Inputs and the scheme's answer for batch `number` of the set that `seed` stands for.

    Inputs are rounded to single precision, as they are stored; the answer is computed in double precision.
    Columns that the scheme refuses do not occur by construction.
    """
    columns = draw_batch(np.random.default_rng([seed, number]), count)
    columns = approach_decisions(columns, mode)
    return columns, convect(columns, mode=mode, threads=1)


def draw_batch(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Unlabelled columns, all families alike, and `family` (index into FAMILIES)."""
    levels, interfaces = draw_grid(rng, count)
    z = pseudo_height(0.5 * (interfaces[:, :-1] + interfaces[:, 1:]), interfaces[:, :1])
    family = rng.integers(0, len(FAMILIES), count)
    drawn = [draw_family(rng, z) for draw_family in FAMILIES.values()]
    rows = np.arange(count)
    temperature = np.stack([thermal.temperature for thermal in drawn])[family, rows]
    humidity = np.stack([thermal.humidity for thermal in drawn])[family, rows]
    columns = complete(levels, interfaces, type(drawn[0])(temperature, humidity))
    warm = family != list(FAMILIES).index("stable")
    columns |= draw_forcing(rng, z, warm & (rng.random(count) > 0.15))
    return stored(columns) | {"family": family.astype(np.int32)}


def stored(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rounded to single precision; levels above `nlev` are zero."""
    used = np.arange(MOST_LEVELS + 1) <= columns["nlev"][:, None]
    rounded = {}
    for name, values in columns.items():
        values = values.astype(np.float32).astype(float) if values.dtype.kind == "f" else values
        if values.ndim == 2:
            shift = values.shape[1] - MOST_LEVELS
            values = np.where(used[:, 1 - shift : values.shape[1] + 1 - shift], values, 0.0)
        rounded[name] = values
    return rounded


def approach_decisions(columns: dict[str, np.ndarray], mode: str) -> dict[str, np.ndarray]:
    """Replace the last NEAR_SHARE of the columns by ones near a change of outcome, where partners exist."""
    count = columns["t"].shape[0]
    near = np.arange(count - int(NEAR_SHARE * count), count)
    outcome = convect(columns, mode=mode, threads=1)["exit_code"]
    partner = find_partners(columns, outcome, near)
    near, partner = near[partner >= 0], partner[partner >= 0]
    if near.size == 0:
        return columns
    low, high = np.zeros(near.size), np.ones(near.size)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        same = (
            convect(blend(columns, near, partner, middle), mode=mode, threads=1)["exit_code"] == outcome[near]
        )
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    mixed = blend(columns, near, partner, np.where(np.arange(near.size) % 2 == 0, low, high))
    result = {name: values.copy() for name, values in columns.items()}
    for name, values in mixed.items():
        result[name][near] = values
    return result


def find_partners(columns: dict[str, np.ndarray], outcome: np.ndarray, near: np.ndarray) -> np.ndarray:
    """For each column in `near` an earlier one of the same vertical grid and another outcome; -1 if none."""
    partner = np.full(near.size, -1)
    far = np.arange(near[0]) if near.size else np.arange(0)
    for i, column in enumerate(near):
        fits = far[(columns["nlev"][far] == columns["nlev"][column]) & (outcome[far] != outcome[column])]
        if fits.size:
            partner[i] = fits[column % fits.size]
    return partner


def blend(columns: dict, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> dict[str, np.ndarray]:
    """Columns `first` with `share` of the profiles of `second` mixed in; the layers stay hydrostatic."""
    mixed = {name: values[first].copy() for name, values in columns.items()}
    for name in BLENDED:
        a = share.reshape((-1,) + (1,) * (columns[name].ndim - 1))
        mixed[name] = (1 - a) * columns[name][first] + a * columns[name][second]
    mixed["zol"] = -np.sign(mixed["hfx"]) * np.abs(mixed["zol"])
    pressure_depth = mixed["rho"] * mixed["dz8w"]
    used = mixed["p"] > 0
    virtual = np.where(used, mixed["t"] * (1 + 0.608 * mixed["qv"]), 1.0)
    mixed["rho"] = np.where(used, mixed["p"] / (287.0 * virtual), 0.0)
    mixed["dz8w"] = np.divide(pressure_depth, mixed["rho"], out=np.zeros_like(pressure_depth), where=used)
    return stored(mixed)
