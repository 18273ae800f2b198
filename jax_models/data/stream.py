"""Batches from data larger than memory: shuffled, read ahead in the background, resumable.

Steps that lie together on disk form a block; each epoch permutes the blocks, `group` steps at a time are
read, and their rows are shuffled together and cut into batches. Everything follows from (seed, batch number),
so the position of a stream is one number, and a resumed run draws the batches that the uninterrupted one
would have drawn. Memory holds the group in use and the `ahead` groups that are being made.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...contracts.errors import InputError
from .columns import ColumnSet
from .source import Source

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Order:
    """Which time steps form a group, and which batch lies where."""

    steps: np.ndarray
    ncol: int
    batch: int
    group: int
    seed: int
    block: int = 1

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
        blocks = np.random.default_rng((self.seed, epoch)).permutation(-(-self.steps.size // self.block))
        places = (blocks[:, None] * self.block + np.arange(self.block)).ravel()
        order = self.steps[places[places < self.steps.size]]
        return np.sort(order[place * self.group : (place + 1) * self.group])

    def rows(self, number: int) -> np.ndarray:
        """Shuffled rows of group `number`."""
        return np.random.default_rng((self.seed, 1, number)).permutation(self.group * self.ncol)


class Stream:
    """step → one batch, a dictionary of arrays of `batch` rows; close it, or use it in a `with`.

    source: where columns come from. rows_of: columns of a group → arrays with one row a column, time-major.
    names: the variables that it needs. times: indices that may be used (a split); default all. group: steps
    that are shuffled together. ahead: groups that are made in the background.

    Raises InputError if a group holds no batch; what `source.read` raises comes with the batch that needs it.
    """

    def __init__(
        self,
        source: Source,
        rows_of: Callable[[ColumnSet], Rows],
        names: tuple[str, ...],
        *,
        batch: int,
        times: np.ndarray | None = None,
        group: int = 32,
        ahead: int = 2,
        seed: int = 0,
    ):
        steps = np.arange(len(source.stamps)) if times is None else np.asarray(times)
        group = min(group, steps.size)
        self.order = Order(steps, source.grid.ncol, batch, group, seed, min(source.block, group))
        self._source, self._rows_of, self._names, self._ahead = source, rows_of, names, ahead
        # One worker: the NetCDF library is not thread-safe, and TensorStore reads in parallel by itself.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="stream")
        self._groups: dict[int, Future[Rows]] = {}

    def __call__(self, step: int) -> Rows:
        number, place = divmod(step, self.order.batches_per_group)
        self._hold(range(number, number + 1 + self._ahead))
        span = slice(place * self.order.batch, (place + 1) * self.order.batch)
        return {name: rows[span] for name, rows in self._groups[number].result().items()}

    def close(self) -> None:
        """Forget what is being read."""
        self._pool.shutdown(cancel_futures=True)
        self._groups.clear()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _hold(self, wanted: range) -> None:
        for stale in [number for number in self._groups if number not in wanted]:
            self._groups.pop(stale).cancel()
        for number in wanted:
            if number not in self._groups:
                self._groups[number] = self._pool.submit(self._load, number)

    def _load(self, number: int) -> Rows:
        columns = self._source.read(self._names, self.order.times(number))
        order = self.order.rows(number)
        return {name: rows[order] for name, rows in self._rows_of(columns).items()}
