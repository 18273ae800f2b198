"""Train one emulator by its recipe with the supervised loop."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.errors import InputError
from ..contracts.variables import STEP_S
from .column_emulator import ColumnEmulator
from .recipes import Recipe, epochs_for
from .sampling import drawn_batches
from .training import TrainingConfig, TrainingResult, fit
from .training_set import StreamedSet, TrainingSet

VALIDATION_ROWS = 2048


def train_emulator(
    recipe: Recipe,
    data: TrainingSet | StreamedSet,
    *,
    seed: int = 0,
    epochs: int | None = None,
    validation: TrainingSet | None = None,
    devices: Sequence[jax.Device] | None = None,
    checkpoint_dir: Path | None = None,
    seconds: float | None = None,
    progress: Callable[..., None] = lambda done, total, **metrics: None,
) -> TrainingResult:
    """Build, train and return the emulator with its learning curve.

    data: rows in memory, or streamed; what is fitted to a stream beforehand (statistics, least squares) is
        fitted to its `sample`.
    validation: steps that choose the best parameters; without them the last parameters win in effect, because
        the loop is then scored on training rows and the learning rate ends at zero.
    epochs: instead of the recipe's number.
    devices: over which the rows of each batch are divided.
    seconds: stop after this wall time; the result says of how many updates.
    """
    sample = data.sample
    emulator = recipe.build(sample, nnx.Rngs(seed))
    epochs = epochs_for(recipe, len(data)) if epochs is None else epochs
    if recipe.solve is not None:
        recipe.solve(emulator, sample)
    if recipe.epochs == 0:
        progress(1, 1)
        return TrainingResult(emulator, float("nan"), 0)
    weights = recipe.weigh(sample)

    def arrays_of(part: TrainingSet) -> dict[str, np.ndarray]:
        return _arrays(part, weights if part is sample or weights.ndim == 1 else recipe.weigh(part))

    chosen = _validation_rows(validation or sample, recipe)
    size = min(recipe.batch, len(data))
    with _batches(recipe, data, arrays_of, size=size, seed=seed) as batch_at:
        return fit(
            emulator, supervised(recipe, weights), batch_at, chosen, config_of(recipe, epochs, len(data)),
            devices=devices, checkpoint_dir=checkpoint_dir, seconds=seconds, progress=progress,
        )  # fmt: skip


def _batches(recipe: Recipe, data: TrainingSet | StreamedSet, arrays_of: Callable, *, size: int, seed: int):
    """Context of step → batch: permuted rows, or rows drawn by their regime."""
    if recipe.sampling is None:
        return data.batches(arrays_of, size=size, seed=seed)
    if not isinstance(data, TrainingSet):
        raise InputError(
            "Rows of rare regimes can be drawn from memory only, and these columns are streamed; raise "
            "--memory or leave --rare out."
        )
    chance = recipe.sampling.probabilities(data)
    return nullcontext(drawn_batches(arrays_of(data), recipe.sampling, chance, size=size, seed=seed))


def _arrays(part: TrainingSet, weights: np.ndarray) -> dict[str, np.ndarray]:
    """What a batch is cut from; `row` numbers a column by place and time, alike in memory and streamed."""
    arrays = {"inputs": part.inputs, "targets": part.targets, "row": _row_numbers(part)}
    return arrays | {"weights": weights} if weights.ndim == 2 else arrays


def _row_numbers(part: TrainingSet) -> np.ndarray:
    """(n,) a number that belongs to the column and time step, whatever is read beside it."""
    step = part.seconds // int(STEP_S)
    ncol = part.columns.grid.ncol
    return ((step[:, None] * ncol + np.arange(ncol)) % np.iinfo(np.int32).max).ravel().astype(np.int32)


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


def config_of(recipe: Recipe, epochs: int, rows: int) -> TrainingConfig:
    """What the loop is told: `epochs` passes over `rows` rows, twenty validations, five checkpoints."""
    steps = max(1, epochs * (rows // min(recipe.batch, rows)))
    return dataclasses.replace(
        TrainingConfig(),
        steps=steps,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        ema_decay=recipe.ema_decay,
        compute=recipe.compute,
        validate_every=max(1, steps // 20),
        checkpoint_every=max(1, steps // 5),
    )


def _validation_rows(part: TrainingSet, recipe: Recipe) -> dict:
    rows = np.random.default_rng(0).permutation(len(part))[:VALIDATION_ROWS]
    return {name: array[rows] for name, array in _arrays(part, recipe.weigh(part)).items()}
