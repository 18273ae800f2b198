"""Data-parallel placement: rows of a batch are divided over devices, everything else lies on each of them.

Programs are compiled for all devices at once; the compiler adds the sums over devices (gradients, batch
statistics). With several processes (`jax.distributed`) each hands over only the rows of its own devices.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from ..contracts.errors import InputError

ROWS = "rows"


def devices_named(count: int) -> list[jax.Device] | None:
    """The first `count` devices; None for one, which needs no placement. In a run of several processes, all.

    Raises InputError if there are fewer.
    """
    there = jax.devices()
    if jax.process_count() > 1:
        count = len(there)
    if not 1 <= count <= len(there):
        raise InputError(f"Found {count} as the number of devices, expected 1 to {len(there)}.")
    return None if count == 1 else there[:count]


class Placement:
    """Where arrays of a training go. devices: None leaves everything on the default device."""

    def __init__(self, devices: Sequence[jax.Device] | None = None):
        self.count = 1 if devices is None else len(devices)
        self.mesh = None if devices is None else Mesh(np.array(devices), (ROWS,), axis_types=(AxisType.Auto,))

    def everywhere(self, tree: Any) -> Any:
        """Arrays, the same in every process, whole on each device."""
        return tree if self.mesh is None else jax.tree.map(self._copy, tree)

    def divided(self, batch: Any) -> Any:
        """Arrays with their first axis over the devices; scalars and random keys go everywhere.

        Raises InputError if the rows cannot be divided evenly.
        """
        return batch if self.mesh is None else jax.tree.map(self._divide, batch)

    def _copy(self, array):
        if jax.numpy.issubdtype(getattr(array, "dtype", None), jax.dtypes.prng_key):
            # Random keys as such are not placed across processes.
            return jax.random.wrap_key_data(self._copy(jax.random.key_data(array)))
        return jax.device_put(array, NamedSharding(self.mesh, PartitionSpec()))

    def _divide(self, array):
        if jax.numpy.ndim(array) == 0:
            return self.everywhere(array)
        if len(array) % self.count:
            raise InputError(
                f"A batch of {len(array)} rows cannot be divided over {self.count} devices; choose a batch "
                f"that is a multiple of {self.count}."
            )
        sharding = NamedSharding(self.mesh, PartitionSpec(ROWS))
        if jax.process_count() == 1:
            return jax.device_put(array, sharding)
        return jax.make_array_from_callback(array.shape, sharding, lambda part: np.asarray(array[part]))
