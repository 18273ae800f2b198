"""What a learner asks of an environment, and trajectories of many copies. Nothing here knows turbulence."""

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import nnx

from . import squashed_normal


class Environment(Protocol):
    """Pure functions of one simulation; actions are arrays of `action_shape` in −1 … 1.

    `step` gives (observation, state, reward, terminated, truncated, info) and resets by itself;
    info["final_observation"] is what was seen before a reset.
    """

    horizon: int
    action_shape: tuple[int, ...]

    def reset(self, key: jax.Array, params: Any, elapsed: Any = 0) -> tuple[Any, Any]: ...

    def step(self, key: jax.Array, state: Any, action: jax.Array, params: Any) -> tuple: ...


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trajectory:
    """Steps of E simulations, leading axes (T, E): seen, done (unsquashed), earned, and by what policy."""

    observation: Any
    final_observation: Any
    unsquashed: jax.Array
    mean: jax.Array
    std: jax.Array
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array


def begin(environment: Environment, params: Any, key: jax.Array, count: int) -> tuple[Any, Any]:
    """`count` simulations, each at a random moment of its episode so that they do not all end at once."""
    key, late = jax.random.split(key)
    elapsed = jax.random.randint(late, (count,), 0, environment.horizon)
    reset = jax.vmap(environment.reset, in_axes=(0, None, 0))
    return reset(jax.random.split(key, count), params, elapsed)


def rollout(
    environment: Environment,
    params: Any,
    policy: nnx.Module,
    start: tuple[Any, Any],
    key: jax.Array,
    *,
    steps: int,
    shared_noise: float,
) -> tuple[tuple[Any, Any], Trajectory]:
    """March all simulations `steps` actions under the stochastic policy; `start` = (observation, state)."""
    count = jax.tree.leaves(start[1])[0].shape[0]
    graphdef, variables = nnx.split(policy)
    act = jax.vmap(environment.step, in_axes=(0, 0, 0, None))
    draw = jax.vmap(squashed_normal.sample, in_axes=(0, 0, 0, None))

    def one(carry, key):
        observation, state = carry
        noise_key, step_key = jax.random.split(key)
        mean, std = nnx.merge(graphdef, variables).policy(observation)
        unsquashed = draw(jax.random.split(noise_key, count), mean, std, shared_noise)
        seen, state, reward, terminated, truncated, info = act(
            jax.random.split(step_key, count), state, squashed_normal.squash(unsquashed), params
        )
        final = info["final_observation"]
        kept = Trajectory(observation, final, unsquashed, mean, std, reward, terminated, truncated)
        return (seen, state), kept

    return jax.lax.scan(one, start, jax.random.split(key, steps))


def reward_scale(trajectory: Trajectory) -> jax.Array:
    """Root mean square of the rewards that are no penalty: rewards are divided by it, so that cases agree."""
    alive = ~trajectory.terminated
    return jnp.sqrt(
        jnp.sum(jnp.where(alive, trajectory.reward, 0.0) ** 2) / jnp.maximum(alive.sum(), 1) + 1e-8
    )
