"""The environment: a large-eddy simulation whose eddy-viscosity coefficients are the actions of many agents.

    environment = ClosureEnv(get_case("k4b0"), n=32)
    params = environment.params(reference)
    observation, state = environment.reset(key, params)
    observation, state, reward, terminated, truncated, info = environment.step(key, state, action, params)

Pure functions of arrays: `jax.vmap` them over keys, states and actions (not params) for hundreds of
simulations, and compile the whole. Agents are an array axis: an action is (m, m, C), in −1 … 1. `terminated`
is a blow-up, `truncated` the end of the time of an episode; either resets the simulation, and
info["final_observation"] keeps what was seen before that (`observation` is then the new episode's first).
A simulation that leaves the finite numbers gets a finite penalty and its last sound state as final
observation, so no NaN leaves the environment.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import InputError
from ..contracts.reference import Reference
from ..sims.closures.flow import Flow
from ..sims.turbulence2d.cases import Case
from ..sims.turbulence2d.grid import Grid
from ..sims.turbulence2d.jax_solver import State, initial_state, make_operators, make_step, vorticity
from ..sims.turbulence2d.numerics import Numerics, check_advection, check_grid
from .actions import Coefficient
from .initial_states import initial_states, largest_speed, stored_states
from .lattice import Lattice
from .observations import Observation, Relative
from .rewards import LogRatio
from .spectral import Shells
from .targets import Measures, Target, make_target, measure

KIND = np.dtype(np.float32)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EnvParams:
    """`starts` (S, N, K+1): ω̂ of initial states; `target` of the reward and the observation."""

    starts: jax.Array
    target: Target


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EnvState:
    """`flow` of the solver, `memory` of the reward, `elapsed` actions since the start of the episode."""

    flow: State
    memory: Measures
    elapsed: jax.Array


@dataclass(frozen=True)
class ClosureEnv:
    """One LES of `case` on N × N points with m × m agents in space, or 2 × m in the spectrum, in float32.

    `numerics`: the papers' choice is no dealiasing. `hold`: time steps an action lasts. `horizon`: actions
    an episode. `limit`: |ω| above this many σ_ref is a blow-up, which earns `penalty`.
    """

    case: Case
    n: int
    agents: int = 4
    numerics: Numerics = field(default=Numerics(dt=5e-3, dealiasing="none"))
    action: Any = field(default=Coefficient())
    observation: Any = field(default=Relative())
    reward: Any = field(default=LogRatio())
    hold: int = 10
    horizon: int = 400
    limit: float = 50.0
    penalty: float = -100.0

    def __post_init__(self):
        check_grid(self.case, self.n, self.numerics)
        if self.hold < 1 or self.horizon < 1:
            raise InputError(f"hold = {self.hold} and horizon = {self.horizon} must be at least 1.")
        self._check_places()

    def _check_places(self) -> None:
        where, seen = type(self.lattice), self.observation.places
        if where is not seen:
            raise InputError(
                f"The action puts its agents in a {where.__name__}, the observation {self.observation.name} "
                f"looks for them in a {seen.__name__}; choose an action and an observation of one kind."
            )

    @property
    def lattice(self) -> Lattice | Shells:
        """Where the agents are, in space or in the spectrum."""
        return self.action.arrange(self.agents, self.grid)

    @cached_property
    def grid(self) -> Grid:
        """Carried modes."""
        return Grid(self.n, self.numerics.dealiasing)

    @property
    def interval(self) -> float:
        """Time that an action lasts, dimensionless."""
        return self.hold * self.numerics.dt

    @property
    def action_shape(self) -> tuple[int, int, int]:
        """(m, m, C), or (2, m, C) of shells: C values for each agent."""
        return *self.lattice.shape, self.action.components

    def params(
        self, reference: Reference, *, held_out: bool = False, count: int = 64, seed: int = 0
    ) -> EnvParams:
        """Target and initial states of a reference file, from its training or its held-out states.

        InputError: the time step is too long for the velocities of the reference's states of either kind, so
        that what can be trained can be exported and judged.
        """
        fields = initial_states(reference, self.case, self.n, held_out=held_out, count=count, seed=seed)
        check_advection(self.n, self.numerics, largest_speed(stored_states(reference, self.n)))
        starts = initial_state(fields, self.numerics, "float32").vorticity_hat
        return EnvParams(starts, make_target(reference, self.case, self.n, self.grid.carried))

    def reset(
        self, key: jax.Array, params: EnvParams, elapsed: jax.Array | int = 0
    ) -> tuple[Observation, EnvState]:
        """Start an episode from a random initial state; `elapsed` > 0 starts it late in its time."""
        chosen = jax.random.randint(key, (), 0, params.starts.shape[0])
        start = params.starts[chosen]
        flow = State(start, jnp.zeros_like(start), jnp.zeros((), jnp.int32))
        memory = self.reward.begin(params.target)
        state = EnvState(flow, memory, jnp.asarray(elapsed, jnp.int32))
        return self.observe(state, params), state

    def observe(self, state: EnvState, params: EnvParams) -> Observation:
        """What agents and critic see of a state."""
        flow = Flow.of(state.flow.vorticity_hat, make_operators(self.grid, KIND))
        return Observation(
            self.observation.local(flow, self.lattice, params.target),
            self.observation.common(flow, params.target),
            self.reward.features(state.memory, params.target),
        )

    def advance(self, state: EnvState, action: jax.Array, params: EnvParams):
        """(state, reward, terminated) after an action, without reset; a blow-up leaves the state alone."""
        if action.shape != self.action_shape:
            raise InputError(f"The action has shape {action.shape}, expected {self.action_shape}.")
        closure = self.action.closure(action.astype(KIND), self.lattice, params.target)
        step = make_step(self.case, self.n, self.numerics, closure, "float32")
        flow = jax.lax.scan(lambda flow, _: (step(flow), None), state.flow, length=self.hold)[0]
        omega = vorticity(flow)
        # NaN compares false, so it counts as too large.
        sound = jnp.max(jnp.abs(omega)) < self.limit * params.target.sigma_reference
        now = measure(flow.vorticity_hat, omega, params.target)
        reward, memory = self.reward(now, state.memory, params.target, self.interval)
        new = EnvState(flow, memory, state.elapsed + 1)
        kept = jax.tree.map(lambda new, old: jnp.where(sound, new, old), new, state)
        return kept, jnp.where(sound, reward, self.penalty), ~sound

    def step(self, key: jax.Array, state: EnvState, action: jax.Array, params: EnvParams):
        """(observation, state, reward, terminated, truncated, info) of one action (m, m, C) in −1 … 1."""
        state, reward, terminated = self.advance(state, action, params)
        truncated = ~terminated & (state.elapsed >= self.horizon)
        final = self.observe(state, params)
        fresh = self.reset(key, params)
        ended = terminated | truncated
        observation, state = jax.tree.map(lambda a, b: jnp.where(ended, a, b), fresh, (final, state))
        return observation, state, reward, terminated, truncated, {"final_observation": final}
