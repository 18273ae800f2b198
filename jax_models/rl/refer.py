"""Remember and forget experience replay (Novati and Koumoutsakos 2019): how far old steps may teach.

A step was made by a behaviour policy, N(μ_b, s_b), and is judged by ρ = π(u)/π_b(u), one a agent.

    near policy      1/c < ρ < c,  c = 1 + C/(1 + A n) after n updates
    gradient         β [near] ∇(policy objective) − (1 − β) ∇KL(π_b ‖ π)
    β                ← (1 − η) β + η [far share ≤ D]

Where too much of the memory is far, β falls and the policy is pulled back to those that made the memory.
With A = 5e-8 the cutoff is that of the published runs, 5/(1 + A n), which for larger A would fall below one.
"""

import jax
import jax.numpy as jnp

from . import squashed_normal


def cutoff(updates: jax.Array, *, excess: float, annealing: float) -> jax.Array:
    """c = 1 + C/(1 + A n)."""
    return 1.0 + excess / (1.0 + annealing * updates)


def log_weights(
    unsquashed: jax.Array, policy: tuple[jax.Array, jax.Array], behaviour: tuple[jax.Array, jax.Array]
) -> jax.Array:
    """ln ρ, (...), of u (..., C) under two policies (μ, s): the components of an action are independent."""
    density = squashed_normal.log_density
    return jnp.sum(density(unsquashed, *policy) - density(unsquashed, *behaviour), axis=-1)


def near_policy(log_weight: jax.Array, limit: jax.Array) -> jax.Array:
    """1/c < ρ < c."""
    return jnp.abs(log_weight) < jnp.log(limit)


def pull(policy: tuple[jax.Array, jax.Array], behaviour: tuple[jax.Array, jax.Array]) -> jax.Array:
    """KL(π_b ‖ π), (...), of policies (μ, s), each (..., C)."""
    return jnp.sum(squashed_normal.divergence(*behaviour, *policy), axis=-1)


def trust(old: jax.Array, far_share: jax.Array, *, tolerated: float, rate: float) -> jax.Array:
    """The next β: it grows towards one while the share of far steps is tolerated, and falls otherwise."""
    return (1.0 - rate) * old + rate * (far_share <= tolerated)
