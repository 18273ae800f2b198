"""What a recipe minimises: functions (emulator, batch, weights) → scalar for the supervised loop.

A batch holds raw `inputs` and `targets`, the `row` numbers, a dropout `key` in training and, where rare
regimes are drawn more often, the `importance` of each row (see sampling.py). Deterministic emulators are
judged on raw outputs after all constraints; stochastic ones in network units, as published.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from . import losses
from .column_emulator import ColumnEmulator, single

Objective = Callable[[ColumnEmulator, dict, jax.Array], jax.Array]


def row_mean(rows: jax.Array, batch: dict) -> jax.Array:
    """Mean of a loss per row (…, batch), each row counting as much as its importance says."""
    return jnp.mean(rows * batch["importance"]) if "importance" in batch else jnp.mean(rows)


def pointwise(loss: Callable) -> Objective:
    """`loss(prediction, target, weight)` on raw outputs."""

    def objective(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
        prediction = emulator(batch["inputs"], key=batch.get("key"))
        weights = jnp.broadcast_to(weights, prediction.shape)
        return row_mean(jax.vmap(loss)(prediction, batch["targets"], weights), batch)

    return objective


def each_member(loss: Callable) -> Objective:
    """`loss` of every member of an ensemble on its own, on raw outputs: members share the batch alone."""

    def objective(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
        latents = emulator.network.members(emulator.encoded(batch["inputs"]), key=batch.get("key"))
        outputs = emulator.decoded(batch["inputs"], single(latents))
        weights = jnp.broadcast_to(weights, batch["targets"].shape)
        rows = jax.vmap(jax.vmap(loss), in_axes=(0, None, None))(outputs, batch["targets"], weights)
        return row_mean(rows, batch)

    return objective


def crps(count: int = 8) -> Objective:
    """Fair CRPS of `count` samples on raw outputs, after all constraints: for whatever can `sample`."""

    def objective(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
        samples = emulator.sample(batch["inputs"], _key(batch), count)
        weights = jnp.broadcast_to(weights, batch["targets"].shape)
        one = jax.vmap(lambda s, t, w: losses.crps(s[:, None], t[None], w[None]), in_axes=(1, 0, 0))
        return row_mean(one(samples, batch["targets"], weights), batch)

    return objective


def gaussian(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
    """HSR: ⟨λ e² − ln λ⟩ in network units, on top of the squared error that anchors the mean."""
    mean, log_precision = single(emulator.network.distribution(emulator.encoded(batch["inputs"])))
    error = mean - emulator.decoder.inverse(batch["targets"])
    # The precision learns from a mean that it cannot pull away from hard columns.
    fixed = jax.lax.stop_gradient(error)
    likelihood = jnp.exp(log_precision) * fixed**2 - log_precision
    return row_mean(jnp.mean(error**2 + likelihood, axis=-1), batch)


def evidence_bound(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
    """cVAE: its negative evidence bound in network units."""
    encoded = emulator.encoded(batch["inputs"])
    targets = emulator.decoder.inverse(batch["targets"]).astype(encoded.dtype)
    return row_mean(single(emulator.network.loss(encoded, targets, _key(batch))), batch)


def own_rows(share: float = 0.8) -> Objective:
    """RPN: mean squared error of each member on its own `share` of the rows, the same rows in every epoch."""

    def objective(emulator: ColumnEmulator, batch: dict, weights: jax.Array) -> jax.Array:
        members = single(emulator.network.members(emulator.encoded(batch["inputs"])))
        error = jnp.square(members - emulator.decoder.inverse(batch["targets"])[None]).mean(axis=-1)

        def kept(member, row):
            key = jax.random.fold_in(jax.random.key(member), row)
            return jax.random.uniform(key) < share

        mask = jax.vmap(lambda m: jax.vmap(lambda r: kept(m, r))(batch["row"]))(jnp.arange(len(members)))
        mask = mask * batch.get("importance", 1.0)
        return jnp.sum(error * mask) / jnp.maximum(jnp.sum(mask), 1)

    return objective


def _key(batch: dict) -> jax.Array:
    """The key of the batch; validation always draws the same."""
    return batch.get("key", jax.random.key(0))
