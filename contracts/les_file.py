"""The output and the restart file of a large-eddy simulation, the same from every host (CF-1.10 NetCDF)."""

import os
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from .errors import FileError

CONVENTIONS = "CF-1.10"
COMPLETE, BLOWN_UP, INTERRUPTED = "complete", "blown_up", "interrupted"


@dataclass(frozen=True)
class LesOutput:
    """An LES output in memory.

    Attributes:
        time: (records,) dimensionless.
        vorticity: (records, y, x) dimensionless, float64.
        attributes: global attributes of the file (case, grid, closure, host, state, wall_seconds, …).
    """

    time: np.ndarray
    vorticity: np.ndarray
    attributes: dict


@dataclass(frozen=True)
class Restart:
    """Everything a solver needs to continue bit for bit.

    Attributes:
        vorticity_hat: (ky, kx) complex128, unnormalised transform of the vorticity.
        previous_advection_hat: (ky, kx) complex128, advection of the step before (Adams-Bashforth).
        attributes: step, time, has_previous, grid, integrator, dealiasing, host.
    """

    vorticity_hat: np.ndarray
    previous_advection_hat: np.ndarray
    attributes: dict


class LesWriter:
    """Appends records to a NetCDF file at `path`, which is best a temporary name of `files.writing`."""

    def __init__(self, path: os.PathLike, grid: int, attributes: dict):
        self._dataset = netCDF4.Dataset(path, "w", format="NETCDF4")
        define_output(self._dataset, grid, attributes)

    def append(self, time: float, vorticity: np.ndarray) -> None:
        record = self._dataset.dimensions["time"].size
        self._dataset["time"][record] = time
        self._dataset["vorticity"][record] = vorticity

    def close(self, **attributes) -> None:
        """Set the closing attributes (state, wall_seconds, …) and close the file."""
        self._dataset.setncatts(attributes)
        self._dataset.close()


def define_output(dataset: netCDF4.Dataset, grid: int, attributes: dict) -> None:
    """Dimensions, coordinates and attributes of an LES output of `grid` x `grid` points."""
    points = 2 * np.pi * np.arange(grid) / grid
    dataset.setncatts(
        {"Conventions": CONVENTIONS, "title": "LES of two-dimensional turbulence", **attributes}
    )
    dataset.createDimension("time", None)
    _coordinate(dataset, "time", "time since the start of the run", ("time",))
    for axis in ("y", "x"):
        dataset.createDimension(axis, grid)
        _coordinate(dataset, axis, f"{axis} of the grid point, period 2 pi", (axis,))[:] = points
        dataset[axis].axis = axis.upper()
    vorticity = dataset.createVariable("vorticity", "f8", ("time", "y", "x"))
    vorticity.long_name = "resolved vorticity dv/dx - du/dy"
    vorticity.units = "1"


def _coordinate(dataset, name: str, long_name: str, dimensions: tuple[str, ...]):
    variable = dataset.createVariable(name, "f8", dimensions)
    variable.long_name = long_name
    variable.units = "1"
    return variable


def read_output(path: os.PathLike) -> LesOutput:
    """Read a whole LES output; `FileError` when it is missing, damaged or of another kind."""
    with _open(path, "an LES output", ("time", "vorticity")) as dataset:
        return LesOutput(
            np.asarray(dataset["time"][:]),
            np.asarray(dataset["vorticity"][:]),
            {name: dataset.getncattr(name) for name in dataset.ncattrs()},
        )


def add_attributes(path: os.PathLike, attributes: dict) -> None:
    """Add global attributes to a file that another program wrote."""
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.setncatts(attributes)


def write_field(path: os.PathLike, vorticity: np.ndarray) -> None:
    """Write one vorticity field (y, x): the initial state that the Fortran host reads."""
    with netCDF4.Dataset(path, "w") as dataset:
        for axis, size in zip(("y", "x"), vorticity.shape, strict=True):
            dataset.createDimension(axis, size)
        dataset.createVariable("vorticity", "f8", ("y", "x"))[:] = vorticity


def write_restart(path: os.PathLike, restart: Restart) -> None:
    """Write a restart in the layout that all hosts share."""
    rows, columns = restart.vorticity_hat.shape
    with netCDF4.Dataset(path, "w", format="NETCDF4") as dataset:
        dataset.setncatts(restart.attributes)
        for name, size in (("ky", rows), ("kx", columns), ("part", 2)):
            dataset.createDimension(name, size)
        for name in ("vorticity_hat", "previous_advection_hat"):
            values = np.ascontiguousarray(getattr(restart, name), np.complex128)
            variable = dataset.createVariable(name, "f8", ("ky", "kx", "part"))
            variable.units = "1"
            variable[:] = values.view(np.float64).reshape(rows, columns, 2)


def read_restart(path: os.PathLike) -> Restart:
    """Read a restart; `FileError` when it is missing, damaged or of another kind."""
    with _open(path, "an LES restart", ("vorticity_hat", "previous_advection_hat")) as dataset:
        fields = (
            np.ascontiguousarray(dataset[name][:]).view(np.complex128)[..., 0]
            for name in ("vorticity_hat", "previous_advection_hat")
        )
        return Restart(*fields, {name: dataset.getncattr(name) for name in dataset.ncattrs()})


def _open(path: os.PathLike, kind: str, variables: tuple[str, ...]) -> netCDF4.Dataset:
    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path} does not exist; expected {kind}.")
    try:
        dataset = netCDF4.Dataset(path)
    except OSError as error:
        raise FileError(f"{path} is not a readable NetCDF file ({error}); expected {kind}.") from error
    dataset.set_auto_mask(False)
    missing = [name for name in variables if name not in dataset.variables]
    if missing:
        found = ", ".join(dataset.variables) or "no variables"
        dataset.close()
        raise FileError(f"{path} is not {kind}: it lacks {', '.join(missing)} and holds {found}.")
    return dataset
