"""What a DNS run is to do: stages of the spin-up, sampling, what is kept; from the user's choices."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np

from ..contracts.errors import InputError
from ..sims.turbulence2d.cases import Case
from ..sims.turbulence2d.numerics import (
    Dealiasing,
    Numerics,
    carried_wavenumber,
    check_grid,
    smallest_grid,
    stable_dt,
)
from ..sims.turbulence2d.statistics import HistogramBins
from ..sims.turbulence2d.statistics.sample import ReferenceMeasures
from ..validation.reference_values import SIGMA_REFERENCE

SAMPLE_INTERVAL = 0.2  # about one eddy time 1/σ
SAMPLES_PER_SNAPSHOT = 5
LEVELS = (128, 64, 32, 16)
STATE_GRID = 128
LOG_WAVENUMBERS = 64
PAIR_WIDTH = 2.0  # Δ_f in units of Δ_c: narrower kernels make labels that truncation dominates
# The spin-up runs on N/4, then N/2, then N points, for these fractions of its time.
SPIN_UP_STAGES = ((4, 0.75), (2, 0.2), (1, 0.05))


@dataclass(frozen=True)
class Stage:
    """A stretch of the run at one resolution. All dimensionless.

    grid: points per side.
    dt: time step.
    chunk: steps between two samples (or checks).
    chunks: how many.
    """

    grid: int
    dt: float
    chunk: int
    chunks: int

    @property
    def work(self) -> int:
        """Point updates per chunk, for the progress bar."""
        return self.chunk * self.grid**2


@dataclass(frozen=True)
class Plan:
    """A DNS run: case, seed, spin-up stages and the stage of sampling, which comes last."""

    case: Case
    seed: int
    spin_up: tuple[Stage, ...]
    sampling: Stage
    dealiasing: Dealiasing
    measures: ReferenceMeasures
    state_grid: int
    states: int
    pairs: int

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (*self.spin_up, self.sampling)

    @property
    def spin_up_time(self) -> float:
        """Time of all spin-up stages."""
        return sum(stage.dt * stage.chunk * stage.chunks for stage in self.spin_up)

    @property
    def log_wavenumbers(self) -> int:
        """How many wavenumbers, from 0, the series of ln Z holds: those that any of the levels carries."""
        return min(LOG_WAVENUMBERS, self.measures.carried + 1)

    @property
    def identity(self) -> str:
        """Checksum of all choices but the length of the sampling: a checkpoint continues only its own run."""
        choices = dataclasses.asdict(
            dataclasses.replace(self, sampling=dataclasses.replace(self.sampling, chunks=0))
        )
        return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()


def make_plan(case: Case, grid: int, *, time: float, spin_up: float, dt: float | None, seed: int) -> Plan:
    """The plan of a run of `case` on `grid` points per side; InputError for what cannot be."""
    dealiasing: Dealiasing = "two_thirds"
    _require_time("time", time, SAMPLE_INTERVAL)
    _require_time("spin-up", spin_up, 0.0)
    step = stable_dt(case, grid, "ifrk4") if dt is None else dt
    check_grid(case, grid, Numerics(step))
    if step > SAMPLE_INTERVAL:
        raise InputError(f"The time step {step} is longer than the sampling interval {SAMPLE_INTERVAL}.")
    pair_grid = min(64 if smallest_grid(case.forcing_wavenumber, dealiasing) <= 64 else 128, grid // 2)
    return Plan(
        case=case,
        seed=seed,
        spin_up=_spin_up_stages(case, grid, spin_up, step),
        sampling=_stage(grid, step, time),
        dealiasing=dealiasing,
        measures=ReferenceMeasures(
            case=case,
            sigma_reference=SIGMA_REFERENCE.get(case.name, 1.0),
            bins=HistogramBins(),
            levels=tuple(level for level in LEVELS if level < grid),
            pair_grid=pair_grid,
            pair_width=PAIR_WIDTH * 2.0 * math.pi / pair_grid,
            carried=carried_wavenumber(grid, dealiasing),
        ),
        state_grid=min(STATE_GRID, grid),
        states=8,
        pairs=16 if pair_grid <= 64 else 6,
    )


def _require_time(name: str, value: float, least: float) -> None:
    if not (np.isfinite(value) and value >= least):
        raise InputError(f"The {name} must be a finite number of at least {least} time units, found {value}.")


def _stage(grid: int, dt: float, time: float) -> Stage:
    chunk = math.ceil(SAMPLE_INTERVAL / dt * (1.0 - 1e-12))
    return Stage(grid, SAMPLE_INTERVAL / chunk, chunk, max(1, round(time / SAMPLE_INTERVAL)))


def _spin_up_stages(case: Case, grid: int, time: float, dt: float) -> tuple[Stage, ...]:
    """Coarse grids first; one that cannot carry the forcing leaves its share to the next."""
    stages, owed = [], 0.0
    for divisor, share in SPIN_UP_STAGES:
        owed += share * time
        coarse = grid // divisor
        usable = divisor == 1 or (
            coarse % 2 == 0 and coarse >= max(64, smallest_grid(case.forcing_wavenumber, "two_thirds"))
        )
        if usable and owed > 0.0:
            stages.append(_stage(coarse, min(dt * divisor, stable_dt(case, coarse, "ifrk4")), owed))
            owed = 0.0
    return tuple(stages)
