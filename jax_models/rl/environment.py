"""What a learner asks of an environment, and trajectories of many copies. Nothing here knows turbulence."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh

from ..devices import each_on_its_device
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
    mesh: Mesh,
) -> tuple[tuple[Any, Any], Trajectory]:
    """March all simulations `steps` actions under the stochastic policy; `start` = (observation, state).

    Every simulation has its own keys, so that it does the same on whichever device of `mesh` it lies.
    """
    count = jax.tree.leaves(start[1])[0].shape[0]
    graphdef, variables = nnx.split(policy)
    act = jax.vmap(environment.step, in_axes=(0, 0, 0, None))
    draw = jax.vmap(squashed_normal.sample, in_axes=(0, 0, 0, None))

    @each_on_its_device(mesh, in_axes=(None, None, 0, 1), out_axes=(0, 1))
    def march(variables, params, start, keys):
        def one(carry, keys):
            observation, state = carry
            noise_keys, step_keys = keys
            mean, std = nnx.merge(graphdef, variables).policy(observation)
            unsquashed = draw(noise_keys, mean, std, shared_noise)
            seen, state, reward, terminated, truncated, info = act(
                step_keys, state, squashed_normal.squash(unsquashed), params
            )
            final = info["final_observation"]
            kept = Trajectory(observation, final, unsquashed, mean, std, reward, terminated, truncated)
            return (seen, state), kept

        return jax.lax.scan(one, start, keys)

    pairs = jax.vmap(jax.random.split)(jax.random.split(key, steps))
    each = jax.vmap(partial(jax.random.split, num=count))
    return march(variables, params, start, (each(pairs[:, 0]), each(pairs[:, 1])))


def at_slots(arrays: Any, slots: jax.Array) -> Any:
    """Entries (S, E, ...) of arrays (T, E, ...) at the times `slots` (S, E) of each simulation."""
    pick = jax.vmap(lambda array, slot: array[slot], in_axes=1, out_axes=1)
    return jax.tree.map(lambda array: pick(array, slots), arrays)


def reward_scale(trajectory: Trajectory) -> jax.Array:
    """Root mean square of the rewards that are no penalty: rewards are divided by it, so that cases agree."""
    alive = ~trajectory.terminated
    return jnp.sqrt(
        jnp.sum(jnp.where(alive, trajectory.reward, 0.0) ** 2) / jnp.maximum(alive.sum(), 1) + 1e-8
    )


def summarize(trajectory: Trajectory) -> dict[str, jax.Array]:
    """What the learning curve shows: mean reward of the living, blow-ups, action, spread."""
    alive = ~trajectory.terminated
    return {
        "reward": jnp.sum(jnp.where(alive, trajectory.reward, 0.0)) / jnp.maximum(alive.sum(), 1),
        "blow_ups": trajectory.terminated.sum().astype(jnp.float32),
        "action": squashed_normal.squash(trajectory.mean).mean(),
        "action_spread": squashed_normal.squash(trajectory.mean).std(),
        "exploration": trajectory.std.mean(),
    }
