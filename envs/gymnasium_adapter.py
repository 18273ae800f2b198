"""Many simulations as one `gymnasium.vector.VectorEnv`, for learners that speak Gymnasium.

    environment = ClosureEnv(get_case("k4b0"), n=32)
    simulations = ClosureVectorEnv(environment, environment.params(reference), num_envs=64)
    observations, infos = simulations.reset(seed=0)
    observations, rewards, terminated, truncated, infos = simulations.step(actions)

One compiled step moves all simulations, and equal environments share it. A simulation that ends starts anew
within the same step (`AutoresetMode.SAME_STEP`): its observation is the new episode's first,
infos["final_obs"] holds the last of the old one. Needs `subgrid[rl]`.
"""

from functools import partial
from typing import Any, ClassVar

import jax
import numpy as np

from ..contracts.errors import InputError, SetupError
from .adapter_edge import agent_view, check_seed
from .closure_env import KIND, ClosureEnv, EnvParams

try:
    from gymnasium.spaces import Box
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError as error:
    raise SetupError(
        "The Gymnasium adapter needs gymnasium 1.1 or later of the extra `rl`, which is not installed; "
        "type `pip install 'subgrid[rl]'`."
    ) from error


class ClosureVectorEnv(VectorEnv):
    """`num_envs` E simulations, each one environment whose m × m agents are axes of its arrays.

    Observations (E, m, m, F + G) float32: the F invariants of each agent, then the G numbers that all share.
    Actions (E, m, m, C) in −1 … 1; what lies outside counts as the bound. infos["memory"] (E, H): what the
    reward remembers, for a critic; infos["final_info"]["memory"] that of the episodes that ended.
    `reset(seed=s)` starts as `environment.reset` does with the E parts of the second part of
    `jax.random.PRNGKey(s)`.
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}

    def __init__(self, environment: ClosureEnv, params: EnvParams, num_envs: int):
        if num_envs < 1:
            raise InputError(f"num_envs = {num_envs} must be at least 1.")
        self.environment, self.params, self.num_envs = environment, params, num_envs
        self._key = self._simulations = None
        _, seen, _, _ = jax.eval_shape(partial(_begin, environment, num_envs), jax.random.PRNGKey(0), params)
        self.single_observation_space = Box(-np.inf, np.inf, seen.shape[1:], KIND)
        self.single_action_space = Box(-1.0, 1.0, environment.action_shape, KIND)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """(observations, infos) of new episodes; without `seed`, the next in turn. No option is read."""
        check_seed(seed)
        super().reset(seed=seed)
        chosen = int(self.np_random.integers(2**31)) if seed is None else seed
        self._key, seen, memory, self._simulations = _begin(
            self.environment, self.num_envs, jax.random.PRNGKey(chosen), self.params
        )
        return np.array(seen), self._infos(memory)

    def step(self, actions: np.ndarray):
        """(observations, rewards, terminated, truncated, infos), each with a leading axis E; rewards float64.

        InputError: actions of another shape, not finite or beyond −1 … 1, or no reset before.
        """
        if self._simulations is None:
            raise InputError("No episode is under way; call reset before step.")
        actions = np.asarray(actions, KIND)
        if actions.shape != self.action_space.shape or not np.isfinite(actions).all():
            raise InputError(
                f"The actions have shape {actions.shape}, {np.isfinite(actions).mean():.0%} of them finite; "
                f"expected finite numbers of shape {self.action_space.shape}."
            )
        if (largest := np.abs(actions).max()) > 1.0:
            raise InputError(
                f"The largest action is ±{largest:.6g}, expected −1 … 1; clip or squash actions before step."
            )
        (self._key, seen, memory, self._simulations), (reward, terminated, truncated), final = _advance(
            self.environment, self.num_envs, self._key, self._simulations, actions, self.params
        )
        terminated, truncated = np.array(terminated), np.array(truncated)
        infos = self._infos(memory)
        self._add_final(infos, terminated | truncated, *final)
        return np.array(seen), np.array(reward, np.float64), terminated, truncated, infos

    def _infos(self, memory: jax.Array) -> dict[str, Any]:
        return {"memory": np.array(memory), "_memory": np.ones(self.num_envs, bool)}

    def _add_final(self, infos: dict[str, Any], ended: np.ndarray, seen: jax.Array, memory: jax.Array):
        """Last observation and memory of the episodes that ended, laid out as Gymnasium's own classes do."""
        if not ended.any():
            return
        observations = np.full(self.num_envs, None, dtype=object)
        lasts = np.array(seen)
        for index in np.flatnonzero(ended):
            observations[index] = lasts[index]
        kept = np.where(ended[:, None], np.array(memory), 0)
        infos |= {"final_obs": observations, "_final_obs": ended}
        infos |= {"final_info": {"memory": kept, "_memory": ended.copy()}, "_final_info": ended.copy()}


@partial(jax.jit, static_argnums=(0, 1))
def _begin(environment, count, key, params):
    key, chosen = jax.random.split(key)
    keys = jax.random.split(chosen, count)
    observation, simulations = jax.vmap(environment.reset, (0, None))(keys, params)
    return key, jax.vmap(agent_view)(observation), observation.memory, simulations


@partial(jax.jit, static_argnums=(0, 1))
def _advance(environment, count, key, simulations, actions, params):
    key, chosen = jax.random.split(key)
    keys = jax.random.split(chosen, count)
    step = jax.vmap(environment.step, (0, 0, 0, None))
    observation, simulations, *ends, info = step(keys, simulations, actions, params)
    view, final = jax.vmap(agent_view), info["final_observation"]
    now = key, view(observation), observation.memory, simulations
    return now, ends, (view(final), final.memory)
