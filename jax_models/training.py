"""The one supervised training loop: any NNX model, any loss, any source of batches.

A batch is a function of the step number alone, so that a run that resumes from a checkpoint draws
the batches that the uninterrupted one would have drawn. Running statistics (nnx.BatchStat) belong to the
result like the parameters.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from ..contracts.errors import BlowUpError
from .checkpoints import Checkpoints
from .devices import Placement, agreed
from .training_step import Batch, Loss, TrainingConfig, make_advance, make_optimizer


@dataclass
class TrainingState:
    """What a checkpoint holds. `ema` and `best` are pairs (parameters, running statistics) by name."""

    params: Any
    stats: Any
    ema: Any
    best: Any
    opt_state: Any
    step: int = 0
    best_loss: float = float("inf")
    stale: int = 0


@dataclass
class TrainingResult:
    """The model with its best parameters (moving average, lowest validation loss) and the learning curve.

    steps: updates made, of `planned`; fewer after a stop by patience, or by the clock (`stopped`).
    """

    model: nnx.Module
    best_loss: float
    steps: int
    history: list[dict[str, float]] = field(default_factory=list)
    planned: int = 0
    stopped: bool = False


def fit(
    model: nnx.Module,
    loss: Loss,
    batch_at: Callable[[int], Batch],
    validation: Batch,
    config: TrainingConfig,
    *,
    devices: Sequence[jax.Device] | None = None,
    checkpoint_dir: Path | None = None,
    seconds: float | None = None,
    progress: Callable[..., None] = lambda done, total, **metrics: None,
) -> TrainingResult:
    """Train a copy of `model` and return it with its best parameters.

    Args:
        model: NNX module whose `nnx.Param` leaves are trained and whose `nnx.BatchStat` leaves follow.
        loss: `(model, batch) -> scalar`.
        batch_at: step number -> batch (a pytree of arrays), the same in every process.
        validation: one batch on which the averaged parameters are scored, in float32.
        config: see `TrainingConfig`.
        devices: over which the rows of each batch are divided (all devices of all hosts in a run of several
            processes); None: the default device.
        checkpoint_dir: where the run is saved every `checkpoint_every` steps, and resumed from.
        seconds: stop after the update that passes this wall time, compilation counted in; the run is saved
            and can go on from there.
        progress: called as `progress(done, total, loss=…, validation=…)`.

    Raises:
        BlowUpError: the loss left the finite numbers; the checkpoint before it is kept.
        InputError: the checkpoint belongs to another configuration; a batch cannot be divided.
    """
    graphdef, params, stats, rest = nnx.split(model, nnx.Param, nnx.BatchStat, ...)
    place = Placement(devices)
    advance = make_advance(graphdef, loss, config)
    score = jax.jit(lambda w, r, batch: loss(nnx.merge(graphdef, w["params"], w["stats"], r), batch))
    rest, validation = place.everywhere(rest), place.everywhere(validation)
    state, history = _first_state(params, stats, config, place), []
    stop_at = None if seconds is None else time.perf_counter() + seconds
    late, before = False, None

    def validate(value: jax.Array) -> None:
        _validate(state, float(score(state.ema, rest, validation)), float(value), history)
        row = history[-1]
        progress(state.step, config.steps, loss=row["loss"], validation=row["validation"])

    with Checkpoints(checkpoint_dir, {"configuration": asdict(config)}) as checkpoints:
        state, history = checkpoints.restore(state)
        while state.step < config.steps and not (config.patience and state.stale >= config.patience):
            state.params, state.stats, state.ema, state.opt_state, value = advance(
                state.params,
                state.stats,
                state.ema,
                state.opt_state,
                rest,
                place.divided(batch_at(state.step)),
            )
            state.step += 1
            due = state.step % config.validate_every == 0 or state.step == config.steps
            if stop_at is not None:  # so that the clock reads what a GPU has done, but for one update
                jax.block_until_ready(before)
                before = value
            late = state.step < config.steps and _passed(stop_at)
            if due:
                validate(value)
            if state.step % config.checkpoint_every == 0 or late:
                checkpoints.save(state, history)
            if late:
                if not due:  # after the save: the run that goes on makes no validation here
                    validate(value)
                break
    rest, best = place.gathered(rest), place.gathered(state.best)
    best = nnx.merge(graphdef, best["params"], best["stats"], rest)
    return TrainingResult(best, state.best_loss, state.step, history, config.steps, late)


def _passed(moment: float | None) -> bool:
    """Whether the clock of the first process has passed `moment`."""
    return moment is not None and agreed(time.perf_counter() > moment)


def _first_state(params, stats, config: TrainingConfig, place: Placement) -> TrainingState:
    """Copies, because the loop gives its arrays up and the caller keeps the model."""

    def copy(tree):
        return place.everywhere(jax.tree.map(jnp.array, tree))

    ema, best = (copy({"params": params, "stats": stats}) for _ in range(2))
    return TrainingState(
        copy(params), copy(stats), ema, best, place.everywhere(make_optimizer(config).init(params))
    )


def _validate(state: TrainingState, current: float, value: float, history: list) -> None:
    if not (jnp.isfinite(value) and jnp.isfinite(current)):
        raise BlowUpError(
            f"training: the loss became {value} (validation {current}) at step {state.step}; "
            "lower the learning rate or look for non-finite training data.",
            time=state.step,
        )
    state.stale += 1
    if current < state.best_loss:
        state.best = jax.tree.map(jnp.array, state.ema)  # a copy: the average itself is given up
        state.best_loss, state.stale = current, 0
    history.append({"step": state.step, "loss": value, "validation": current})
