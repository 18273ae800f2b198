"""One simulation as a PettingZoo `ParallelEnv`, for learners that want a dict of agents.

    environment = ClosureEnv(get_case("k4b0"), n=32)
    parallel = ClosureParallelEnv(environment, environment.params(reference))
    observations, infos = parallel.reset(seed=0)
    observations, rewards, terminated, truncated, infos = parallel.step(actions)

Arrays inside, dicts at the edge: one compiled step, shared by equal environments, moves all agents. Entries
of dicts cost time in Python, so for many simulations or a lattice of thousands of agents use
`ClosureVectorEnv` or `ClosureEnv` itself.
All agents end together: terminated by a blow-up, truncated by the end of the time. Needs `subgrid[rl]`.
"""

from functools import partial
from typing import Any, ClassVar

import jax
import numpy as np

from ..contracts.errors import InputError, SetupError
from .adapter_edge import agent_view, central_view, check_seed
from .closure_env import KIND, ClosureEnv, EnvParams

try:
    from gymnasium.spaces import Box
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise SetupError(
        f"The PettingZoo adapter needs the extra `rl`, of which {error.name} is not installed; "
        "type `pip install 'subgrid[rl]'`."
    ) from error


def agent_name(row: int, column: int) -> str:
    """Name of the agent at (y, x) = (2π row/m, 2π column/m), or of shell `column` along direction `row`."""
    return f"agent_{row}_{column}"


class ClosureParallelEnv(ParallelEnv):
    """Agents `agent_j_i`, j the row along y, i the column along x.

    Observation of an agent: its F invariants, then the G numbers that all share, (F + G,) float32. Action: C
    values in −1 … 1, (C,) float32; what lies outside counts as the bound. The reward is the same for all.
    `state()` (m·m·F + G + H,) is for a central critic: invariants, shared numbers, the reward's memory.
    `reset(seed=s)` starts as `environment.reset(jax.random.PRNGKey(s), params)` does.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "subgrid_closure_v0", "render_modes": []}
    render_mode = None

    def __init__(self, environment: ClosureEnv, params: EnvParams):
        self.environment, self.params = environment, params
        rows, columns = map(range, environment.lattice.shape)
        self.possible_agents = [agent_name(row, column) for row in rows for column in columns]
        self.agents: list[str] = []
        self._generator = np.random.default_rng()
        self._simulation = self._central = None
        seen, central, _ = jax.eval_shape(partial(_begin, environment), jax.random.PRNGKey(0), params)
        self.state_space = Box(-np.inf, np.inf, central.shape, KIND)
        width, components = seen.shape[-1], environment.action.components
        self.observation_spaces = {
            agent: Box(-np.inf, np.inf, (width,), KIND) for agent in self.possible_agents
        }
        self.action_spaces = {agent: Box(-1.0, 1.0, (components,), KIND) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> Box:
        """Space of what an agent sees, (F + G,)."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """Space of what an agent sets, (C,)."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None):
        """(observations, infos) of a new episode; without `seed`, the next in turn. No option is read."""
        check_seed(seed)
        if seed is not None:
            self._generator = np.random.default_rng(seed)
        chosen = int(self._generator.integers(2**31)) if seed is None else seed
        seen, self._central, self._simulation = _begin(
            self.environment, jax.random.PRNGKey(chosen), self.params
        )
        self.agents = list(self.possible_agents)
        return self._by_agent(seen), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, np.ndarray]):
        """(observations, rewards, terminated, truncated, infos) by agent; an episode's last empties `agents`.

        InputError: agents missing or unknown, actions of another shape or not finite, an episode that ended.
        """
        if not self.agents and not actions:
            return {}, {}, {}, {}, {}
        seen, self._central, self._simulation, reward, terminated, truncated = _advance(
            self.environment, self._simulation, self._stack(actions), self.params
        )
        observations, living = self._by_agent(seen), self.agents
        reward, terminated, truncated = float(reward), bool(terminated), bool(truncated)
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            dict.fromkeys(living, reward),
            dict.fromkeys(living, terminated),
            dict.fromkeys(living, truncated),
            {agent: {} for agent in living},
        )

    def state(self) -> np.ndarray:
        """What a central critic sees now, (m·m·F + G + H,); at the end of an episode its last."""
        if self._central is None:
            raise InputError("The environment has no state before its first episode; call reset.")
        return np.array(self._central)

    def _by_agent(self, seen: jax.Array) -> dict[str, np.ndarray]:
        """Writable rows of one array, (F + G,) each."""
        return dict(zip(self.possible_agents, np.array(seen).reshape(-1, seen.shape[-1]), strict=True))

    def _stack(self, actions: dict[str, np.ndarray]) -> np.ndarray:
        """Actions in the order of the lattice, (m, m, C)."""
        if not self.agents:
            raise InputError("No episode is under way; call reset before step.")
        if actions.keys() != self.action_spaces.keys():
            wrong = sorted(map(str, actions.keys() ^ self.action_spaces.keys()))
            raise InputError(
                f"step needs one action for each of the {len(self.agents)} agents; missing or unknown: "
                f"{', '.join(wrong[:5])}."
            )
        shape = (self.environment.action.components,)
        for agent, action in actions.items():
            if np.shape(action) != shape or not np.isfinite(action).all():
                raise InputError(
                    f"The action of {agent} is {action!r}; expected finite numbers of shape {shape}."
                )
            if np.abs(action).max() > 1.0:
                raise InputError(
                    f"The action of {agent} is {action!r}, expected −1 … 1; clip or squash it before step."
                )
        stacked = np.array([actions[agent] for agent in self.possible_agents], KIND)
        return stacked.reshape(self.environment.action_shape)


@partial(jax.jit, static_argnums=0)
def _begin(environment, key, params):
    observation, simulation = environment.reset(key, params)
    return agent_view(observation), central_view(observation), simulation


@partial(jax.jit, static_argnums=0)
def _advance(environment, simulation, action, params):
    # PettingZoo's learners call reset themselves: what the environment starts anew is left unused.
    unused = jax.random.PRNGKey(0)
    _, simulation, *ends, info = environment.step(unused, simulation, action, params)
    final = info["final_observation"]
    return agent_view(final), central_view(final), simulation, *ends
