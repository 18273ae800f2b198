"""Files of convection columns: inputs, states and labels by the names of `contracts.columns`.

Dimensions `column`, `lev` (lowest first) and `ilev` (lev + 1); levels at and above `nlev` are missing. What a
column brings along is named `w0avg_in`, `nca_in`, `pratec_in`, `raincv_in` and `tend_in_*` (uniform in the
column); what it leaves with is `w0avg_out` and the other names of `STATE`. A training set holds inputs and
labels in one file.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .columns import (
    CODES,
    INPUTS,
    INTEGERS,
    INTERFACES,
    OPTIONAL_INTEGERS,
    PROFILES,
    SCALARS,
    STATE,
    STATE_PROFILES,
    Variable,
)
from .errors import FileError
from .provenance import provenance

SCHEMA = "subgrid-columns-1"
ON_ENTRY = {"w0avg": "w0avg_in", "nca": "nca_in", "pratec": "pratec_in", "raincv": "raincv_in"}
ON_EXIT = {"w0avg": "w0avg_out"}
UNIFORM_TENDENCIES = {
    "rthcuten": "tend_in_rth",
    "rqvcuten": "tend_in_rqv",
    "rqccuten": "tend_in_hyd",
    "rqrcuten": "tend_in_hyd",
    "rqicuten": "tend_in_hyd",
    "rqscuten": "tend_in_hyd",
    "rucuten": "tend_in_ruv",
    "rvcuten": "tend_in_ruv",
}
NUMBER_TYPES = {"double": "f8", "single": "f4"}
CHUNK_ROWS = 2048  # rows of a chunk; writers go on in multiples of it
CHUNK_CACHE = 2**21  # bytes


def open_columns(source: str | Path):
    """The dataset of a columns file, its variables and their dimensions checked; FileError otherwise."""
    dataset = open_dataset(source)
    required = [v.name for v in PROFILES + INTERFACES + SCALARS] + ["w0avg_in", "nlev"]
    missing = [name for name in required if name not in dataset.variables]
    if missing:
        raise FileError(f"{source} lacks the variables {', '.join(missing)}; add them to its root group.")
    optional = [*OPTIONAL_INTEGERS, *ON_ENTRY.values(), *UNIFORM_TENDENCIES.values()]
    for name in [*required, *(name for name in optional if name in dataset.variables)]:
        order_of(dataset[name], dimensions_of(name))
    if dataset["nlev"].size == 0:
        raise FileError(f"{source} holds no columns; give at least one.")
    return dataset


def dimensions_of(name: str) -> tuple[str, ...]:
    """Dimensions of an input in a file."""
    if name in {v.name for v in INTERFACES}:
        return ("column", "ilev")
    return ("column", "lev") if name in {"w0avg_in", *(v.name for v in PROFILES)} else ("column",)


def order_of(variable, expected: tuple[str, ...]) -> list[int]:
    """Where the `expected` dimensions stand among those of the variable; FileError if they are others."""
    if sorted(variable.dimensions) != sorted(expected):
        raise FileError(
            f"{variable.group().filepath()}: {variable.name} has the dimensions "
            f"({', '.join(variable.dimensions)}), expected ({', '.join(expected)}) in any order; reshape it."
        )
    return [variable.dimensions.index(dimension) for dimension in expected]


def read_ordered(variable, expected: tuple[str, ...], part: slice = slice(None)) -> np.ndarray:
    """Values in the order of the `expected` dimensions, whatever that of the file; `part` of the first."""
    index = tuple(part if dimension == expected[0] else slice(None) for dimension in variable.dimensions)
    return np.transpose(variable[index], order_of(variable, expected))


def open_dataset(source: str | Path):
    """An open NetCDF dataset whose values come as they are, fill values included."""
    from netCDF4 import Dataset

    try:
        dataset = Dataset(source)
    except OSError as error:
        raise FileError(f"{source} cannot be read as NetCDF ({error}); give a file of columns.") from error
    dataset.set_auto_mask(False)
    return dataset


def read_columns(dataset, part: slice) -> dict[str, np.ndarray]:
    """Inputs and entering state of the columns `part` under the names of the scheme."""
    names = {v.name: v.name for v in PROFILES + INTERFACES + SCALARS} | {"nlev": "nlev"}
    optional = {name: name for name in OPTIONAL_INTEGERS} | ON_ENTRY
    names |= {name: stored for name, stored in optional.items() if stored in dataset.variables}
    columns = {name: read_ordered(dataset[s], dimensions_of(s), part) for name, s in names.items()}
    for name, stored in UNIFORM_TENDENCIES.items():
        if stored in dataset.variables:
            columns[name] = np.broadcast_to(dataset[stored][part][:, None], columns["t"].shape)
    return columns


def create_answers(
    path: str | Path,
    sizes: Mapping[str, int],
    precision: str,
    attributes: Mapping[str, str],
    group: str | None = None,
):
    """A new file for outputs, in its root or a group; `sizes` are the leading dimensions and `lev`."""
    from netCDF4 import Dataset

    dataset = Dataset(path, "w")
    dataset.setncatts(provenance() | {"schema": SCHEMA, "precision": precision} | dict(attributes))
    output = dataset.createGroup(group) if group else dataset
    for name, size in sizes.items():
        output.createDimension(name, size)
    leading = tuple(name for name in sizes if name not in ("lev", "ilev"))
    for variable in STATE + CODES:
        dimensions = (*leading, "lev") if variable in STATE_PROFILES else leading
        kind = "i4" if variable in CODES else NUMBER_TYPES[precision]
        define(output, variable, ON_EXIT.get(variable.name, variable.name), kind, dimensions)
    return dataset


def create_training_set(path: str | Path, count: int, levels: int, attributes: Mapping[str, str]):
    """A new file for inputs and labels, in single precision."""
    sizes = {"column": count, "lev": levels, "ilev": levels + 1}
    output = create_answers(path, sizes, "single", attributes)
    for variable in INPUTS:
        dimensions = ("column", "lev") if variable in PROFILES else ("column",)
        dimensions = ("column", "ilev") if variable in INTERFACES else dimensions
        define(output, variable, variable.name, "i4" if variable in INTEGERS else "f4", dimensions)
    entering = {variable.name: variable for variable in STATE}
    define(output, entering["w0avg"], "w0avg_in", "f4", ("column", "lev"))
    define(output, entering["nca"], "nca_in", "f4", ("column",))
    return output


def define(output, variable: Variable, name: str, kind: str, dimensions: tuple[str, ...]) -> None:
    """One variable with its unit and meaning, compressed in chunks of CHUNK_ROWS rows, each written once."""
    chunk = [output.dimensions[dimension].size for dimension in dimensions]
    chunk[0] = max(1, min(chunk[0], CHUNK_ROWS))
    created = output.createVariable(
        name, kind, dimensions, compression="zlib", complevel=1, shuffle=True, chunksizes=chunk
    )
    created.set_var_chunk_cache(size=CHUNK_CACHE)  # the default keeps tens of MB a variable
    created.units = variable.units
    created.long_name = variable.long_name


def write_answers(output, part, answer: Mapping[str, np.ndarray], nlev: np.ndarray) -> None:
    """Outputs at the index `part`; levels at and above `nlev` stay missing."""
    used = np.arange(answer["rthcuten"].shape[-1]) < np.asarray(nlev)[..., None]
    for variable in STATE + CODES:
        values = answer[variable.name]
        if variable in STATE_PROFILES:
            shape = (used.shape[0],) + (1,) * (values.ndim - 2) + used.shape[1:]
            values = np.ma.masked_array(values, np.broadcast_to(~used.reshape(shape), values.shape))
        output[ON_EXIT.get(variable.name, variable.name)][part] = values


def write_inputs(output, part: slice, columns: Mapping[str, np.ndarray]) -> None:
    """Inputs of the columns `part` of a training set; levels above `nlev` stay missing."""
    levels = columns["t"].shape[1]
    used = np.arange(levels) < np.asarray(columns["nlev"])[:, None]
    used_interfaces = np.arange(levels + 1) <= np.asarray(columns["nlev"])[:, None]
    for variable in INPUTS:
        values = columns[variable.name]
        if variable in PROFILES:
            values = np.ma.masked_array(values, ~used)
        if variable in INTERFACES:
            values = np.ma.masked_array(values, ~used_interfaces)
        output[variable.name][part] = values
    output["w0avg_in"][part] = np.ma.masked_array(columns["w0avg"], ~used)
    output["nca_in"][part] = columns["nca"]
