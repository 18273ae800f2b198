"""Train one emulator by its recipe with the supervised loop."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from .column_emulator import ColumnEmulator
from .recipes import Recipe
from .training import TrainingConfig, TrainingResult, fit
from .training_set import TrainingSet, shuffled_batches

VALIDATION_ROWS = 2048


def train_emulator(
    recipe: Recipe,
    data: TrainingSet,
    *,
    seed: int = 0,
    epochs: int | None = None,
    validation: TrainingSet | None = None,
    checkpoint_dir: Path | None = None,
    progress: Callable[..., None] = lambda done, total, **metrics: None,
) -> TrainingResult:
    """Build, train and return the emulator with its learning curve.

    validation: steps that choose the best parameters; without them the last parameters win in effect, because
        the loop is then scored on training rows and the learning rate ends at zero.
    epochs: instead of the recipe's number.
    """
    emulator = recipe.build(data, nnx.Rngs(seed))
    epochs = recipe.epochs if epochs is None else epochs
    if recipe.solve is not None:
        recipe.solve(emulator, data)
    if recipe.epochs == 0:
        return TrainingResult(emulator, float("nan"), 0)
    weights = recipe.weigh(data)
    arrays = {"inputs": data.inputs, "targets": data.targets, "row": np.arange(len(data.inputs))}
    if weights.ndim == 2:
        arrays["weights"] = weights
    batch_at = shuffled_batches(arrays, size=recipe.batch, seed=seed)
    config = _config(recipe, epochs, len(data.inputs))
    chosen = _validation_rows(validation or data, recipe, weights)
    return fit(
        emulator, supervised(recipe, weights), batch_at, chosen, config,
        checkpoint_dir=checkpoint_dir, progress=progress,
    )  # fmt: skip


def supervised(recipe: Recipe, weights: np.ndarray) -> Callable:
    """loss(model, batch) of the recipe; weights (n_out,) that all rows share are closed over."""
    common = None if weights.ndim == 2 else jnp.asarray(weights)[None]

    def loss(model: ColumnEmulator, batch: dict) -> jax.Array:
        return recipe.objective(model, batch, batch["weights"] if common is None else common)

    return loss


def predict(emulator: Callable, inputs: np.ndarray, *, batch: int = 2048) -> np.ndarray:
    """(n, n_in) raw to (n, n_out) raw in pieces of one compiled size; the last is padded by its last row."""
    run = nnx.jit(emulator) if isinstance(emulator, nnx.Module) else jax.jit(emulator)
    pieces = []
    for start in range(0, len(inputs), batch):
        piece = inputs[start : start + batch]
        padded = np.concatenate([piece, np.repeat(piece[-1:], batch - len(piece), axis=0)])
        pieces.append(np.asarray(run(padded))[: len(piece)])
    return np.concatenate(pieces)


def _config(recipe: Recipe, epochs: int, rows: int) -> TrainingConfig:
    steps = max(1, epochs * (rows // min(recipe.batch, rows)))
    return dataclasses.replace(
        TrainingConfig(),
        steps=steps,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        ema_decay=recipe.ema_decay,
        validate_every=max(1, steps // 20),
        checkpoint_every=max(1, steps // 5),
    )


def _validation_rows(data: TrainingSet, recipe: Recipe, weights: np.ndarray) -> dict:
    rows = np.random.default_rng(0).permutation(len(data.inputs))[:VALIDATION_ROWS]
    batch = {"inputs": data.inputs[rows], "targets": data.targets[rows], "row": rows}
    if weights.ndim == 2:
        own = recipe.weigh(data)
        batch["weights"] = own[rows]
    return batch
