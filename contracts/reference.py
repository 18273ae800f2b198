"""The reference statistics file `<case>.reference.nc` of a DNS: what a closure is trained for and judged by.

docs/reference_file.md explains it to readers; VARIABLES and ATTRIBUTES are the one list of what it holds.
NumPy and netCDF4 only."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from .errors import FileError
from .files import writing

SCHEMA = "subgrid-reference 1"
CASE_ATTRIBUTES = ("forcing_wavenumber", "beta", "viscosity", "drag")
ATTRIBUTES = (
    "case",
    *CASE_ATTRIBUTES,
    *("grid", "dt", "integrator", "dealiasing", "precision", "seed"),
    *("spin_up", "time_span", "samples", "sample_interval"),
    *("sigma_reference", "pair_filter", "pair_filter_width", "pair_largest_wavenumber"),
    *("command", "hardware", "wall_seconds", "created", "git_revision"),
)
MANTISSA_BITS = 12


@dataclass(frozen=True)
class Variable:
    """A variable of the file: its dimensions, storage kind, and what it is. All are dimensionless."""

    dimensions: tuple[str, ...]
    kind: str
    long_name: str
    rounded: bool = False


def _spectrum(what: str, dimension: str = "wavenumber") -> Variable:
    return Variable((dimension,), "f8", what)


VARIABLES: dict[str, Variable] = {
    "wavenumber": Variable(("wavenumber",), "i4", "wavenumber of the one-dimensional spectra"),
    "enstrophy_x": _spectrum("one-dimensional enstrophy spectrum along x, time mean"),
    "enstrophy_y": _spectrum("one-dimensional enstrophy spectrum along y, time mean"),
    "enstrophy_mean": _spectrum("mean of enstrophy_x and enstrophy_y"),
    "enstrophy_mean_std": _spectrum("standard deviation in time of enstrophy_mean"),
    "enstrophy_mean_error": _spectrum("standard error of enstrophy_mean from ten stretches of the run"),
    "energy_x": _spectrum("one-dimensional energy spectrum along x, time mean"),
    "energy_y": _spectrum("one-dimensional energy spectrum along y, time mean"),
    "energy_mean": _spectrum("mean of energy_x and energy_y"),
    "energy_mean_std": _spectrum("standard deviation in time of energy_mean"),
    "energy_mean_error": _spectrum("standard error of energy_mean from ten stretches of the run"),
    "enstrophy_shell": _spectrum("enstrophy in the shell k-1/2 < |k| <= k+1/2, time mean", "shell"),
    "energy_shell": _spectrum("energy in the shell, time mean", "shell"),
    "advection_enstrophy_transfer": _spectrum(
        "rate at which advection feeds enstrophy to the shell", "shell"
    ),
    "advection_energy_transfer": _spectrum("rate at which advection feeds energy to the shell", "shell"),
    "subgrid_enstrophy_transfer": _spectrum(
        "rate at which the exact subgrid tendency feeds enstrophy", "pair_shell"
    ),
    "subgrid_energy_transfer": _spectrum(
        "rate at which the exact subgrid tendency feeds energy", "pair_shell"
    ),
    "gradient_correlation": _spectrum(
        "pattern correlation of the gradient models GM2 and GM4 with the exact subgrid tendency",
        "gradient_model",
    ),
    "enstrophy_budget": _spectrum("injection, viscous loss, drag loss of enstrophy", "budget_term"),
    "energy_budget": _spectrum("injection, viscous loss, drag loss of energy", "budget_term"),
    "level_grid": Variable(
        ("level",), "i4", "grid of the sharp square cut of the level; the first is the DNS"
    ),
    "level_enstrophy": Variable(
        ("level", "log_wavenumber"),
        "f8",
        "mean one-dimensional enstrophy spectrum of the cut field, 0 where cut",
    ),
    "bin_edge": Variable(("bin_edge",), "f8", "edges of the histogram of vorticity / sigma_reference"),
    "pdf": Variable(("level", "bin"), "f8", "probability density of vorticity / sigma_reference"),
    "pdf_lower": Variable(("level", "bin"), "f4", "lower 95 % bound of pdf by moving-block bootstrap"),
    "pdf_upper": Variable(("level", "bin"), "f4", "upper 95 % bound of pdf by moving-block bootstrap"),
    "moments": Variable(("level", "moment"), "f8", "standard deviation, skewness, kurtosis of the vorticity"),
    "moments_error": Variable(("level", "moment"), "f8", "their standard errors by moving-block bootstrap"),
    "threshold": Variable(("threshold",), "f8", "threshold of |vorticity| in units of sigma_reference"),
    "exceedance": Variable(
        ("level", "threshold"), "f8", "probability that |vorticity| exceeds the threshold"
    ),
    "exceedance_error": Variable(
        ("level", "threshold"), "f8", "its standard error from ten stretches of the run"
    ),
    "sample_time": Variable(("sample",), "f4", "time of the sample since the end of the spin-up"),
    "log_enstrophy": Variable(
        ("sample", "log_wavenumber"), "f4", "natural logarithm of enstrophy_mean of each sample", rounded=True
    ),
    "states/time": Variable(("state",), "f4", "time of the state since the end of the spin-up"),
    "states/held_out": Variable(("state",), "i1", "1: for testing only, 0: for training"),
    "states/vorticity": Variable(
        ("state", "state_y", "state_x"), "f4", "sharp-truncated DNS vorticity", rounded=True
    ),
    "pairs/time": Variable(("pair",), "f4", "time of the pair since the end of the spin-up"),
    "pairs/held_out": Variable(("pair",), "i1", "1: for testing only, 0: for training"),
    "pairs/vorticity": Variable(
        ("pair", "pair_y", "pair_x"), "f4", "Gaussian-filtered DNS vorticity", rounded=True
    ),
    "pairs/tendency": Variable(
        ("pair", "pair_y", "pair_x"),
        "f4",
        "exact subgrid tendency, added to the right-hand side",
        rounded=True,
    ),
}


@dataclass(frozen=True)
class Reference:
    """The contents of a reference file in memory.

    attributes: ATTRIBUTES and versions.   arrays: one array for each name in VARIABLES, of the dimensions
    given there."""

    attributes: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    @property
    def sigma(self) -> float:
        """Standard deviation of the DNS vorticity (sigma_reference is the nominal one, for the bins)."""
        return float(self.arrays["moments"][0, 0])

    def level(self, grid: int) -> int:
        """Index of the level of the sharp cut to `grid`; FileError lists those there are."""
        found = np.flatnonzero(self.arrays["level_grid"] == grid)
        if not len(found):
            levels = ", ".join(map(str, self.arrays["level_grid"]))
            raise FileError(
                f"The reference of {self.attributes['case']} has no level N = {grid}, only {levels}."
            )
        return int(found[0])


def round_mantissa(values: np.ndarray, bits: int = MANTISSA_BITS) -> np.ndarray:
    """`values` to `bits` bits of mantissa (relative error ≤ 2^-bits), so that they compress."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent).astype(values.dtype)


