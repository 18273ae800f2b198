"""Training rows of a column set, and the batches that the supervised loop draws from them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import jax
import numpy as np

from ..contracts.variables import FeatureSet
from .constraints.levels import HybridLevels
from .data.columns import ColumnSet, inputs_of, targets_of


@dataclass(frozen=True)
class TrainingSet:
    """Columns seen through a feature set; matrices are made once, rows are time-major."""

    columns: ColumnSet
    features: FeatureSet

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


def shuffled_batches(arrays: dict[str, np.ndarray], *, size: int, seed: int) -> Callable[[int], dict]:
    """step → batch of `size` rows; every epoch is another permutation, the same for the same seed and step.

    Each batch carries a `key` for dropout. Rows that do not fill a last batch wait for another epoch.
    """
    rows = len(next(iter(arrays.values())))
    size = min(size, rows)
    per_epoch = rows // size
    key = jax.random.key(seed)
    order: dict[int, np.ndarray] = {}

    def batch_at(step: int) -> dict:
        epoch, place = divmod(step, per_epoch)
        if epoch not in order:
            order.clear()
            order[epoch] = np.random.default_rng((seed, epoch)).permutation(rows)
        chosen = order[epoch][place * size : (place + 1) * size]
        return {**{n: a[chosen] for n, a in arrays.items()}, "key": jax.random.fold_in(key, step)}

    return batch_at
