"""The scheme inside jitted JAX on the CPU: a pure-Fortran XLA handler works on JAX's own buffers."""

import os
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from ...contracts.columns import (
    CODES,
    INPUTS,
    INTEGERS,
    INTERFACES,
    OPTIONAL_INTEGERS,
    PROFILES,
    STATE,
    STATE_PROFILES,
    Variable,
)
from ...contracts.errors import InputError
from .library import library
from .mskf import MODES

HANDLERS = {"float64": "subgrid_mskf_handler_dp", "float32": "subgrid_mskf_handler_sp"}


def convect(columns: dict[str, jax.Array], *, mode: str = "clean", threads: int | None = None) -> dict:
    """`mskf.convect` for JAX arrays, usable under jit, vmap and scan on the CPU.

    Args:
        columns: the inputs and state of `mskf.convect`. Profiles are (..., levels), `w` (..., levels + 1) and
            the rest (...,), with the same leading axes (none for one column); the precision is that of `t`.
        mode: `clean` or `match`.
        threads: OpenMP threads over columns; all cores if None.

    Returns:
        The arrays of `STATE`, `exit_code` and `status` with the leading axes of `t`. There is no derivative.
    """
    if mode not in MODES:
        raise InputError(f"The mode {mode!r} is unknown; it is one of {', '.join(MODES)}.")
    kind = jnp.asarray(columns["t"]).dtype
    if kind.name not in HANDLERS:
        raise InputError(f"The temperature has the type {kind}; expected float32 or float64.")
    profile = jnp.shape(columns["t"])
    operands = arrange(columns, profile, kind)
    results = [jax.ShapeDtypeStruct(expected_shape(variable, profile), kind) for variable in STATE]
    results += [jax.ShapeDtypeStruct(profile[:-1], jnp.int32)] * len(CODES)
    call = jax.ffi.ffi_call(
        register(HANDLERS[kind.name]),
        results,
        vmap_method="broadcast_all",
        input_output_aliases={len(INPUTS) + i: i for i, v in enumerate(STATE) if v.name in columns},
    )
    cores = threads if threads is not None else len(os.sched_getaffinity(0))
    answers = call(*operands, clean=np.int32(mode == "clean"), threads=np.int32(cores))
    return dict(zip((variable.name for variable in STATE + CODES), answers, strict=True))


def arrange(columns: dict[str, jax.Array], profile: tuple[int, ...], kind: np.dtype) -> list[jax.Array]:
    """Inputs, then state, in the order and types of the handler; shapes checked."""
    leading, levels = profile[:-1], profile[-1]
    defaults = {name: jnp.full(leading, value) for name, value in OPTIONAL_INTEGERS.items()}
    defaults["nlev"] = jnp.full(leading, levels)
    operands = []
    for variable in INPUTS + STATE:
        values = columns.get(variable.name, defaults.get(variable.name))
        if values is None and variable in STATE and variable.name != "w0avg":
            operands.append(jnp.zeros((0,), kind))  # at rest
            continue
        if values is None:
            raise InputError(f"The columns have no '{variable.name}'; add it.")
        expected = expected_shape(variable, profile)
        if jnp.shape(values) != expected:
            raise InputError(f"'{variable.name}' has the shape {jnp.shape(values)}; expected {expected}.")
        operands.append(jnp.asarray(values, jnp.int32 if variable in INTEGERS else kind))
    return operands


def expected_shape(variable: Variable, profile: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of an operand for temperatures of the shape `profile`."""
    if variable in INTERFACES:
        return (*profile[:-1], profile[-1] + 1)
    return profile if variable in PROFILES + STATE_PROFILES else profile[:-1]


@cache
def register(name: str) -> str:
    """Make the handler known to XLA, once."""
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library(), name)), platform="cpu")
    return name
