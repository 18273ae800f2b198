"""The reference statistics file `<case>.reference.nc` of a DNS: what a closure is trained for and judged by.

docs/reference_file.md explains it to readers; reference_variables.py lists what it holds.
NumPy and netCDF4 only.
"""

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
from .reference_variables import ATTRIBUTES, CASE_ATTRIBUTES, VARIABLES

SCHEMA = "subgrid-reference 1"
MANTISSA_BITS = 12


@dataclass(frozen=True)
class Reference:
    """The contents of a reference file in memory.

    attributes: ATTRIBUTES and versions.
    arrays: one array for each name in VARIABLES, of the dimensions given there.
    """

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
        made for.
    FileError: missing, truncated, of another schema or case, or changed since it was written.
    """
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
