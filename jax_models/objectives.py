"""What a recipe minimises: functions (emulator, batch, weights) → scalar for the supervised loop.

A batch holds raw `inputs` and `targets`, the `row` numbers, and a dropout `key` in training. Deterministic
emulators are judged on raw outputs after all constraints; stochastic ones in network units, as published.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from .column_emulator import ColumnEmulator

Objective = Callable[[ColumnEmulator, dict, jax.Array], jax.Array]


def pointwise(loss: Callable) -> Objective:
    """`loss(prediction, target, weight)` on raw outputs."""

    def objective(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
        return loss(emulator(batch["inputs"], key=batch.get("key")), batch["targets"], weights)

    return objective


def gaussian(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
    """HSR: ⟨λ e² − ln λ⟩ in network units, on top of the squared error that anchors the mean."""
    mean, log_precision = emulator.network.distribution(emulator.encoder(batch["inputs"]))
    error = mean - emulator.decoder.inverse(batch["targets"])
    # The precision learns from a mean that it cannot pull away from hard columns.
    fixed = jax.lax.stop_gradient(error)
    return jnp.mean(error**2) + jnp.mean(jnp.exp(log_precision) * fixed**2 - log_precision)


def evidence_bound(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
    """cVAE: its negative evidence bound in network units."""
    key = batch.get("key", jax.random.key(0))
    targets = emulator.decoder.inverse(batch["targets"])
    return emulator.network.loss(emulator.encoder(batch["inputs"]), targets, key)


def own_rows(share: float = 0.8) -> Objective:
    """RPN: mean squared error of each member on its own `share` of the rows, the same rows in every epoch."""

    def objective(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
        members = emulator.network.members(emulator.encoder(batch["inputs"]))
        error = jnp.square(members - emulator.decoder.inverse(batch["targets"])[None]).mean(axis=-1)

        def kept(member, row):
            key = jax.random.fold_in(jax.random.key(member), row)
            return jax.random.uniform(key) < share

        mask = jax.vmap(lambda m: jax.vmap(lambda r: kept(m, r))(batch["row"]))(jnp.arange(len(members)))
        return jnp.sum(error * mask) / jnp.maximum(jnp.sum(mask), 1)

    return objective
