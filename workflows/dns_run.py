"""The run of a DNS as an object that advances by one chunk, can stop after any, and continues bit for bit."""

import time
from dataclasses import dataclass, field
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import BlowUpError
from ..sims.turbulence2d import jax_solver
from ..sims.turbulence2d.filtering import coarse_grain
from ..sims.turbulence2d.initial import random_vorticity, resample
from ..sims.turbulence2d.numerics import Numerics
from ..sims.turbulence2d.statistics import BlockMeans, SnapshotReservoir
from ..sims.turbulence2d.statistics.sample import ReferenceMeasures, reference_pair, reference_sample
from ..sims.turbulence2d.subgrid_tendency import to_grid
from .dns_plan import SAMPLES_PER_SNAPSHOT, Plan, Stage


@dataclass
class Progress:
    """Where a run stands and what it has collected; all that a checkpoint holds.

    stage, chunk: index of the stage and chunks done in it.
    state: of the solver.
    seconds: wall time spent so far.
    """

    stage: int
    chunk: int
    state: jax_solver.State
    seconds: float = 0.0
    means: BlockMeans = field(default_factory=BlockMeans)
    snapshots: SnapshotReservoir = field(default_factory=SnapshotReservoir)
    times: list[float] = field(default_factory=list)
    log_enstrophy: list[np.ndarray] = field(default_factory=list)


class DnsRun:
    """Marches a plan chunk by chunk; the compiled functions of the current stage are kept."""

    def __init__(self, plan: Plan, progress: Progress | None = None):
        self.plan = plan
        first = plan.stages[0]
        self.progress = progress or Progress(
            0, 0, self._state(random_vorticity(first.grid, plan.seed), first)
        )
        self._step = self._make_step()

    @property
    def stage(self) -> Stage:
        return self.plan.stages[self.progress.stage]

    @property
    def finished(self) -> bool:
        """Whether the last chunk of the last stage is done."""
        return self.progress.stage == len(self.plan.spin_up) and self.progress.chunk >= self.stage.chunks

    @property
    def time(self) -> float:
        """Dimensionless time of the state since the random start."""
        stages, stage = self.plan.stages, self.progress.stage
        before = sum(s.dt * s.chunk * s.chunks for s in stages[:stage])
        return before + self.progress.chunk * self.stage.chunk * self.stage.dt

    @property
    def work(self) -> tuple[int, int]:
        """(done, total) point updates."""
        stages, progress = self.plan.stages, self.progress
        done = sum(s.work * s.chunks for s in stages[: progress.stage]) + self.stage.work * progress.chunk
        return done, sum(s.work * s.chunks for s in stages)

    def advance(self) -> None:
        """One chunk of steps, and a sample in the sampling stage. BlowUpError leaves the state before it."""
        progress, began = self.progress, time.monotonic()
        state = jax_solver.march(self._step, progress.state, self.stage.chunk)
        if not bool(jnp.isfinite(jnp.abs(state.vorticity_hat).sum())):
            raise BlowUpError(
                f"DNS {self.plan.case.name} on {self.stage.grid} points blew up after time {self.time:.3g} "
                f"with dt = {self.stage.dt:.3g}; take a smaller --dt.",
                time=self.time,
            )
        if progress.stage == len(self.plan.spin_up):
            self._collect(state)
        progress.state, progress.chunk = state, progress.chunk + 1
        if progress.chunk == self.stage.chunks and progress.stage < len(self.plan.spin_up):
            self._enter_next_stage()
        progress.seconds += time.monotonic() - began

    def _collect(self, state: jax_solver.State) -> None:
        progress = self.progress
        spectrum = _full_spectrum(state)
        sample = jax.device_get(_sample(spectrum, self.plan.measures))
        if progress.chunk % SAMPLES_PER_SNAPSHOT == 0:
            wanted = progress.snapshots.wants_next
            moment = np.float32((progress.chunk + 1) * self.stage.chunk * self.stage.dt)
            snapshot = (
                {
                    "time": moment,
                    **jax.device_get(_snapshot(spectrum, self.plan.measures, self.plan.state_grid)),
                }
                if wanted
                else None
            )
            progress.snapshots.offer(snapshot)
        progress.means.add(sample)
        progress.times.append((progress.chunk + 1) * self.stage.chunk * self.stage.dt)
        progress.log_enstrophy.append(
            np.log(sample["enstrophy_mean"][: self.plan.log_wavenumbers]).astype(np.float32)
        )

    def _enter_next_stage(self) -> None:
        progress = self.progress
        finer = self.plan.stages[progress.stage + 1]
        vorticity = resample(np.asarray(jax_solver.vorticity(progress.state)), finer.grid)
        progress.state = self._state(vorticity, finer)
        progress.stage, progress.chunk = progress.stage + 1, 0
        self._step = self._make_step()

    def _numerics(self, stage: Stage) -> Numerics:
        return Numerics(stage.dt, integrator="ifrk4", dealiasing=self.plan.dealiasing)

    def _state(self, vorticity: np.ndarray, stage: Stage) -> jax_solver.State:
        return jax_solver.initial_state(vorticity, self._numerics(stage))

    def _make_step(self) -> jax_solver.Step:
        return _make_step(self.plan.case, self.stage.grid, self._numerics(self.stage))


# Kept between runs of one process, for `march` compiles anew for every step function.
_make_step = cache(jax_solver.make_step)
_sample = jax.jit(reference_sample, static_argnums=1)


@jax.jit
def _full_spectrum(state: jax_solver.State) -> jax.Array:
    """ω̂ on all columns kx = 0 … N/2 of the half spectrum."""
    grid, columns = state.vorticity_hat.shape
    missing = grid // 2 + 1 - columns
    return jnp.pad(state.vorticity_hat, [(0, 0), (0, missing)])


@partial(jax.jit, static_argnums=(1, 2))
def _snapshot(spectrum: jax.Array, measures: ReferenceMeasures, state_grid: int) -> dict[str, jax.Array]:
    filtered, tendency = reference_pair(spectrum, measures)
    fields = {
        "state": to_grid(coarse_grain(spectrum, state_grid)),
        "vorticity": to_grid(filtered),
        "tendency": to_grid(tendency),
    }
    return {name: values.astype(jnp.float32) for name, values in fields.items()}
