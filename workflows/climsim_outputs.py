"""Outputs of an emulator as a NetCDF file: what any model, in any framework, said of the columns of a set.

    dimensions   time, ncol, lev
    variables    ymd(time), tod(time); each output (time, ncol[, lev]) in raw units, by its name in the table
    attributes   schema; emulator; parameters and flops_per_column (0: unknown); trained_on: dates of the
                 training steps as in a bundle's configuration (JSON), which validation leaves out

`subgrid validate climsim --model FILE.nc` scores it beside bundles.
"""

import json
from pathlib import Path

import netCDF4
import numpy as np

from ..contracts.errors import FileError, InputError
from ..contracts.files import writing
from ..contracts.variables import LEVELS, V1_TARGETS, variable
from ..jax_models.data.columns import ColumnSet
from ..jax_models.data.quality import check_dates
from ..jax_models.data.splits import absolute_seconds, times_of

SCHEMA = "subgrid-climsim-outputs-1"
SUFFIX = ".nc"


def write_outputs(
    path: Path,
    outputs: dict[str, np.ndarray],
    ymd: np.ndarray,
    tod: np.ndarray,
    *,
    name: str,
    parameters: int = 0,
    flops: float = 0.0,
    trained_on: list = (),
    overwrite: bool = False,
) -> Path:
    """Write outputs name → (time, ncol[, lev]), raw units, for the time steps (ymd, tod)."""
    with writing(path, overwrite=overwrite) as temporary, netCDF4.Dataset(str(temporary), "w") as dataset:
        first = next(iter(outputs.values()))
        for dimension, size in (("time", len(ymd)), ("ncol", first.shape[1]), ("lev", LEVELS)):
            dataset.createDimension(dimension, size)
        for key, values in (("ymd", ymd), ("tod", tod)):
            dataset.createVariable(key, "i4", ("time",))[...] = values
        for key, values in outputs.items():
            dimensions = ("time", "ncol", "lev")[: values.ndim]
            created = dataset.createVariable(key, "f4", dimensions, zlib=True, shuffle=True)
            created.units, created.long_name = variable(key).units, variable(key).long_name
            created[...] = values
        dataset.setncatts(
            {
                "schema": SCHEMA,
                "emulator": name,
                "parameters": np.int64(parameters),
                "flops_per_column": float(flops),
                "trained_on": json.dumps(list(trained_on)),
            }
        )
    return Path(path)


def is_outputs(model: Path) -> bool:
    """Whether a model is given by its outputs instead of a bundle."""
    return Path(model).suffix == SUFFIX


def trained_on(path: Path) -> np.ndarray:
    """Times of the training steps that the file names, seconds."""
    with _opened(path) as dataset:
        return times_of(json.loads(getattr(dataset, "trained_on", "[]")))


def name_of_outputs(path: Path) -> str:
    """What the emulator is called."""
    with _opened(path) as dataset:
        return dataset.emulator


def read_outputs(path: Path, columns: ColumnSet):
    """The emulation of `columns` that the file holds.

    Raises FileError for another schema, a V1 output that is missing, shapes that are not those of the
    columns, values that are not finite, dates that are none or there twice; InputError for time steps that
    the file does not cover.
    """
    from ..validation.climsim.scores import Emulation

    with _opened(path) as dataset:
        times = _times(path, dataset, columns)
        names = [key for key in dataset.variables if key not in ("ymd", "tod")]
        missing = [key for key in V1_TARGETS if key not in names]
        if missing:
            raise FileError(f"{path} holds no {', '.join(missing)}; validation needs the V1 outputs.")
        outputs = {key: _field(path, dataset, key, times, columns.grid.ncol) for key in names}
        return Emulation(dataset.emulator, outputs, int(dataset.parameters), float(dataset.flops_per_column))


def _opened(path: Path) -> netCDF4.Dataset:
    if not Path(path).is_file():
        raise FileError(f"{path} does not exist.")
    dataset = netCDF4.Dataset(str(path))
    dataset.set_auto_mask(False)
    found = getattr(dataset, "schema", "none")
    if found != SCHEMA:
        dataset.close()
        raise FileError(f"{path}: found schema {found}, expected {SCHEMA}; write it with `write_outputs`.")
    return dataset


def _times(path: Path, dataset: netCDF4.Dataset, columns: ColumnSet) -> np.ndarray:
    """Where the file holds each time step of the columns."""
    ymd, tod = dataset["ymd"][...], dataset["tod"][...]
    check_dates(ymd, tod, where=str(path))
    held = absolute_seconds(ymd, tod)
    wanted = absolute_seconds(columns.ymd, columns.tod)
    place = {second: index for index, second in enumerate(held.tolist())}
    absent = [index for index, second in enumerate(wanted.tolist()) if second not in place]
    if absent:
        first = absent[0]
        raise InputError(
            f"{path} covers {len(wanted) - len(absent)} of the {len(wanted)} time steps to score; the first "
            f"without outputs is {columns.ymd[first]}, {columns.tod[first]} s."
        )
    return np.array([place[second] for second in wanted.tolist()])


def _field(path: Path, dataset: netCDF4.Dataset, key: str, times: np.ndarray, ncol: int) -> np.ndarray:
    values = dataset[key][...][times]
    expected = (len(times), ncol, LEVELS)[: 3 if variable(key).is_profile else 2]
    if values.shape != expected:
        raise FileError(f"{path}: found {key} of shape {values.shape}, expected {expected}.")
    if not np.isfinite(values).all():
        raise FileError(
            f"{path}: {key} holds values that are not finite; outputs must be numbers everywhere."
        )
    return values
