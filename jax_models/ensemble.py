"""Members of a stochastic emulator: raw columns and seeds to raw ensembles, constraints on each member.

A network is stochastic if it has `sample(x, key, count)` (draws) or `members(x)` (a fixed ensemble). Each
column draws from its own seed: what it gives does not depend on the columns beside it in a batch, and the
same seed gives the same members on every device, up to rounding.
"""

import jax
import jax.numpy as jnp

from .column_emulator import ColumnEmulator
from .normalization import join, split

MEMBERS = 32  # as published scores have them


def is_stochastic(emulator: ColumnEmulator) -> bool:
    """Whether the emulator has more to say than one column."""
    return hasattr(emulator.network, "sample") or hasattr(emulator.network, "members")


def ensemble(emulator: ColumnEmulator, raw: jax.Array, seed: jax.Array, *, count: int = MEMBERS) -> jax.Array:
    """(batch, n_in) raw inputs and (batch,) int32 seeds to (batch, members, n_out) raw outputs.

    count: members to draw; an emulator with members of its own gives those, whatever the seed.
    """
    inputs = split(raw, emulator.features.input_slices)
    latent = _latent(emulator, raw, seed, count)

    def finished(one: jax.Array) -> jax.Array:
        return join(emulator.constrained(inputs, one), emulator.features.outputs)

    return jnp.moveaxis(jax.vmap(finished)(latent), 0, 1)


def _latent(emulator: ColumnEmulator, raw: jax.Array, seed: jax.Array, count: int) -> jax.Array:
    """(members, batch, n_out) in network units."""
    encoded = emulator.encoder(raw)
    if hasattr(emulator.network, "members"):
        return emulator.network.members(encoded)

    def draw(column: jax.Array, number: jax.Array) -> jax.Array:
        key = jax.random.key(number, impl="threefry2x32")
        return emulator.network.sample(column[None], key, count)[:, 0]

    return jax.vmap(draw, out_axes=1)(encoded, seed)
