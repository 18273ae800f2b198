"""The packed layout: one NetCDF file with all V2 inputs, V2 targets as tendencies, grid and time.

Dimensions time, lev, ncol (levels before columns, as in the raw files). `state_pmid` is not stored: it is
hyam P0 + hybm ps exactly.
"""

from pathlib import Path

import netCDF4
import numpy as np

from ...contracts.errors import FileError
from ...contracts.variables import RAW_INPUTS, RAW_TARGETS, variable
from .classic import require_whole
from .columns import ColumnSet
from .grid import read_grid


def read_packed(
    path: Path, names: tuple[str, ...] = (*RAW_INPUTS, *RAW_TARGETS), *, times: np.ndarray | None = None
) -> ColumnSet:
    """Read `names` at the time indices `times` (default all), profiles turned to (time, ncol, lev).

    Raises FileError: no such file, not NetCDF, truncated, a variable or dimension missing or of the wrong
    size. Values are judged by `read_columns`.
    """
    with open_packed(path) as dataset:
        steps = np.arange(dataset.dimensions["time"].size) if times is None else np.asarray(times)
        grid = read_grid(dataset)
        fields = {name: _read(dataset, name, steps) for name in names}
        ymd, tod = (np.asarray(dataset[key][...])[steps] for key in ("ymd", "tod"))
    return ColumnSet(fields, ymd, tod, grid)


def open_packed(path: Path) -> netCDF4.Dataset:
    """Open for reading; refuses what is not a packed file."""
    if not Path(path).is_file():
        raise FileError(f"{path} does not exist; `subgrid data climsim` packs raw files into such a file.")
    require_whole(path)
    try:
        dataset = netCDF4.Dataset(str(path))
    except OSError as error:
        raise FileError(f"{path} is not a readable NetCDF file ({error}); is it truncated?") from error
    missing = [d for d in ("time", "lev", "ncol") if d not in dataset.dimensions]
    missing += [v for v in ("ymd", "tod") if v not in dataset.variables]
    if missing:
        dataset.close()
        raise FileError(
            f"{path}: {', '.join(missing)} missing; expected the packed layout (time, lev, ncol)."
        )
    return dataset


def _read(dataset: netCDF4.Dataset, name: str, steps: np.ndarray) -> np.ndarray:
    row, where = variable(name), dataset.filepath()
    if name not in dataset.variables:
        raise FileError(f"{where}: no variable {name!r} ({row.long_name}); was it renamed?")
    stored = dataset[name]
    expected = ("time", "lev", "ncol") if row.is_profile else ("time", "ncol")
    if stored.dimensions != expected:
        raise FileError(f"{where}: {name} has dimensions {stored.dimensions}, expected {expected}.")
    if row.is_profile and stored.shape[1] != row.levels:
        raise FileError(f"{where}: {name} has {stored.shape[1]} levels, expected {row.levels}.")
    stored.set_auto_mask(False)
    # An index list makes the library read step by step; the block that holds them all is faster.
    first = int(steps.min(initial=0))
    values = np.asarray(stored[first : int(steps.max(initial=0)) + 1], np.float32)[steps - first]
    return np.ascontiguousarray(np.moveaxis(values, 1, -1)) if row.is_profile else values
