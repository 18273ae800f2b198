"""What an exported function must prove first: kinds, outputs as declared, entries that ignore each other."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from ..contracts.bundle import PLATFORMS, Field
from ..contracts.errors import InputError

PROGRAMS = ("forward", "vjp")


def require_sensible(batch_sizes: tuple[int, ...], platforms: Sequence[str], programs: Sequence[str]) -> None:
    """Refuse what the bundle has no place for."""
    if not batch_sizes or batch_sizes[0] < 1:
        raise InputError(f"batch_sizes is {batch_sizes}, expected one or more sizes of at least 1.")
    if not platforms or not set(platforms) <= set(PLATFORMS):
        raise InputError(f"platforms is {tuple(platforms)}, expected some of {', '.join(PLATFORMS)}.")
    if "forward" not in programs or not set(programs) <= set(PROGRAMS):
        raise InputError(f"programs is {tuple(programs)}, expected forward, and vjp if gradients are wanted.")


def common_precision(parameters: dict[str, np.ndarray], fields: Sequence[Field]) -> str:
    """float64 if any array is, else float32; InputError where JAX would demote or widen one untold."""
    kinds = [field.kind for field in fields] + [array.dtype.name for array in parameters.values()]
    require_x64(kinds)
    require_single(parameters, fields)
    return "float64" if "float64" in kinds else "float32"


def require_x64(kinds: Sequence[str]) -> None:
    """JAX demotes 64-bit numbers without a word unless x64 is on."""
    wide = sorted({kind for kind in kinds if kind in ("float64", "int64")})
    if wide and not jax.config.jax_enable_x64:
        raise InputError(
            f"The scheme declares {' and '.join(wide)} while jax_enable_x64 is off, so JAX would demote it "
            "silently; set JAX_ENABLE_X64=1, or declare float32."
        )


def require_single(parameters: dict[str, np.ndarray], fields: Sequence[Field]) -> None:
    """What is float32 at the door is float32 inside: one wider parameter would widen all that follows it."""
    wide = [name for name, array in parameters.items() if array.dtype == np.float64]
    if wide and not any(field.kind == "float64" for field in fields):
        raise InputError(
            f"Parameter {wide[0]} ({len(wide)} of {len(parameters)}) is float64 while inputs and outputs are "
            "declared float32, expected float32; convert it, or declare float64 fields."
        )


def zip_named(fields: Sequence[Field], arrays: Sequence[Any]) -> list[tuple[Field, Any]]:
    """Pair fields with arrays, or say how many there should be."""
    if len(fields) != len(arrays):
        names = ", ".join(field.name for field in fields)
        raise InputError(f"Found {len(arrays)} arrays, expected {len(fields)}: {names}.")
    return list(zip(fields, arrays, strict=True))


def conforming(field: Field, array: Any, role: str) -> np.ndarray:
    """`array` as NumPy array if its kind and trailing shape are those of `field` and it is finite."""
    array = np.asarray(array)
    if array.dtype.name != field.kind or array.shape[1:] != field.shape or array.ndim == 0:
        raise InputError(
            f"The {role} {field.name} is {array.dtype.name} {array.shape}, expected {field.kind} "
            f"{('batch', *field.shape)}; convert it, or declare the field as it is."
        )
    if not np.all(np.isfinite(array)):
        raise InputError(
            f"The {role} {field.name} is not finite everywhere; give inputs that the scheme was made for."
        )
    return array


def evaluate(function: Callable, values: list, given: list, outputs: Sequence[Field]) -> list[np.ndarray]:
    """The outputs for whole check inputs, each of the kind and shape declared for it."""
    results = jax.jit(function)(values, *given)
    found = [conforming(field, result, "output") for field, result in zip_named(outputs, results)]
    entries = given[0].shape[0]
    for field, result in zip(outputs, found, strict=True):
        if result.shape[0] != entries:
            raise InputError(
                f"The output {field.name} has {result.shape[0]} entries for {entries} entries of input."
            )
    return found


def require_independent_entries(
    function: Callable, values: list, given: list, expected: list, outputs: Sequence[Field]
) -> None:
    """Put the first entry in the place of one that differs from it: all other outputs must stay."""
    entries = given[0].shape[0]
    if any(array.shape[0] != entries for array in given):
        raise InputError(f"The check inputs have {[a.shape[0] for a in given]} entries, expected one number.")
    different = [i for i in range(1, entries) if any(not np.array_equal(a[i], a[0]) for a in given)]
    if not different:
        raise InputError(
            "The check inputs hold fewer than two different entries, so nothing shows that entries do not "
            "influence each other; give more."
        )
    for changed in {different[0], different[-1]}:
        others = [i for i in range(entries) if i != changed]
        disturbed = [replaced(array, changed) for array in given]
        for field, found, before in zip(
            outputs, evaluate(function, values, disturbed, outputs), expected, strict=True
        ):
            scale = np.max(np.abs(before), initial=0.0)
            allowed = 64 * np.finfo(field.kind).eps * scale if field.is_real else 0
            worst = np.max(np.abs(found[others] - before[others]), initial=0.0)
            if worst > allowed:
                raise InputError(
                    f"The output {field.name} of one batch entry changes by {worst:.3g} when another entry "
                    "changes; a bundle pads and splits batches, so remove reductions over the batch (batch "
                    "normalisation in training mode, global means)."
                )


def replaced(array: np.ndarray, entry: int) -> np.ndarray:
    """A copy with the first entry in the place of `entry`."""
    copy = array.copy()
    copy[entry] = array[0]
    return copy
