"""Rare regimes drawn more often: importance sampling of training rows by what happens in the column.

A row of regime r is drawn with probability p_r ∝ b_r instead of 1/n. With the weight w = 1 / (n p)

    E[w loss] = Σ p (1 / (n p)) loss = ⟨loss⟩

the loss stays unbiased and only its noise moves from rare to common regimes; without the weight (`unbiased`
False) rare regimes count more, b_r times as much, and the emulator trades common columns for rare ones. Both
are choices that a bundle records.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import jax
import numpy as np

from ..contracts.errors import InputError
from .training_set import TrainingSet, resident, rows_of


@dataclass(frozen=True)
class RareRegimes:
    """Regimes by quantiles of the largest |output| in the column.

    variable: the output that tells regimes apart: heavy precipitation, strong convective heating.
    quantiles: where one regime ends and the next begins, rising within (0, 1).
    boost: how often a row of each regime is drawn, relative to the first; one more than quantiles.
    """

    variable: str = "cam_out_PRECC"
    quantiles: tuple[float, ...] = (0.9, 0.99)
    boost: tuple[float, ...] = (1.0, 2.0, 5.0)
    unbiased: bool = True

    def __post_init__(self):
        edges = (0.0, *self.quantiles, 1.0)
        rising = all(low < high for low, high in pairwise(edges))
        if not rising or len(self.boost) != len(self.quantiles) + 1 or min(self.boost) <= 0:
            raise InputError(
                f"RareRegimes: found quantiles {self.quantiles} with boost {self.boost}, expected rising "
                "quantiles within (0, 1) and one more positive boost than quantiles."
            )

    def probabilities(self, data: TrainingSet) -> np.ndarray:
        """(n,) probability of each row; they sum to 1. Raises InputError for an output the set lacks."""
        spans = data.features.output_slices
        if self.variable not in spans:
            raise InputError(
                f"RareRegimes: found variable {self.variable!r}, expected one of the outputs of feature set "
                f"{data.features.name}: {', '.join(spans)}."
            )
        strength = np.abs(data.targets[:, spans[self.variable]]).max(axis=1)
        # A row on an edge, such as a dry one where most are dry, belongs to the regime below.
        regime = np.searchsorted(np.quantile(strength, self.quantiles), strength, side="left")
        chance = np.asarray(self.boost, np.float64)[regime]
        return chance / chance.sum()

    def importance(self, probabilities: np.ndarray) -> np.ndarray:
        """(n,) weight of each row in the loss, float32."""
        plain = np.ones(len(probabilities))
        return (1 / (len(probabilities) * probabilities) if self.unbiased else plain).astype(np.float32)


def drawn_batches(
    arrays: dict[str, np.ndarray], regimes: RareRegimes, probabilities: np.ndarray, *, size: int, seed: int
) -> Callable[[int], dict]:
    """step → batch of `size` rows drawn with replacement, with their `importance` and a `key` for dropout."""
    arrays = resident(arrays | {"importance": regimes.importance(probabilities)})
    upto, key = np.cumsum(probabilities), jax.random.key(seed)

    def batch_at(step: int) -> dict:
        uniform = np.random.default_rng((seed, step)).random(size)
        rows = np.minimum(np.searchsorted(upto, uniform, side="right"), len(upto) - 1)
        return {**rows_of(arrays, rows), "key": jax.random.fold_in(key, step)}

    return batch_at
