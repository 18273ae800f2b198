"""Survival: how many simulations of each closure stay sound over 10⁷ steps of 5e-4 (T = 5000), as in
Mojgani et al. (2023).

The runs go in chunks; the state after every chunk is kept, so that an interrupted run continues where it was.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ...envs.closure_env import ClosureEnv, EnvParams
from ...envs.ensemble import Carry, Ensemble, RunPlan
from ..progress import Progress, silent
from .rows import Rows
from .store import PartStore


@dataclass(frozen=True)
class Survival:
    """`ended` (S,): time at which each simulation left the limit, to a sample; infinite if it never did.
    `time`: the length of the run. `moments` (2, S, 4): mean raw moments over the first and the second half,
    NaN where a simulation did not live to the end of it."""

    ended: np.ndarray
    time: float
    moments: np.ndarray

    @property
    def fraction(self) -> float:
        """Share of simulations that survived."""
        return float(np.isinf(self.ended).mean())

    @property
    def first_end(self) -> float:
        """Time of the first blow-up, infinite if there was none."""
        return float(self.ended.min())


def run_survival(
    environment: ClosureEnv,
    params: EnvParams,
    rows: Rows,
    time: float,
    *,
    chunk: float = 50.0,
    sample_interval: float = 1.0,
    store: PartStore | None = None,
    progress: Progress = silent,
) -> dict[str, Survival]:
    """March every simulation of the group for `time`, in chunks, and say when it ended, by row."""
    plan = RunPlan(spin_up=0.0, blocks=1, block_time=chunk, sample_interval=sample_interval)
    ensemble = Ensemble(environment, rows.make_closure, plan)
    kept = store or PartStore(None, "")
    part = "survival " + ", ".join(rows.names)
    march = _begin(ensemble, params, rows)
    if found := kept.get(part):
        march = _unpack(found, march)
    per_chunk, step = ensemble.samples(chunk), ensemble.interval * environment.numerics.dt
    last = max(1, ensemble.samples(time))
    while march.samples < last:
        march = _advance(ensemble, params, rows, march, min(per_chunk, last - march.samples), last)
        kept.put(part, _pack(march))
        progress(march.samples, last, alive=float(march.alive.mean()))
    seeds = len(march.alive) // len(rows.names)
    ended = np.where(march.alive, np.inf, march.sound * step)
    moments = march.moments / np.maximum(march.counted, 1)[:, None, None]
    parts = [slice(i * seeds, (i + 1) * seeds) for i in range(len(rows.names))]
    return {
        name: Survival(ended[part], last * step, moments[:, part])
        for name, part in zip(rows.names, parts, strict=True)
    }


@dataclass(frozen=True)
class _March:
    """State of a survival run: `samples` so far, `sound` samples of each simulation before its end, `alive`,
    sums of raw moments (2, S, 4) over the samples `counted` (2,) in each half."""

    carry: Carry
    samples: int
    sound: np.ndarray
    alive: np.ndarray
    moments: np.ndarray
    counted: np.ndarray


def _begin(ensemble: Ensemble, params: EnvParams, rows: Rows) -> _March:
    count = jax.tree.leaves(rows.members)[0].shape[0]
    sums = np.zeros((2, count, 4))
    return _March(
        ensemble.begin(params, count), 0, np.zeros(count), np.ones(count, bool), sums, np.zeros(2, int)
    )


def _advance(
    ensemble: Ensemble, params: EnvParams, rows: Rows, march: _March, samples: int, last: int
) -> _March:
    carry, means = ensemble.advance(march.carry, rows.members, params, samples)
    share = np.asarray(means["alive"], np.float64)
    # Whoever left the limit once is out, even if it came back.
    sound = march.sound + np.where(march.alive, share * samples, 0.0)
    alive = march.alive & (share > 1.0 - 0.5 / samples)
    half = (np.arange(2) == int(2 * march.samples >= last)) * samples
    moments = np.where(alive[:, None], np.asarray(means["raw_moments"], np.float64), np.nan)
    return _March(
        carry,
        march.samples + samples,
        sound,
        alive,
        march.moments + np.where(half[:, None, None] > 0, samples * moments, 0.0),
        march.counted + half,
    )


def _pack(march: _March) -> dict[str, np.ndarray]:
    leaves = jax.tree.leaves(march.carry)
    return {f"carry{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)} | {
        name: np.asarray(getattr(march, name)) for name in ("samples", "sound", "alive", "moments", "counted")
    }


def _unpack(found: dict[str, np.ndarray], like: _March) -> _March:
    treedef = jax.tree.structure(like.carry)
    leaves = [jnp.asarray(found[f"carry{i}"]) for i in range(treedef.num_leaves)]
    return _March(
        jax.tree.unflatten(treedef, leaves),
        int(found["samples"]),
        found["sound"],
        found["alive"],
        found["moments"],
        found["counted"],
    )