def write_reference(path: os.PathLike, reference: Reference, *, overwrite: bool = False) -> Path:
    """Write the file whole or not at all; FileError if it exists (unless `overwrite`) or is not valid."""
    path = Path(path)
    stored = {name: _as_stored(name, array) for name, array in reference.arrays.items()}
    check_contents(Reference(reference.attributes, stored), str(path))
    with writing(path, overwrite=overwrite) as temporary, netCDF4.Dataset(temporary, "w") as dataset:
        for name, variable in VARIABLES.items():
            for dimension, size in zip(variable.dimensions, stored[name].shape, strict=True):
                if dimension not in dataset.dimensions:
                    dataset.createDimension(dimension, size)
            target = dataset.createVariable(name, variable.kind, variable.dimensions, zlib=True, complevel=9)
            target.setncatts({"long_name": variable.long_name, "units": "1"})
            target[...] = stored[name]
        dataset.setncatts({"Conventions": "CF-1.10", "schema": SCHEMA, **reference.attributes})
        dataset.content_sha256 = digest(stored)
    return path


def read_reference(path: os.PathLike, case: Any = None) -> Reference:
    """Read and check a reference file.

    case: an object with `name`, `forcing_wavenumber`, `beta`, `viscosity`, `drag` that the file must be
    made for. FileError: missing, truncated, of another schema or case, or changed since it was written."""
    path = Path(path)
    if not path.is_file():
        raise FileError(f"There is no reference file {path}; make it with `subgrid dns CASE --out {path}`.")
    try:
        with netCDF4.Dataset(path) as dataset:
            attributes = {name: _plain(dataset.getncattr(name)) for name in dataset.ncattrs()}
            _require_schema(path, attributes)
            arrays = {name: np.ma.getdata(dataset[name][...]) for name in VARIABLES}
    except (OSError, RuntimeError, IndexError, KeyError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"The reference file {path} cannot be read ({error}): it is truncated or no NetCDF-4."
        ) from error
    reference = Reference(attributes, arrays)
    check_contents(reference, str(path))
    if attributes.get("content_sha256") != digest(arrays):
        raise FileError(
            f"The contents of {path} differ from their checksum: it was damaged or edited; make it again."
        )
    if case is not None:
        _require_case(path, attributes, case)
    return reference


