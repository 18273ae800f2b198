"""Where an LES starts: a random field, a state of a reference file, a record of an output, a plain field."""

from pathlib import Path

import netCDF4
import numpy as np

from ...contracts.errors import FileError, InputError
from ...sims.turbulence2d.initial import random_vorticity, resample
from .setup import LesSetup


def initial_vorticity(setup: LesSetup) -> np.ndarray:
    """Vorticity (grid, grid) float64 of the first instant, resampled spectrally to the grid of the run."""
    if setup.initial is None:
        return np.asarray(random_vorticity(setup.grid, setup.seed))
    fields = _stored_fields(setup.initial)
    if setup.seed >= len(fields):
        raise InputError(
            f"--seed: found {setup.seed}, but {setup.initial} holds {len(fields)} states; "
            f"expected 0 to {len(fields) - 1}."
        )
    field = np.asarray(fields[setup.seed], np.float64)
    if not np.isfinite(field).all():
        count = int((~np.isfinite(field)).sum())
        raise InputError(
            f"{setup.initial}: the initial vorticity holds {count} values that are not finite; expected none."
        )
    return np.asarray(resample(field, setup.grid))


def _stored_fields(path: Path) -> np.ndarray:
    """(states, y, x) of a file: the group `states` of a reference file, or the variable `vorticity`."""
    if not path.is_file():
        raise FileError(f"--initial: {path} does not exist; expected a NetCDF file with a vorticity.")
    try:
        with netCDF4.Dataset(path) as dataset:
            dataset.set_auto_mask(False)
            source = dataset["states"] if "states" in dataset.groups else dataset
            if "vorticity" not in source.variables:
                found = ", ".join(source.variables) or "nothing"
                raise FileError(f"--initial: {path} holds no variable vorticity(…, y, x); found {found}.")
            values = np.asarray(source["vorticity"][:])
    except OSError as error:
        raise FileError(f"--initial: {path} is not a readable NetCDF file ({error}).") from error
    if values.ndim not in (2, 3) or values.shape[-1] != values.shape[-2]:
        raise FileError(
            f"--initial: vorticity in {path} has shape {values.shape}; expected ([states,] n, n)."
        )
    return values.reshape(-1, *values.shape[-2:])
