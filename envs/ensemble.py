"""Long runs of an ensemble of large-eddy simulations, each with its own closure constants; their statistics.

Everything is one compiled loop on the device: only block means leave it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..sims.turbulence2d.jax_solver import State, make_step, vorticity
from ..sims.turbulence2d.statistics.distribution import HistogramBins, exceedance, histogram, raw_moments
from .closure_env import ClosureEnv, EnvParams
from .targets import directional_spectrum, measure


@dataclass(frozen=True)
class RunPlan:
    """Times are dimensionless: `spin_up` before the first sample, then `blocks` means of `block_time` each,
    sampled every `sample_interval`; `bins` of the histogram of ω/σ_ref."""

    spin_up: float = 10.0
    blocks: int = 20
    block_time: float = 5.0
    sample_interval: float = 0.2
    bins: HistogramBins = field(default_factory=HistogramBins)

    @property
    def time(self) -> float:
        """Sampled time of one simulation."""
        return self.blocks * self.block_time


def run_ensemble(
    environment: ClosureEnv,
    params: EnvParams,
    make_closure: Callable[[Any], Callable],
    members: Any,
    plan: RunPlan,
) -> dict[str, np.ndarray]:
    """Block means of E simulations, [E, block, ...], of `spectrum` (D, K), `histogram`, `raw_moments`,
    `exceedance`, `reward`; `alive` [E, block] is the share of samples at which the vorticity was finite.

    members: pytree with a leading axis E, one entry of which `make_closure` turns into a closure (called
        inside the compiled loop). Simulation e starts from initial state e modulo their number.
    A simulation that blows up stays so: its later blocks are NaN.
    """
    numerics = environment.numerics
    interval = round(plan.sample_interval / numerics.dt)
    samples = round(plan.block_time / (interval * numerics.dt))
    spin_up = round(plan.spin_up / (interval * numerics.dt))
    count = jax.tree.leaves(members)[0].shape[0]
    starts = params.starts[np.arange(count) % params.starts.shape[0]]

    def one(start: jax.Array, member: Any, params: EnvParams) -> dict[str, jax.Array]:
        step = make_step(environment.case, environment.n, numerics, make_closure(member), "float32")

        def sample(carry, _):
            flow, memory = carry
            flow = jax.lax.scan(lambda flow, _: (step(flow), None), flow, length=interval)[0]
            return _sample(environment, params, plan, flow, memory, interval * numerics.dt)

        def block(carry, _):
            carry, values = jax.lax.scan(sample, carry, length=samples)
            return carry, jax.tree.map(lambda value: value.mean(0), values)

        flow = State(start, jnp.zeros_like(start), jnp.zeros((), jnp.int32))
        carry = (flow, environment.reward.begin(params.target))
        carry = jax.lax.scan(lambda carry, _: (sample(carry, None)[0], None), carry, length=spin_up)[0]
        return jax.lax.scan(block, carry, length=plan.blocks)[1]

    found = jax.jit(jax.vmap(one, in_axes=(0, 0, None)))(starts, members, params)
    return {name: np.asarray(value, np.float64) for name, value in found.items()}


def _sample(environment: ClosureEnv, params: EnvParams, plan: RunPlan, flow: State, memory, elapsed: float):
    """((flow, memory), statistics of the instant)."""
    omega, target = vorticity(flow), params.target
    directions, carried = target.spectrum.shape
    reward, memory = environment.reward(measure(flow.vorticity_hat, omega, target), memory, target, elapsed)
    statistics = {
        "spectrum": directional_spectrum(flow.vorticity_hat, carried, directions),
        "histogram": histogram(omega, target.sigma_reference, plan.bins),
        "raw_moments": raw_moments(omega),
        "exceedance": exceedance(omega, target.sigma_reference),
        "reward": reward,
        "alive": jnp.all(jnp.isfinite(omega)).astype(jnp.float32),
    }
    return (flow, memory), statistics
