"""What the adapters share: observations as plain vectors, and the check of seeds."""

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import InputError
from .observations import Observation


def agent_view(observation: Observation) -> jax.Array:
    """`local` and `common` of every agent, (m, m, F + G): what a policy may see in any host."""
    rows, columns, _ = observation.local.shape
    shared = jnp.broadcast_to(observation.common, (rows, columns, observation.common.size))
    return jnp.concatenate([observation.local, shared], axis=-1)


def central_view(observation: Observation) -> jax.Array:
    """`local`, `common` and `memory` in a row, (m·m·F + G + H,): what a central critic may see."""
    return jnp.concatenate([observation.local.ravel(), observation.common, observation.memory])


def check_seed(seed: int | None) -> None:
    """InputError unless `seed` is None or an integer that JAX's keys take."""
    if seed is not None and not (isinstance(seed, int | np.integer) and 0 <= seed < 2**31):
        raise InputError(f"The seed is {seed!r}; expected an integer in 0 … 2³¹ − 1 or None.")
