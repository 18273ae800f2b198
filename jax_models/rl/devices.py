"""Data-parallel training: simulations are spread over devices, everything else lies on each of them.

Programs are compiled once for all devices: what one simulation does stays on its device, and the compiler
puts the sums over simulations (gradients, means) together. A run on N devices therefore makes the same
numbers as on one, up to the order of those sums.
"""

import os
from functools import partial
from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from ...contracts.errors import InputError, SetupError

SIMULATIONS = "simulations"
PROCESSES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
"""Environment of a run over several processes; without it JAX asks Slurm, Open MPI or the cloud."""


def make_mesh(environments: int, devices: int | None = None) -> Mesh:
    """The first `devices` devices of all hosts (default: all) in one row, on which `environments` are split.

    InputError: more devices than there are, or environments that do not divide.
    """
    there = jax.devices()
    count = len(there) if devices is None else devices
    if not 1 <= count <= len(there):
        raise InputError(
            f"--devices: found {count}, but JAX sees {len(there)} ({there[0].device_kind}); take no more."
        )
    if environments % count:
        raise InputError(
            f"{environments} environments cannot be split evenly over {count} devices; take a multiple of "
            f"{count} for --environments, or another number of --devices."
        )
    if count < len(there) and jax.process_count() > 1:
        raise InputError(
            f"--devices: found {count}, but the {jax.process_count()} processes have {len(there)} in all; "
            "leave the option out, every process takes part with all its devices."
        )
    return jax.make_mesh((count,), (SIMULATIONS,), (AxisType.Auto,), devices=there[:count])


def replicated(mesh: Mesh) -> NamedSharding:
    """On every device."""
    return NamedSharding(mesh, PartitionSpec())


def split_along(mesh: Mesh, axis: int) -> NamedSharding:
    """Split along `axis`, that of the simulations."""
    return NamedSharding(mesh, along(axis))


def along(axis: int) -> PartitionSpec:
    """Axis `axis` is that of the simulations."""
    return PartitionSpec(*[None] * axis, SIMULATIONS)


def place(tree: Any, sharding: Any) -> Any:
    """Arrays, the same in every process, on the devices of `sharding`."""
    return jax.device_put(tree, sharding)


def each_on_its_device(mesh: Mesh, in_axes: tuple, out_axes: Any):
    """Decorator: run the function on the part of every device, with no exchange at all.

    Axes are those of the simulations, None for what is the same everywhere. Left to itself the partitioner
    would bring all fields together for every Fourier transform.
    """
    specs = partial(jax.tree.map, lambda axis: PartitionSpec() if axis is None else along(axis))
    none = {"is_leaf": lambda axis: axis is None}
    return lambda function: jax.shard_map(
        function,
        mesh=mesh,
        in_specs=specs(in_axes, **none),
        out_specs=specs(out_axes, **none),
        check_vma=False,
    )


def join_processes() -> None:
    """Make this process one of many, each started by the same command (`jax.distributed`).

    JAX_COORDINATOR_ADDRESS (host:port of process 0), JAX_NUM_PROCESSES and JAX_PROCESS_ID say which;
    under Slurm, Open MPI or on a TPU pod none of them is needed. SetupError: they are incomplete, or nobody
    answers.
    """
    given = {name: os.environ[name] for name in PROCESSES if name in os.environ}
    if given and len(given) < len(PROCESSES):
        missing = ", ".join(name for name in PROCESSES if name not in given)
        raise SetupError(
            f"--distributed: {', '.join(given)} is set but {missing} is not; set all three, or none under "
            "Slurm, Open MPI or on a TPU pod."
        )
    try:
        if given:
            address, processes, process = given.values()
            jax.distributed.initialize(address, int(processes), int(process))
        else:
            jax.distributed.initialize()
    except (RuntimeError, ValueError) as error:
        raise SetupError(
            f"--distributed: this process could not join the others ({error}); set {', '.join(PROCESSES)}, "
            "the address being host:port of process 0."
        ) from error


def is_first_process() -> bool:
    """Whether this process is the one that writes files."""
    return jax.process_index() == 0


def agreed(decision: bool) -> bool:  # noqa: FBT001 (the argument is the whole function)
    """The decision of the first process, in every process: clocks differ."""
    if jax.process_count() == 1:
        return decision
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return bool(broadcast_one_to_all(jax.numpy.asarray(decision)))
