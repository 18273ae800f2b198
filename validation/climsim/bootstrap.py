"""Is a difference more than noise? Percentile intervals from resampling time steps, whole days together.

Columns of one step share the weather and steps of one day resemble each other, so neither is resampled alone.
Of a single day nothing says how sure the scores are: its intervals are nan, its verdict is `unknown`.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """An estimate and its central interval; low and high are nan if there is none."""

    value: float
    low: float
    high: float


def resampled_blocks(blocks: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws, time) multiplicities of each time step when its blocks are drawn with replacement.

    blocks: (time,) label of the block of each step, for example the date. One block can only be drawn as it
    is, which says nothing: (0, time).
    """
    labels, index = np.unique(blocks, return_inverse=True)
    if labels.size < 2:
        return np.empty((0, index.size), np.int64)
    drawn = np.random.default_rng(seed).multinomial(labels.size, np.full(labels.size, 1 / labels.size), draws)
    return drawn[:, index]


def mean_interval(per_step: np.ndarray, counts: np.ndarray, *, level: float = 0.95) -> Interval:
    """Interval of the mean of (time,) values; `counts` from `resampled_blocks`."""
    means = counts @ per_step / counts.sum(axis=1)
    return _interval(float(per_step.mean()), means, level)


def ratio_interval(
    numerator: np.ndarray, denominator: np.ndarray, counts: np.ndarray, *, level: float = 0.95
) -> Interval:
    """Interval of mean(numerator) / mean(denominator), paired by step: both come from the same draw.

    Not finite where the denominator has no error at all.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (counts @ numerator) / (counts @ denominator)
        return _interval(float(numerator.mean() / denominator.mean()), ratios, level)


def mean_ratio_interval(
    numerators: np.ndarray, denominators: np.ndarray, counts: np.ndarray, *, level: float = 0.95
) -> Interval:
    """Interval of the mean over variables of such ratios; (variables, time) each."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = ((counts @ numerators.T) / (counts @ denominators.T)).mean(axis=1)
        value = float((numerators.mean(axis=1) / denominators.mean(axis=1)).mean())
        return _interval(value, ratios, level)


def verdict(ratio: Interval) -> str:
    """`lower`, `higher` or `noise`, by whether 1 lies inside the interval of an error ratio, or `unknown`."""
    if np.isnan(ratio.low):
        return "unknown"
    if ratio.high < 1:
        return "lower"
    return "higher" if ratio.low > 1 else "noise"


def _interval(value: float, draws: np.ndarray, level: float) -> Interval:
    if draws.size == 0:
        return Interval(value, np.nan, np.nan)
    if not np.isfinite(draws).all():
        return Interval(value, value, value)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
