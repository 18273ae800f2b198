"""Squashed normal policy: u ~ N(μ, s), action = tanh(u) in −1 … 1.

Densities, importance weights and divergences are taken in the unsquashed space of u, where they are those of
the normal distribution: the Jacobian of tanh cancels in every ratio of policies, and an action at the bound
has no infinite density. All functions work elementwise on arrays of one shape.
"""

import math

import jax
import jax.numpy as jnp

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def spread(raw: jax.Array, initial: float, smallest: float = 0.02, largest: float = 10.0) -> jax.Array:
    """s of an unbounded output: s = initial·(x + √(1 + x²)), s(0) = initial, in `smallest` … `largest`."""
    return jnp.clip(initial * (raw + jnp.sqrt(1.0 + raw**2)), smallest, largest)


def squash(unsquashed: jax.Array) -> jax.Array:
    """The action, −1 … 1."""
    return jnp.tanh(unsquashed)


def sample(key: jax.Array, mean: jax.Array, std: jax.Array, shared: float = 0.0) -> jax.Array:
    """u ~ N(μ, s), (..., C), for every agent; `shared` is the correlation of the noise between agents, 0 … 1.

    Each agent's own density stays N(μ, s). A common part explores what only moves of all agents together
    can show, which independent noises average away.
    """
    common_key, own_key = jax.random.split(key)
    common = jax.random.normal(common_key, (*[1] * (mean.ndim - 1), mean.shape[-1]), mean.dtype)
    own = jax.random.normal(own_key, mean.shape, mean.dtype)
    return mean + std * (math.sqrt(shared) * common + math.sqrt(1.0 - shared) * own)


def log_density(unsquashed: jax.Array, mean: jax.Array, std: jax.Array) -> jax.Array:
    """ln N(u; μ, s)."""
    return -0.5 * ((unsquashed - mean) / std) ** 2 - jnp.log(std) - HALF_LOG_TWO_PI


def entropy(std: jax.Array) -> jax.Array:
    """Entropy of N(μ, s)."""
    return 0.5 + HALF_LOG_TWO_PI + jnp.log(std)


def divergence(old_mean: jax.Array, old_std: jax.Array, mean: jax.Array, std: jax.Array) -> jax.Array:
    """KL(N(μ_old, s_old) ‖ N(μ, s))."""
    return jnp.log(std / old_std) + (old_std**2 + (old_mean - mean) ** 2) / (2.0 * std**2) - 0.5
