"""The multi-scale Kain-Fritsch scheme on batches of columns: NumPy in and out, Fortran between."""

import ctypes
import os
from collections.abc import Mapping

import numpy as np

from ...contracts.columns import (
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
from ...contracts.errors import InputError
from .library import ENTRIES, Addresses, Integers, library

KINDS = {"double": np.float64, "single": np.float32}
MODES = ("clean", "match")


def convect(
    columns: Mapping[str, np.ndarray],
    *,
    mode: str = "clean",
    precision: str = "double",
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Convection in every column.

    Args:
        columns: the arrays of `INPUTS` and `w0avg`, and optionally more of `STATE` (what a column
            that NCA holds keeps; `nca` defaults to -100 s, the rest to 0). Profiles have the shape
            (columns, levels) with level 0 lowest, `w` (columns, levels + 1), all others (columns,). Levels at
            and above `nlev` are ignored and come out as 0.
        mode: `clean`, closed-form thermodynamics and guards, or `match`, WRF's numbers including its quirks
            (docs/physics/mskf.md has the differences).
        precision: `double` or `single`, the kind in which the kernels compute.
        threads: OpenMP threads over columns; all cores if None. The answer does not depend on it. Contiguous
            arrays of the kind of `precision` are read where they lie; others are copied first, by one thread.

    Returns:
        The arrays of `STATE`, `exit_code` (columns,) int32 and `status` (columns,) int32; a column
        with a status other than 0 was refused (`status.refusals` says why) and has no convection.

    Raises:
        InputError: an array is missing or of the wrong shape, or an option is unknown.
    """
    if mode not in MODES:
        raise InputError(f"The mode {mode!r} is unknown; it is one of {', '.join(MODES)}.")
    if precision not in KINDS:
        raise InputError(f"The precision {precision!r} is unknown; it is one of {', '.join(KINDS)}.")
    count, levels = column_shape(columns)
    inputs = gather_inputs(columns, count, levels, KINDS[precision])
    entering = gather_state(columns, count, levels, KINDS[precision])
    # Left empty: the threads that compute the columns are the first to touch their pages.
    state = {v.name: np.empty(state_shape(v, count, levels), KINDS[precision]) for v in STATE}
    codes = {variable.name: np.empty(count, np.int32) for variable in CODES}
    if count:
        getattr(library(), ENTRIES[precision])(
            levels,
            count,
            int(mode == "clean"),
            threads if threads is not None else len(os.sched_getaffinity(0)),
            addresses([inputs[variable.name] for variable in INPUTS]),
            addresses([entering[variable.name] for variable in STATE]),
            addresses([state[variable.name] for variable in STATE]),
            codes["exit_code"].ctypes.data_as(Integers),
            codes["status"].ctypes.data_as(Integers),
        )
    return state | codes


def column_shape(columns: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """(columns, levels) of the temperature."""
    if "t" not in columns:
        raise InputError("The columns have no temperature 't' (columns, levels) in K; add it.")
    shape = np.shape(columns["t"])
    if len(shape) != 2:
        raise InputError(f"The temperature 't' has the shape {shape}; expected (columns, levels).")
    return shape


def gather_inputs(columns: Mapping, count: int, levels: int, kind: type) -> dict[str, np.ndarray]:
    """Contiguous input arrays of the kernel's types."""
    shapes = dict.fromkeys((v.name for v in PROFILES), (count, levels))
    shapes |= dict.fromkeys((v.name for v in INTERFACES), (count, levels + 1))
    shapes |= dict.fromkeys((v.name for v in SCALARS), (count,))
    inputs = {name: checked(columns, name, shape, kind) for name, shape in shapes.items()}
    for variable in INTEGERS:
        default = levels if variable.name == "nlev" else OPTIONAL_INTEGERS[variable.name]
        value = columns.get(variable.name, np.full(count, default))
        inputs[variable.name] = checked({variable.name: value}, variable.name, (count,), np.int32)
    return inputs


def gather_state(columns: Mapping, count: int, levels: int, kind: type) -> dict[str, np.ndarray | None]:
    """State on entry, of the kernel's types; None for what is not given and starts at rest."""
    state: dict[str, np.ndarray | None] = {}
    for variable in STATE:
        given = variable.name in columns or variable.name == "w0avg"
        shape = state_shape(variable, count, levels)
        state[variable.name] = checked(columns, variable.name, shape, kind) if given else None
    return state


def state_shape(variable: Variable, count: int, levels: int) -> tuple[int, ...]:
    """Shape of an array of `STATE`."""
    return (count, levels) if variable in STATE_PROFILES else (count,)


def checked(columns: Mapping, name: str, shape: tuple[int, ...], kind: type) -> np.ndarray:
    """The array `name` as a contiguous array of the given shape and type."""
    if name not in columns:
        raise InputError(f"The columns have no '{name}' of shape {shape}; add it.")
    array = np.asarray(columns[name])
    if array.shape != shape:
        raise InputError(
            f"'{name}' has the shape {array.shape}; expected {shape}, as the temperature has it."
        )
    if array.dtype.kind not in "fiub":
        raise InputError(f"'{name}' has the type {array.dtype}; expected numbers.")
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is refused by column
        return np.ascontiguousarray(array, dtype=kind)


def addresses(arrays: list[np.ndarray | None]) -> ctypes.Array:
    """Table of addresses for the C entry, 0 for what is not there."""
    table = (ctypes.c_void_p * len(arrays))(*(None if a is None else a.ctypes.data for a in arrays))
    return ctypes.cast(table, Addresses)
