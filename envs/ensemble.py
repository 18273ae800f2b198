"""Long runs of an ensemble of large-eddy simulations, each with its own closure, and their statistics.

    ensemble = Ensemble(environment, lambda member, steps: member, plan)
    found = ensemble.run(params, members)

One compiled function marches all simulations by any number of samples; only means leave the device. It is
compiled once for each shape of the members, so one `Ensemble` may run many sets of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import InputError
from ..sims.closures.flow import Flow
from ..sims.turbulence2d.jax_solver import State, make_operators, make_step, vorticity
from ..sims.turbulence2d.statistics.distribution import HistogramBins, exceedance, histogram, raw_moments
from .closure_env import KIND, ClosureEnv, EnvParams
from .targets import Measures, directional_spectrum, measure

MakeClosure = Callable[[Any, jax.Array], Callable[[Flow], jax.Array]]


@dataclass(frozen=True)
class RunPlan:
    """Times are dimensionless: `spin_up` before the first sample, then `blocks` means of `block_time` each,
    sampled every `sample_interval`; `bins` of the histogram of ω/σ_ref."""

    spin_up: float = 10.0
    blocks: int = 20
    block_time: float = 5.0
    sample_interval: float = 0.2
    bins: HistogramBins = field(default_factory=HistogramBins)

    def __post_init__(self):
        if not (self.blocks >= 1 and 0.0 < self.sample_interval <= self.block_time and self.spin_up >= 0.0):
            raise InputError(
                f"A run has {self.blocks} blocks of {self.block_time} sampled every {self.sample_interval} "
                f"after a spin-up of {self.spin_up}; expected at least one block, not below the interval."
            )

    @property
    def time(self) -> float:
        """Sampled time of one simulation."""
        return self.blocks * self.block_time


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Carry:
    """What E simulations continue from: flows and memories of the reward, leading axis E."""

    flow: State
    memory: Measures


def no_more(closure: Callable, flow: Flow) -> dict[str, jax.Array]:
    """Nothing is observed beside the statistics that every run has."""
    return {}


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Simulations of one environment that differ in their closures and initial states.

    make_closure: (member, steps taken) → closure, inside the compiled loop; a policy without a formula may
        draw its actions by the number of steps.
    observe: (closure, flow) → more arrays to average over the samples.
    """

    environment: ClosureEnv
    make_closure: MakeClosure
    plan: RunPlan = field(default_factory=RunPlan)
    observe: Callable[[Callable, Flow], dict[str, jax.Array]] = no_more

    @property
    def interval(self) -> int:
        """Time steps between samples, at least 1."""
        return max(1, round(self.plan.sample_interval / self.environment.numerics.dt))

    def samples(self, time: float) -> int:
        """Samples in `time`, to the nearest."""
        return round(time / (self.interval * self.environment.numerics.dt))

    def begin(self, params: EnvParams, count: int) -> Carry:
        """`count` simulations, number e from initial state e modulo the number of those."""
        starts = params.starts[np.arange(count) % params.starts.shape[0]]
        memory = self.environment.reward.begin(params.target)
        repeated = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *jnp.shape(leaf))), memory)
        return Carry(State(starts, jnp.zeros_like(starts), jnp.zeros(count, jnp.int32)), repeated)

    def advance(self, carry: Carry, members: Any, params: EnvParams, samples: int):
        """(carry, means over `samples` samples, [E, ...] by name)."""
        return self._advance(carry, members, params, jnp.asarray(samples, jnp.int32))

    def run(
        self,
        params: EnvParams,
        members: Any,
        progress: Callable[..., None] = lambda done, total: None,
    ) -> dict[str, np.ndarray]:
        """Block means, [E, block, ...], of `spectrum` (D, K), `histogram`, `raw_moments`, `exceedance`,
        `reward`, and what `observe` adds; `alive` [E, block] is the share of samples at which |ω| was below
        the environment's limit.

        members: pytree with a leading axis E. A simulation that blows up stays so: its later blocks are NaN
        or senseless, the others do not notice.
        """
        carry = self.begin(params, jax.tree.leaves(members)[0].shape[0])
        if spin_up := self.samples(self.plan.spin_up):
            carry, _ = self.advance(carry, members, params, spin_up)
        blocks = []
        for number in range(self.plan.blocks):
            carry, means = self.advance(carry, members, params, self.samples(self.plan.block_time))
            blocks.append({name: np.asarray(value, np.float64) for name, value in means.items()})
            progress(number + 1, self.plan.blocks)
        return {name: np.stack([block[name] for block in blocks], axis=1) for name in blocks[0]}

    @cached_property
    def _advance(self):
        sample = jax.vmap(self._sample, in_axes=(0, 0, None))

        @jax.jit
        def advance(carry: Carry, members: Any, params: EnvParams, samples: jax.Array):
            shapes = jax.eval_shape(sample, carry, members, params)[1]
            sums = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

            def one(_, loop):
                carry, values = sample(loop[0], members, params)
                return carry, jax.tree.map(jnp.add, loop[1], values)

            carry, sums = jax.lax.fori_loop(0, samples, one, (carry, sums))
            return carry, jax.tree.map(lambda total: total / samples, sums)

        return advance

    def _sample(self, carry: Carry, member: Any, params: EnvParams):
        """(carry, statistics) of one simulation an interval later."""
        environment = self.environment

        def step(flow: State) -> State:
            closure = self.make_closure(member, flow.steps)
            return make_step(environment.case, environment.n, environment.numerics, closure, "float32")(flow)

        flow = jax.lax.scan(lambda flow, _: (step(flow), None), carry.flow, length=self.interval)[0]
        omega, target = vorticity(flow), params.target
        directions, carried = target.spectrum.shape
        elapsed = self.interval * environment.numerics.dt
        now = measure(flow.vorticity_hat, omega, target)
        reward, memory = environment.reward(now, carry.memory, target, elapsed)
        sound = jnp.max(jnp.abs(omega)) < environment.limit * target.sigma_reference
        instant = Flow.of(flow.vorticity_hat, make_operators(environment.grid, KIND))
        statistics = {
            "spectrum": directional_spectrum(flow.vorticity_hat, carried, directions),
            "histogram": histogram(omega, target.sigma_reference, self.plan.bins),
            "raw_moments": raw_moments(omega),
            "exceedance": exceedance(omega, target.sigma_reference),
            "reward": reward,
            "alive": sound.astype(jnp.float32),
            **self.observe(self.make_closure(member, flow.steps), instant),
        }
        return Carry(flow, memory), statistics
