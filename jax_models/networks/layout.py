"""Between flat vectors and columns: profiles first, level by level; scalars repeated over the levels."""

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.variables import LEVELS

N_SCALARS_OUT = 8


def as_column(x: jax.Array, profiles: int) -> jax.Array:
    """(batch, profiles · 60 + scalars) to (batch, 60, profiles + scalars)."""
    batch = x.shape[0]
    upright = x[:, : profiles * LEVELS].reshape(batch, profiles, LEVELS).swapaxes(1, 2)
    scalars = x[:, None, profiles * LEVELS :]
    return jnp.concatenate([upright, jnp.broadcast_to(scalars, (batch, LEVELS, scalars.shape[-1]))], axis=-1)


def as_vector(column: jax.Array, *, scalars: int = N_SCALARS_OUT) -> jax.Array:
    """(batch, 60, profiles + scalars) to (batch, profiles · 60 + scalars), scalars averaged over levels."""
    profiles, repeated = column[..., :-scalars], column[..., -scalars:]
    return jnp.concatenate([profile_major(profiles), repeated.mean(axis=1)], axis=-1)


def profile_major(column: jax.Array) -> jax.Array:
    """(batch, 60, channels) to (batch, channels · 60), one profile after the other."""
    return column.swapaxes(1, 2).reshape(column.shape[0], -1)


def column_sizes(n_in: int, n_out: int, scalars_in: int) -> tuple[int, int, int]:
    """(profiles in, channels in, channels out) of a column network."""
    profiles = (n_in - scalars_in) // LEVELS
    return profiles, profiles + scalars_in, (n_out - N_SCALARS_OUT) // LEVELS + N_SCALARS_OUT


def channel_means(mean: jax.Array, *, scalars: int = N_SCALARS_OUT) -> jax.Array:
    """Means of outputs (n_out,) to means of channels: profiles averaged over their levels, then scalars."""
    profiles = mean[:-scalars].reshape(-1, LEVELS).mean(axis=1)
    return jnp.concatenate([profiles, mean[-scalars:]])


def start_channels_at(bias: nnx.Param, mean: jax.Array) -> None:
    """Set the offset of a last layer, a channel per profile and scalar, to the `mean` (n_out,) of outputs."""
    bias[...] = channel_means(mean)
