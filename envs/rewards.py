"""Rewards: how near the enstrophy spectrum of the LES is to the filtered DNS; the same for all agents.

    paper            1 / ‖k (Z − Z_ref)‖², of the instant (Mojgani et al. 2023); heavy-tailed, case-dependent
    log_ratio        1 − ln(1 + ‖ln(Z̄/Z_ref)‖²_C) of the running mean Z̄ over about one time unit
    log_ratio_tail   the same with ((ln(F̄/F_ref))/0.2)² added to the norm, F = ⟨ω⁴⟩/⟨ω²⟩² the flatness
    log_ratio_tail_long   the same of running means over five time units: less of what it judges is the
                     natural variability of the flow, which no closure should suppress

‖·‖_C is the norm of targets.py: one standard deviation of the DNS spectrum in time costs ln 2. A running mean
starts at the reference. Every reward has a memory, of which the critic sees `features`.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from ..contracts.errors import InputError
from .targets import Measures, Target

TAIL_SPREAD = 0.2
"""Spread of ln F that counts as one standard deviation, dimensionless."""


@dataclass(frozen=True)
class Paper:
    """Inverse square of the weighted spectrum error of the instant."""

    name: ClassVar[str] = "paper"

    def begin(self, target: Target) -> Measures:
        """Memory at the start of an episode."""
        return _neutral(target)

    def __call__(self, now: Measures, memory: Measures, target: Target, interval: float):
        """(reward, memory) after `interval` time units with the measures `now` at their end."""
        k = jnp.arange(1, target.spectrum.shape[-1] + 1)
        error = jnp.sum((k * (now.spectrum.mean(0) - target.spectrum.mean(0))) ** 2)
        return 1.0 / (error + 1e-6), now

    def features(self, memory: Measures, target: Target) -> jax.Array:
        """What the critic sees of the memory, (H,)."""
        return _log_ratio(memory, target).ravel()


@dataclass(frozen=True)
class LogRatio:
    """Norm of the log-ratio of the running-mean spectrum; `memory_time` of the mean, dimensionless time."""

    memory_time: float = 1.0
    tail_weight: float = 0.0

    name: ClassVar[str] = "log_ratio"

    def begin(self, target: Target) -> Measures:
        """Memory at the start of an episode: the reference."""
        return _neutral(target)

    def __call__(self, now: Measures, memory: Measures, target: Target, interval: float):
        """(reward, memory) after `interval` time units with the measures `now` at their end."""
        share = min(1.0, interval / self.memory_time)
        memory = jax.tree.map(lambda old, new: old + share * (new - old), memory, now)
        whitened = _log_ratio(memory, target) @ target.whitening.T
        norm = jnp.mean(whitened**2) + self.tail_weight * (_log_flatness(memory, target) / TAIL_SPREAD) ** 2
        return 1.0 - jnp.log1p(norm), memory

    def features(self, memory: Measures, target: Target) -> jax.Array:
        """Whitened log-ratio and log-ratio of the flatness, (D·K + 1,)."""
        whitened = _log_ratio(memory, target) @ target.whitening.T
        return jnp.append(jnp.clip(whitened.ravel(), -10, 10), jnp.clip(_log_flatness(memory, target), -3, 3))


@dataclass(frozen=True)
class LogRatioTail(LogRatio):
    """Spectrum and flatness."""

    tail_weight: float = 1.0

    name: ClassVar[str] = "log_ratio_tail"


@dataclass(frozen=True)
class LogRatioTailLong(LogRatioTail):
    """Spectrum and flatness of a long running mean."""

    memory_time: float = 5.0

    name: ClassVar[str] = "log_ratio_tail_long"


def _neutral(target: Target) -> Measures:
    return Measures(target.spectrum, target.variance, target.flatness * target.variance**2)


def _log_ratio(measures: Measures, target: Target) -> jax.Array:
    return jnp.log((measures.spectrum + 1e-20) / (target.spectrum + 1e-20))


def _log_flatness(measures: Measures, target: Target) -> jax.Array:
    return jnp.log(measures.fourth / (measures.second**2 * target.flatness) + 1e-20)


REWARDS = {kind.name: kind for kind in (Paper, LogRatio, LogRatioTail, LogRatioTailLong)}


def get_reward(name: str):
    """The reward of that name with its defaults; InputError lists the known ones."""
    if name not in REWARDS:
        raise InputError(f"Unknown reward {name!r}; known: {', '.join(REWARDS)}.")
    return REWARDS[name]()
