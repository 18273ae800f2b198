"""Advantages and value targets along trajectories; time is the first axis, further axes are a batch.

A step t has the value V_t of its observation and V'_t of the FINAL observation that followed it (before any
reset). A terminated step has no future; a truncated one has, worth V'_t. Neither lets later steps of the
array, which belong to the next episode, flow back.
"""

import jax
import jax.numpy as jnp


def generalized_advantages(
    rewards: jax.Array,
    values: jax.Array,
    next_values: jax.Array,
    terminated: jax.Array,
    truncated: jax.Array,
    *,
    discount: float,
    trace: float,
) -> jax.Array:
    """A_t = δ_t + γλ A_{t+1} [no end at t], δ_t = r_t + γ V'_t [not terminated] − V_t (Schulman et al. 2016).

    All arrays (T, ...); after the last step A is zero.
    """
    deltas = rewards + discount * jnp.where(terminated, 0.0, next_values) - values
    carries = discount * trace * (1.0 - (terminated | truncated))

    def backward(advantage, step):
        delta, carry = step
        advantage = delta + carry * advantage
        return advantage, advantage

    return jax.lax.scan(backward, jnp.zeros_like(deltas[0]), (deltas, carries), reverse=True)[1]


def retrace_targets(
    rewards: jax.Array,
    values: jax.Array,
    next_values: jax.Array,
    weights: jax.Array,
    terminated: jax.Array,
    truncated: jax.Array,
    *,
    discount: float,
) -> jax.Array:
    """V^tbc_t = V_t + min(1, ρ_t) (r_t + γ V^tbc_{t+1} − V_t), backwards (V-trace/Retrace form of V-RACER).

    `weights` ρ_t are importance weights. Past an end, and past the last step, V^tbc_{t+1} is 0 when
    terminated and V'_t otherwise. All arrays (T, ...).
    """
    ends = (terminated | truncated).at[-1].set(True)
    clipped = jnp.minimum(1.0, weights)

    def backward(later, step):
        reward, value, next_value, weight, end, dead = step
        future = jnp.where(dead, 0.0, jnp.where(end, next_value, later))
        target = value + weight * (reward + discount * future - value)
        return target, target

    steps = (rewards, values, next_values, clipped, ends, terminated)
    return jax.lax.scan(backward, jnp.zeros_like(rewards[0]), steps, reverse=True)[1]


def bootstrapped_returns(
    rewards: jax.Array,
    targets: jax.Array,
    next_values: jax.Array,
    terminated: jax.Array,
    truncated: jax.Array,
    *,
    discount: float,
) -> jax.Array:
    """q_t = r_t + γ V^tbc_{t+1}, with the `targets` V^tbc of `retrace_targets` and its rule for ends.

    All arrays (T, ...).
    """
    ends = (terminated | truncated).at[-1].set(True)
    later = jnp.where(ends, next_values, jnp.roll(targets, -1, axis=0))
    return rewards + discount * jnp.where(terminated, 0.0, later)
