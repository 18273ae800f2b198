"""Error bars of time means of correlated samples, by moving-block bootstrap (Künsch 1989) over block means.

The samples of one run are correlated over a few eddy times, so they are resampled in stretches. A stretch
is a tenth of the run: long against the correlation time for the runs made here, and ten stretches still
give an error bar.
"""

from collections.abc import Callable

import numpy as np

from ....contracts.errors import InputError

STRETCHES = 10


def _require_blocks(block_means: np.ndarray) -> int:
    if block_means.shape[0] < 2:
        raise InputError(
            f"An error bar needs at least 2 block means, found {block_means.shape[0]}: run longer."
        )
    return block_means.shape[0]


def standard_error(block_means: np.ndarray) -> np.ndarray:
    """Standard error of the time mean from consecutive `block_means` [block, ...], in ≤ ten stretches."""
    count = _require_blocks(block_means)
    stretches = min(STRETCHES, count)
    joined = np.stack([part.mean(axis=0) for part in np.array_split(block_means, stretches)])
    return joined.std(axis=0, ddof=1) / np.sqrt(stretches)


def moving_block_means(block_means: np.ndarray, *, replicas: int, seed: int) -> np.ndarray:
    """Bootstrap replicas of the time mean, [replica, ...], from consecutive `block_means` [block, ...]."""
    count = _require_blocks(block_means)
    length = max(1, count // STRETCHES)
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, count - length + 1, size=(replicas, -(-count // length)))
    picked = (starts[..., None] + np.arange(length)).reshape(replicas, -1)[:, :count]
    # Weights instead of a gather: [replica, block] @ [block, ...] needs no replica × block × ... array.
    weights = np.stack([np.bincount(row, minlength=count) for row in picked]) / count
    return np.tensordot(weights, block_means, axes=1)


def confidence_band(
    block_means: np.ndarray,
    *,
    statistic: Callable[[np.ndarray], np.ndarray] = lambda means: means,
    level: float = 0.95,
    replicas: int = 400,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper) percentile band at `level` of `statistic`(time mean), each shaped like the statistic.

    block_means: consecutive block means, [block, ...].
    statistic: maps means [replica, ...] to values [replica, ...].
    """
    values = statistic(moving_block_means(block_means, replicas=replicas, seed=seed))
    tail = 0.5 * (1.0 - level)
    lower, upper = np.quantile(values, [tail, 1.0 - tail], axis=0)
    return lower, upper
