"""Replay memory: the last steps of every simulation, as arrays on the devices of the simulations.

Steps lie in the order of time, the newest last, so that a backward pass over them follows every episode
without a seam. The oldest part holds nothing until the memory is full: only the newest `filled` steps count.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from .environment import Trajectory, at_slots


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Replay:
    """`steps`: (C, E) steps under the policies that made them; `filled`: how many of C count."""

    steps: Trajectory
    filled: jax.Array

    @property
    def capacity(self) -> int:
        """C, steps kept of each simulation."""
        return self.steps.reward.shape[0]

    @property
    def held(self) -> jax.Array:
        """(C,): whether a step counts."""
        return jnp.arange(self.capacity) >= self.capacity - self.filled


def begin_replay(example: Trajectory, capacity: int) -> Replay:
    """An empty memory of `capacity` steps like those of `example`."""

    def empty(array: jax.Array) -> jax.Array:
        # Ones, not zeros: an empty step has a spread by which one can divide.
        return jnp.ones((capacity, *array.shape[1:]), array.dtype)

    return Replay(jax.tree.map(empty, example), jnp.zeros((), jnp.int32))


def insert(replay: Replay, trajectory: Trajectory) -> Replay:
    """The memory with the T steps of `trajectory` as its newest; the oldest T are forgotten."""
    count = trajectory.reward.shape[0]
    steps = jax.tree.map(lambda old, new: jnp.concatenate([old[count:], new]), replay.steps, trajectory)
    return Replay(steps, jnp.minimum(replay.filled + count, replay.capacity))


def draw(key: jax.Array, replay: Replay, count: int) -> jax.Array:
    """`count` times (count, E) of every simulation, each held step as likely as any other, with repetition.

    As many of every simulation: each device then draws from what it has, and the memory never moves.
    """
    shape = (count, replay.steps.reward.shape[1])
    oldest = replay.capacity - replay.filled
    return jax.random.randint(key, shape, oldest, replay.capacity)


def recall(replay: Replay, slots: jax.Array, *others: Any) -> tuple:
    """Steps (count, E, ...) at `slots`, and the same of `others` with leading axes (C, E)."""
    return at_slots((replay.steps, *others), slots)
