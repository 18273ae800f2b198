"""Batches from a store that is larger than memory: shuffled, read ahead in parallel, resumable.

The order of time steps is a permutation of each epoch; `group` steps at a time are read, their columns are
shuffled together and cut into batches. Everything follows from (seed, batch number), so a resumed run draws
the batches that the uninterrupted one would have drawn. TensorStore reads `ahead` groups in the background,
and memory holds no more than those.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorstore as ts

from ...contracts.errors import InputError
from ...contracts.variables import FeatureSet
from .columns import ColumnSet, inputs_of, targets_of
from .store import grid_of, open_array, read_header


@dataclass(frozen=True)
class Order:
    """Which time steps form a group, and which batch lies where."""

    steps: np.ndarray
    ncol: int
    batch: int
    group: int
    seed: int

    def __post_init__(self):
        if self.batches_per_group < 1:
            raise InputError(
                f"A group of {self.group} steps × {self.ncol} columns holds no batch of {self.batch} rows; "
                "read more steps at a time."
            )
        if self.steps.size < self.group:
            raise InputError(f"Only {self.steps.size} time steps, fewer than the group of {self.group}.")

    @property
    def batches_per_group(self) -> int:
        return self.group * self.ncol // self.batch

    @property
    def groups_per_epoch(self) -> int:
        return self.steps.size // self.group

    def times(self, number: int) -> np.ndarray:
        """Time indices of group `number`, counted over all epochs."""
        epoch, place = divmod(number, self.groups_per_epoch)
        order = np.random.default_rng((self.seed, epoch)).permutation(self.steps)
        return np.sort(order[place * self.group : (place + 1) * self.group])

    def rows(self, number: int) -> np.ndarray:
        """Shuffled rows of group `number`."""
        return np.random.default_rng((self.seed, 1, number)).permutation(self.group * self.ncol)


def stream_batches(
    path: Path,
    features: FeatureSet,
    *,
    batch: int,
    times: np.ndarray | None = None,
    group: int = 32,
    ahead: int = 2,
    seed: int = 0,
    cache_bytes: int = 64 << 20,
) -> Callable[[int], dict[str, np.ndarray]]:
    """step → {"inputs", "targets"} of `batch` rows, raw units, from the store `path`.

    times: indices that may be used (a split); default all. cache_bytes: limit of TensorStore's chunk cache.
    """
    header = read_header(path)
    grid, stamps = grid_of(header), np.asarray(header["stamps"], np.int64)
    steps = np.arange(len(stamps)) if times is None else np.asarray(times)
    order = Order(steps, grid.ncol, batch, min(group, steps.size), seed)
    context = ts.Context({"cache_pool": {"total_bytes_limit": cache_bytes}})
    needed = _stored(features, header["names"])
    arrays = {name: open_array(path, name, header, context) for name in needed}
    pending: dict[int, dict[str, ts.Future]] = {}
    ready: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def request(number: int) -> None:
        if number not in pending and number not in ready:
            chosen = order.times(number)
            pending[number] = {name: array[chosen].read() for name, array in arrays.items()}

    def load(number: int) -> tuple[np.ndarray, np.ndarray]:
        request(number)
        fields = {name: np.asarray(future.result()) for name, future in pending.pop(number).items()}
        chosen = order.times(number)
        columns = ColumnSet(fields, stamps[chosen, 0], stamps[chosen, 1], grid)
        rows = order.rows(number)
        return inputs_of(columns, features)[rows], targets_of(columns, features)[rows]

    def batch_at(step: int) -> dict[str, np.ndarray]:
        number, place = divmod(step, order.batches_per_group)
        if number not in ready:
            ready.clear()
            for stale in [n for n in pending if not number <= n <= number + ahead]:
                del pending[stale]
            ready[number] = load(number)
            for coming in range(number + 1, number + 1 + ahead):
                request(coming)
        inputs, targets = ready[number]
        span = slice(place * batch, (place + 1) * batch)
        return {"inputs": inputs[span], "targets": targets[span]}

    return batch_at


# Derived fields and what they are made of; the rest of a feature set is read as it is stored.
_MADE_OF = {
    "state_rh": ("state_t", "state_q0001", "state_ps"),
    "state_qn": ("state_q0002", "state_q0003"),
    "liq_partition": ("state_t",),
    "ptend_qn": ("ptend_q0002", "ptend_q0003"),
    "coszrs_end": (),
    "clat": (),
    "slat": (),
    "icol": (),
}


def _stored(features: FeatureSet, names: list[str]) -> list[str]:
    wanted = (*features.inputs, *features.outputs)
    needed = [part for name in wanted for part in ((name,) if name in names else _MADE_OF.get(name, (name,)))]
    return list(dict.fromkeys(needed))
