"""Data-parallel training: rows of a batch, or simulations, are divided over devices, everything else lies on
each of them.

Programs are compiled once for all devices; the compiler puts the sums over rows (gradients, batch statistics)
together. A run on N devices therefore makes the numbers of one, up to the order of those sums. Of several
processes (`jax.distributed`) each holds the part of its own devices.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from ..contracts.errors import InputError, SetupError

PARTS = "parts"
PROCESSES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
"""Environment of a run over several processes; without it JAX asks Slurm, Open MPI or the cloud."""


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


def first_devices(count: int | None = None) -> list[jax.Device]:
    """The first `count` devices of all hosts (default: all).

    InputError: more than there are, or in a run of several processes fewer.
    """
    there = jax.devices()
    count = len(there) if count is None else count
    if not 1 <= count <= len(there):
        raise InputError(
            f"--devices: found {count}, but JAX sees {len(there)} ({there[0].device_kind}); take 1 to "
            f"{len(there)}."
        )
    if count < len(there) and jax.process_count() > 1:
        raise InputError(
            f"--devices: found {count}, but the {jax.process_count()} processes have {len(there)} in all; "
            "leave the option out, every process takes part with all its devices."
        )
    return there[:count]


def training_devices(count: int | None = None) -> list[jax.Device]:
    """Those of a supervised training: `count`, default one, and all in a run of several processes."""
    return first_devices(1 if count is None and jax.process_count() == 1 else count)


def row_of(devices: Sequence[jax.Device]) -> Mesh:
    """The devices in one row, along which arrays are divided."""
    return Mesh(np.array(devices), (PARTS,), axis_types=(AxisType.Auto,))


def make_mesh(environments: int, devices: int | None = None) -> Mesh:
    """The first `devices` devices of all hosts (default: all) in a row on which `environments` are split.

    InputError: devices that are not there, or environments that do not divide.
    """
    chosen = first_devices(devices)
    if environments % len(chosen):
        raise InputError(
            f"{environments} environments cannot be split evenly over {len(chosen)} devices; take a multiple "
            f"of {len(chosen)} for --environments, or another number of --devices."
        )
    return row_of(chosen)


def along(axis: int) -> PartitionSpec:
    """Axis `axis` is the one that is divided."""
    return PartitionSpec(*[None] * axis, PARTS)


def split_along(mesh: Mesh, axis: int) -> NamedSharding:
    """Divided along `axis`."""
    return NamedSharding(mesh, along(axis))


def replicated(mesh: Mesh) -> NamedSharding:
    """On every device."""
    return NamedSharding(mesh, PartitionSpec())


def place(tree: Any, sharding: NamedSharding) -> Any:
    """Arrays, the same in every process, on the devices of `sharding`."""
    return jax.device_put(tree, sharding)


def each_on_its_device(mesh: Mesh, in_axes: tuple, out_axes: Any) -> Callable:
    """Decorator: run the function on the part of every device, with no exchange at all.

    Axes are those that are divided, None for what is the same everywhere. Left to itself the partitioner
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


class Placement:
    """Where arrays of a supervised training go. devices: None or one leaves everything where it is made."""

    def __init__(self, devices: Sequence[jax.Device] | None = None):
        self.count = len(devices or [None])
        self.mesh = None if self.count == 1 else row_of(devices)

    def everywhere(self, tree: Any) -> Any:
        """Arrays, the same in every process, whole on each device."""
        return tree if self.mesh is None else jax.tree.map(self._copy, tree)

    def divided(self, batch: Any) -> Any:
        """Arrays with their first axis over the devices; scalars and random keys go everywhere.

        Raises InputError if the rows cannot be divided evenly.
        """
        return batch if self.mesh is None else jax.tree.map(self._divide, batch)

    def gathered(self, tree: Any) -> Any:
        """What lies everywhere, back on the default device of this process."""
        return tree if self.mesh is None else jax.tree.map(lambda a: jax.numpy.asarray(np.asarray(a)), tree)

    def _copy(self, array):
        if jax.numpy.issubdtype(getattr(array, "dtype", None), jax.dtypes.prng_key):
            # Random keys as such are not placed across processes.
            return jax.random.wrap_key_data(self._copy(jax.random.key_data(array)))
        return place(array, replicated(self.mesh))

    def _divide(self, array):
        if jax.numpy.ndim(array) == 0:
            return self.everywhere(array)
        if len(array) % self.count:
            raise InputError(
                f"A batch of {len(array)} rows cannot be divided over {self.count} devices; choose a batch "
                f"that is a multiple of {self.count}."
            )
        sharding = split_along(self.mesh, 0)
        if jax.process_count() == 1:
            return place(array, sharding)
        return jax.make_array_from_callback(array.shape, sharding, lambda part: np.asarray(array[part]))
