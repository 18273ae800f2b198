"""Options that several commands have, and what their numbers may be."""

from math import isfinite
from typing import Annotated

import typer

from ...contracts.errors import InputError

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace existing outputs.")]
SEVERAL_PROCESSES = (
    "one of several processes, each started with JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and "
    "JAX_PROCESS_ID set, or by Slurm or Open MPI"
)


def positive(option: typer.CallbackParam, value: float | None) -> float | None:
    """Callback of an option: InputError unless its number, where there is one, is finite and above 0."""
    if value is not None and not (isfinite(value) and value > 0):
        raise InputError(f"{option.opts[0]}: found {value}, expected a positive number.")
    return value


def not_negative(option: typer.CallbackParam, value: float) -> float:
    """Callback of an option: InputError unless its number is finite and at least 0."""
    if not (isfinite(value) and value >= 0):
        raise InputError(f"{option.opts[0]}: found {value}, expected a number of at least 0.")
    return value
