"""Training rows, in memory or streamed, and the batches that the supervised loop draws from them.

A batch is a function of the step number alone: that number is the position which a checkpoint saves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import jax
import numpy as np

from ..contracts.feature_sets import FeatureSet
from .constraints.levels import HybridLevels
from .data.columns import ColumnSet, inputs_of, stored_names, targets_of
from .data.source import Source
from .data.splits import absolute_seconds
from .data.stream import Stream

Arrays = dict[str, np.ndarray]
RESIDENT_BYTES = 4 << 30  # training rows up to this lie on the device, so that no step waits for the host
SAMPLE_STEPS = 64  # of a stream, whose statistics stand for those of all


@dataclass(frozen=True)
class TrainingSet:
    """Columns seen through a feature set; matrices are made once, rows are time-major.

    reference: rows from which statistics are taken (loss weights), if not from these.
    """

    columns: ColumnSet
    features: FeatureSet
    reference: "TrainingSet | None" = None

    @property
    def sample(self) -> "TrainingSet":
        """Rows in memory whose statistics stand for all."""
        return self.reference or self

    @contextmanager
    def batches(
        self, arrays_of: Callable[["TrainingSet"], Arrays], *, size: int, seed: int
    ) -> Iterator[Callable[[int], dict]]:
        """step → batch; `arrays_of` names the arrays, one row a column."""
        yield shuffled_batches(arrays_of(self), size=size, seed=seed)

    reading = "memory"

    def __len__(self) -> int:
        return self.columns.steps * self.columns.grid.ncol

    @property
    def seconds(self) -> np.ndarray:
        """(time,) when the steps were, by `absolute_seconds`."""
        return absolute_seconds(self.columns.ymd, self.columns.tod)

    @cached_property
    def inputs(self) -> np.ndarray:
        """(n, n_in) raw."""
        return inputs_of(self.columns, self.features)

    @cached_property
    def targets(self) -> np.ndarray:
        """(n, n_out) raw."""
        return targets_of(self.columns, self.features)

    @cached_property
    def mass(self) -> np.ndarray:
        """(n, nlev) Δp/g [kg m-2]."""
        mass = self.columns.grid.layer_mass(self.columns.field("state_ps"))
        return mass.reshape(len(self.inputs), -1).astype(np.float32)

    @cached_property
    def area(self) -> np.ndarray:
        """(n,) area over mean area."""
        return np.tile(self.columns.grid.area_weight, self.columns.steps).astype(np.float32)

    @property
    def levels(self) -> HybridLevels:
        return HybridLevels.of(self.columns.grid)


@dataclass(frozen=True)
class StreamedSet:
    """Columns that are read while training goes on; a few steps of them, evenly spaced, are kept in memory.

    times: time indices of the source that may be used. group, ahead: see `Stream`.
    """

    source: Source
    features: FeatureSet
    times: np.ndarray
    group: int = 32
    ahead: int = 2

    @cached_property
    def sample(self) -> TrainingSet:
        """Rows in memory whose statistics stand for all."""
        places = np.linspace(0, self.times.size - 1, min(SAMPLE_STEPS, self.times.size)).astype(int)
        return TrainingSet(
            self.source.read(stored_names(self.features), self.times[np.unique(places)]), self.features
        )

    reading = "stream"

    def __len__(self) -> int:
        return self.times.size * self.source.grid.ncol

    @property
    def seconds(self) -> np.ndarray:
        """(time,) when the steps were, by `absolute_seconds`."""
        return absolute_seconds(*self.source.stamps[self.times].T)

    @contextmanager
    def batches(
        self, arrays_of: Callable[[TrainingSet], Arrays], *, size: int, seed: int
    ) -> Iterator[Callable[[int], dict]]:
        """step → batch; `arrays_of` names the arrays, one row a column. Reading ahead ends with the block."""
        part, key = TrainingSet(self.sample.columns, self.features, self.sample), jax.random.key(seed)

        def rows_of(columns: ColumnSet) -> Arrays:
            return arrays_of(replace(part, columns=columns))

        names, size = stored_names(self.features), min(size, len(self))
        with Stream(
            self.source, rows_of, names,
            batch=size, times=self.times, group=self.group, ahead=self.ahead, seed=seed,
        ) as stream:  # fmt: skip
            yield lambda step: {**stream(step), "key": jax.random.fold_in(key, step)}


def shuffled_batches(arrays: dict[str, np.ndarray], *, size: int, seed: int) -> Callable[[int], dict]:
    """step → batch of `size` rows; every epoch is another permutation, the same for the same seed and step.

    Each batch carries a `key` for dropout. Rows that do not fill a last batch wait for another epoch.
    """
    rows = len(next(iter(arrays.values())))
    size = min(size, rows)
    arrays = resident(arrays)
    per_epoch = rows // size
    key = jax.random.key(seed)
    order: dict[int, np.ndarray] = {}

    def batch_at(step: int) -> dict:
        epoch, place = divmod(step, per_epoch)
        if epoch not in order:
            order.clear()
            order[epoch] = np.random.default_rng((seed, epoch)).permutation(rows)
        chosen = order[epoch][place * size : (place + 1) * size]
        return {**rows_of(arrays, chosen), "key": jax.random.fold_in(key, step)}

    return batch_at


def resident(arrays: Arrays) -> dict:
    """The arrays on the accelerator, where there is one and they are not too large."""
    small = sum(a.nbytes for a in arrays.values()) <= RESIDENT_BYTES
    return jax.device_put(arrays) if small and jax.default_backend() != "cpu" else arrays


def rows_of(arrays: Arrays, chosen: np.ndarray) -> dict:
    """The chosen rows of each array, picked on the device where the arrays lie there."""
    if isinstance(next(iter(arrays.values())), jax.Array):
        return _picked(arrays, chosen)
    return {name: array[chosen] for name, array in arrays.items()}


_picked = jax.jit(lambda arrays, chosen: {name: array[chosen] for name, array in arrays.items()})
