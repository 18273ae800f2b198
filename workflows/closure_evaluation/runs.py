"""Long runs of the rows of the table from held-out states: block means by name."""

import time
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from ...envs.closure_env import ClosureEnv, EnvParams
from ...envs.ensemble import Ensemble, RunPlan
from ...sims.closures.flow import Flow
from ...sims.turbulence2d.statistics.spectra import shell_spectrum
from ...sims.turbulence2d.statistics.transfer import mode_energy_transfer, mode_enstrophy_transfer
from ..progress import Progress, silent
from .rows import Rows

Runs = dict[str, dict[str, np.ndarray]]


def closure_transfer(closure: Callable, flow: Flow) -> dict[str, jax.Array]:
    """P_Z(k) and P_E(k), (shell,): rates at which Π feeds enstrophy and energy to the shells (negative:
    dissipation)."""
    hat = flow.vorticity_hat
    tendency = jnp.broadcast_to(jnp.asarray(closure(flow), hat.dtype), hat.shape)
    missing = hat.shape[-2] // 2 + 1 - hat.shape[-1]
    hat, tendency = (jnp.pad(a, ((0, 0), (0, missing))) for a in (hat, tendency))
    return {
        "enstrophy_transfer": shell_spectrum(mode_enstrophy_transfer(hat, tendency)),
        "energy_transfer": shell_spectrum(mode_energy_transfer(hat, tendency)),
    }


def run_rows(
    environment: ClosureEnv, params: EnvParams, rows: Rows, plan: RunPlan, progress: Progress = silent
) -> Runs:
    """Block means, [seed, block, ...], of every row by name.

    `cost` [seed, block] is the wall time [s] per unit of time and simulation, with all simulations of the
    group side by side and without compilation.
    """
    finished = []

    def tick(done: float, total: float) -> None:
        finished.append(time.perf_counter())
        progress(done, total)

    count = jax.tree.leaves(rows.members)[0].shape[0]
    found = Ensemble(environment, rows.make_closure, plan, closure_transfer).run(params, rows.members, tick)
    steady = (finished[-1] - finished[0]) / max(len(finished) - 1, 1)
    found["cost"] = np.full((count, plan.blocks), steady / (plan.block_time * count))
    seeds = count // len(rows.names)
    return {
        name: {key: value[i * seeds : (i + 1) * seeds] for key, value in found.items()}
        for i, name in enumerate(rows.names)
    }


def survivors(run: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which simulations of a run stayed within the limit to its end, [seed] of bool."""
    return run["alive"].min(1) > 0.999


def only(run: Mapping[str, np.ndarray], chosen: np.ndarray) -> dict[str, np.ndarray]:
    """The run of the chosen simulations."""
    return {name: value[chosen] for name, value in run.items()}


def blow_up_times(run: Mapping[str, np.ndarray], block_time: float) -> np.ndarray:
    """Sampled time after which each simulation that did not survive left the limit, [dead]."""
    return run["alive"][~survivors(run)].sum(1) * block_time