def check_contents(reference: Reference, where: str) -> None:
    """FileError unless every attribute and variable is there, finite, and of consistent dimensions."""
    missing = [name for name in ATTRIBUTES if name not in reference.attributes]
    missing += [name for name in VARIABLES if name not in reference.arrays]
    if missing:
        raise FileError(f"The reference {where} lacks {', '.join(missing)}; make it again with this version.")
    sizes: dict[str, int] = {}
    for name, variable in VARIABLES.items():
        array = reference.arrays[name]
        expected = tuple(
            sizes.setdefault(dimension, size)
            for dimension, size in zip(variable.dimensions, array.shape, strict=False)
        )
        if array.ndim != len(variable.dimensions) or array.shape != expected:
            raise FileError(
                f"{name} in {where} has shape {array.shape}, expected {expected} = {variable.dimensions}."
            )
        if not np.isfinite(array).all():
            raise FileError(
                f"{name} in {where} holds values that are not finite; the run that made it blew up."
            )


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of names and values in the order of VARIABLES."""
    checksum = hashlib.sha256()
    for name, variable in VARIABLES.items():
        checksum.update(name.encode())
        checksum.update(np.ascontiguousarray(arrays[name], dtype="<" + variable.kind).tobytes())
    return checksum.hexdigest()


def _as_stored(name: str, array: np.ndarray) -> np.ndarray:
    variable = VARIABLES.get(name)
    if variable is None:
        raise FileError(f"A reference file has no variable {name}; known: {', '.join(VARIABLES)}.")
    stored = np.asarray(array).astype(variable.kind)
    return round_mantissa(stored) if variable.rounded else stored


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _require_schema(path: Path, attributes: Mapping[str, Any]) -> None:
    found = attributes.get("schema", "none")
    if found != SCHEMA:
        raise FileError(
            f"{path} has schema '{found}', expected '{SCHEMA}': make it again with `subgrid dns`."
        )


def _require_case(path: Path, attributes: Mapping[str, Any], case: Any) -> None:
    if attributes["case"] != case.name:
        raise FileError(
            f"{path} is the reference of case {attributes['case']}, expected {case.name}: give its own file."
        )
    for name in CASE_ATTRIBUTES:
        if attributes[name] != getattr(case, name):
            raise FileError(
                f"{path} has {name} = {attributes[name]}, case {case.name} now has {getattr(case, name)}: "
                "the file is stale; make it again with `subgrid dns`."
            )
