"""Closures that a learned one has to beat, and constants tuned by the same reward in as many simulations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..envs.closure_env import ClosureEnv, EnvParams
from ..envs.ensemble import Ensemble, RunPlan
from ..sims.closures import get_closure
from ..sims.closures.flow import Flow
from ..sims.turbulence2d.gradient_model import gradient_model
from ..validation.turbulence import spectrum_reward
from .closure_forms import UNIFORM
from .closure_kalman import KalmanTuned
from .progress import Progress, silent

PIECE = 2.0
"""Time between two signs of life of a search."""

FAMILIES = {
    "smagorinsky": [{"smagorinsky": float(c)} for c in np.linspace(0.02, 0.30, 29)],
    "leith": [{"leith": float(c)} for c in np.linspace(0.02, 0.45, 33)],
    "jansen_held": [
        {"biharmonic": float(c), "returned": float(b)}
        for c in np.linspace(0.14, 0.34, 11)
        for b in (0.0, 0.3, 0.6, 0.8, 0.9, 1.0, 1.1, 1.3)
    ],
}

SPARING_FAMILIES = {
    "vortex_sparing": [
        {"drain": float(c), "returned": float(b), "steepness": float(p)}
        for c in np.geomspace(0.15, 1.0, 5)
        for b in np.linspace(0.9, 1.4, 6)
        for p in (2.5, 3.0, 3.5)
    ]
}
"""Tuned by ensemble Kalman inversion alone: the candidates are its prior and its budget."""


@dataclass(frozen=True)
class Tuned:
    """The best member of a family: by mean reward, and by the paper's reward of the time-mean spectrum."""

    by_reward: dict[str, float]
    by_spectrum: dict[str, float]
    table: list[dict[str, float]]


def tune(
    environment: ClosureEnv,
    params: EnvParams,
    *,
    copies: int,
    time: float,
    spin_up: float = 2.0,
    progress: Progress = silent,
) -> dict[str, Tuned]:
    """Grid search of every family over `copies` simulations of `time` for each candidate.

    `params` holds `copies` initial states, so every candidate starts from the same ones.
    """
    candidates = [(family, member) for family, members in FAMILIES.items() for member in members]
    members = UNIFORM.members([member for _, member in candidates for _ in range(copies)])
    blocks = max(1, round(time / PIECE))
    plan = RunPlan(spin_up=spin_up, blocks=blocks, block_time=time / blocks)
    runs = Ensemble(environment, UNIFORM.make_closure, plan).run(params, members, progress)
    shape = (len(candidates), copies)
    reward = runs["reward"].mean(1).reshape(shape).mean(1)
    spectrum = runs["spectrum"].mean(1)
    spectrum = spectrum.reshape(*shape, *spectrum.shape[1:]).mean((1, 2))
    target = np.asarray(params.target.spectrum, np.float64).mean(0)
    rows = [
        {
            **member,
            "family": family,
            "reward": _finite(reward[i]),
            "spectrum_reward": _finite(spectrum_reward(np.append(0.0, spectrum[i]), np.append(0.0, target))),
        }
        for i, (family, member) in enumerate(candidates)
    ]
    return {family: _best([row for row in rows if row["family"] == family]) for family in FAMILIES}


def _finite(value: float) -> float:
    """A candidate that blew up loses to all others."""
    return float(value) if np.isfinite(value) else -1e9


def _best(rows: list[dict[str, float]]) -> Tuned:
    def constants_of(row):
        return {k: v for k, v in row.items() if k not in ("family", "reward", "spectrum_reward")}

    first = max(rows, key=lambda row: row["reward"])
    second = max(rows, key=lambda row: row["spectrum_reward"])
    return Tuned(constants_of(first), constants_of(second), rows)


@dataclass(frozen=True)
class GradientModel:
    """GM2 or GM4 of the filter width `width` in grid spacings: no constant to tune."""

    order: int
    width: float = 2.0

    def __call__(self, flow: Flow) -> Any:
        """Π̂, (N, K+1)."""
        hat, ops = flow.vorticity_hat, flow.operators
        missing = hat.shape[-2] // 2 + 1 - hat.shape[-1]
        full = jnp.pad(hat, ((0, 0), (0, missing)))
        found = gradient_model(full, self.width * ops.spacing, order=self.order)
        return ops.mask * found[..., : hat.shape[-1]].astype(hat.dtype)


def uniform_baselines(
    tuned: Mapping[str, Tuned], kalman: Mapping[str, KalmanTuned]
) -> dict[str, dict[str, float]]:
    """Constants by name: the usual ones and the tuned ones (empty: no closure); one row where both searches
    agree."""
    found = {
        "none": {},
        "smagorinsky 0.11": {"smagorinsky": 0.11},
        "leith 0.17": {"leith": 0.17},
    }
    for family, best in tuned.items():
        if best.by_reward == best.by_spectrum:
            found[f"{family} tuned by search"] = best.by_reward
        else:
            found[f"{family} tuned by reward"] = best.by_reward
            found[f"{family} tuned by spectrum"] = best.by_spectrum
        found[f"{family} tuned by ensemble Kalman"] = kalman[family].constants
    return found


def sparing_baselines(kalman: Mapping[str, KalmanTuned]) -> dict[str, dict[str, float]]:
    """Constants of the vortex-sparing closure by name."""
    tuned = {f"{family} tuned by ensemble Kalman": kalman[family].constants for family in SPARING_FAMILIES}
    return {"vortex_sparing, its usual constants": {}, **tuned}


def other_baselines() -> dict[str, Callable]:
    """Closures without constants to tune, by name."""
    return {
        "dynamic_smagorinsky": get_closure("dynamic_smagorinsky"),
        "dynamic_leith": get_closure("dynamic_leith"),
        "gradient model GM2": GradientModel(2),
        "gradient model GM4": GradientModel(4),
    }
