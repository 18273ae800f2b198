"""Losses of emulators: pure functions of prediction, target and weight, each a mean over all entries.

A weight turns a raw difference into the unit in which it is judged: 1/std for the classic normalised
losses (`standard_weights`), or area · Δp/g · energy factor over the variable's spread (`energy_weights`),
which makes the mean absolute loss the published metric itself, each variable counting alike.
"""

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.feature_sets import FeatureSet
from ..contracts.variables import variable
from .normalization import spread

Array = jax.Array


def mean_squared(prediction: Array, target: Array, weight: Array) -> Array:
    """⟨(w (p − y))²⟩; all (batch, n_out), weight may be (1, n_out)."""
    return jnp.mean(jnp.square(weight * (prediction - target)))


def mean_absolute(prediction: Array, target: Array, weight: Array) -> Array:
    """⟨|w (p − y)|⟩."""
    return jnp.mean(jnp.abs(weight * (prediction - target)))


def huber(prediction: Array, target: Array, weight: Array, *, delta: float = 1.0) -> Array:
    """⟨e²/2 where |e| ≤ δ, else δ (|e| − δ/2)⟩ with e = w (p − y)."""
    error = jnp.abs(weight * (prediction - target))
    quadratic = jnp.minimum(error, delta)
    return jnp.mean(0.5 * quadratic**2 + delta * (error - quadratic))


def heteroskedastic(mean: Array, log_precision: Array, target: Array, weight: Array) -> Array:
    """⟨λ e² − ln λ⟩, e = w (μ − y), λ = exp(log_precision): HSR's likelihood (Yu et al. 2023)."""
    error = weight * (mean - target)
    return jnp.mean(jnp.exp(log_precision) * error**2 - log_precision)


def crps(samples: Array, target: Array, weight: Array) -> Array:
    """Fair CRPS of n ≥ 2 samples (n, batch, n_out): ⟨|e|⟩ − Σᵢ (x₍ᵢ₊₁₎ − x₍ᵢ₎) i (n−i) / (n (n−1))."""
    n = samples.shape[0]
    ordered = jnp.sort(weight[None] * samples, axis=0)
    rank = jnp.arange(1, n, dtype=ordered.dtype).reshape(-1, 1, 1)
    spread_term = jnp.sum(jnp.diff(ordered, axis=0) * rank * (n - rank), axis=0) / (n * (n - 1))
    return jnp.mean(jnp.mean(jnp.abs(ordered - (weight * target)[None]), axis=0) - spread_term)


def standard_weights(features: FeatureSet, targets: np.ndarray) -> np.ndarray:
    """(n_out,) 1/std of the training targets; 0 for outputs that never vary."""
    return (1.0 / spread(targets.astype(np.float64), features.output_slices)).astype(np.float32)


def energy_spreads(
    features: FeatureSet, targets: np.ndarray, mass: np.ndarray, area: np.ndarray
) -> dict[str, float]:
    """Mean absolute deviation from the median, in the unit of the metric, of each output that varies.

    targets: (n, n_out) raw training targets. mass: (n, nlev) Δp/g [kg m-2]. area: (n,) area over its mean.
    """
    spreads = {}
    for name, span in features.output_slices.items():
        judged = targets[:, span] * _metric_factor(name, mass, area)
        typical = float(np.abs(judged - np.median(judged, axis=0)).mean())
        if typical > 0:
            spreads[name] = typical
    return spreads


def energy_weights(
    features: FeatureSet,
    spreads: dict[str, float],
    mass: np.ndarray,
    area: np.ndarray,
    emphasis: dict[str, float],
) -> np.ndarray:
    """(n, n_out) weights w such that ⟨w |p − y|⟩ = Σ emphasis · MAE / spread over the outputs.

    emphasis: name → factor for outputs that should count less or more than 1; 0 leaves one out.
    """
    weights = np.zeros((len(area), features.n_out), np.float32)
    for name, spread_of in spreads.items():
        span = features.output_slices[name]
        share = features.n_out / (span.stop - span.start)
        weights[:, span] = emphasis.get(name, 1.0) * share / spread_of * _metric_factor(name, mass, area)
    return weights


def _metric_factor(name: str, mass: np.ndarray, area: np.ndarray) -> np.ndarray:
    row = variable(name)
    factor = area[:, None] * (row.energy or 1.0)
    return factor * mass if row.is_profile else factor
