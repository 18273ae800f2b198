"""The one supervised training loop: any NNX model, any loss, any source of batches.

    θ⁺ = θ − η AdamW(clip(∇θ loss))        θ_ema⁺ = γ θ_ema + (1 − γ) θ

A batch is a function of the step number alone, so that a run that resumes from a checkpoint draws
the batches that the uninterrupted one would have drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
import orbax.checkpoint as ocp
from flax import nnx

from ..contracts.errors import BlowUpError, InputError

Batch = Any
Loss = Callable[[nnx.Module, Batch], jax.Array]


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run but the data and the model."""

    steps: int = 2000
    learning_rate: float = 1e-3
    warmup_fraction: float = 0.05
    weight_decay: float = 1e-5
    clip_norm: float = 1.0
    ema_decay: float = 0.995
    validate_every: int = 100
    patience: int = 0  # validations without improvement before stopping; 0 never stops early
    checkpoint_every: int = 500

    def __post_init__(self):
        if self.steps <= 0 or self.validate_every <= 0 or self.checkpoint_every <= 0:
            raise InputError(
                f"TrainingConfig: steps={self.steps}, validate_every={self.validate_every} and "
                f"checkpoint_every={self.checkpoint_every} must be positive."
            )
        if not 0 <= self.ema_decay < 1:
            raise InputError(f"TrainingConfig: ema_decay={self.ema_decay} must lie in [0, 1).")


@dataclass
class TrainingState:
    """What a checkpoint holds: parameters, their moving average, the best ones, optimizer state, counters."""

    params: Any
    ema: Any
    best: Any
    opt_state: Any
    step: int = 0
    best_loss: float = float("inf")
    stale: int = 0


@dataclass
class TrainingResult:
    """The model with its best parameters (moving average, lowest validation loss) and the learning curve."""

    model: nnx.Module
    best_loss: float
    steps: int
    history: list[dict[str, float]] = field(default_factory=list)


def make_optimizer(config: TrainingConfig) -> optax.GradientTransformation:
    """AdamW with gradient clipping, linear warm-up and cosine decay to zero."""
    warmup = max(1, int(config.warmup_fraction * config.steps))
    schedule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=config.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(config.steps, warmup + 1),
    )
    return optax.chain(
        optax.clip_by_global_norm(config.clip_norm),
        optax.adamw(schedule, weight_decay=config.weight_decay),
    )


def fit(
    model: nnx.Module,
    loss: Loss,
    batch_at: Callable[[int], Batch],
    validation: Batch,
    config: TrainingConfig,
    *,
    checkpoint_dir: Path | None = None,
    progress: Callable[..., None] = lambda done, total, **metrics: None,
) -> TrainingResult:
    """Train `model` in place of a copy and return it with its best parameters.

    Args:
        model: NNX module whose `nnx.Param` leaves are trained; other state is kept fixed.
        loss: `(model, batch) -> scalar`.
        batch_at: step number -> batch (a pytree of arrays).
        validation: one batch on which the moving-average parameters are scored.
        config: see `TrainingConfig`.
        checkpoint_dir: where the run is saved every `checkpoint_every` steps, and resumed from.
        progress: called as `progress(done, total, loss=…, validation=…)`.

    Raises:
        BlowUpError: the loss left the finite numbers; the checkpoint before it is kept.
    """
    graphdef, params, rest = nnx.split(model, nnx.Param, ...)
    optimizer = make_optimizer(config)

    @jax.jit
    def advance(params, ema, opt_state, batch):
        value, grads = jax.value_and_grad(lambda p: loss(nnx.merge(graphdef, p, rest), batch))(params)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
        ema = optax.incremental_update(params, ema, 1 - config.ema_decay)
        return params, ema, opt_state, value

    score = jax.jit(lambda p, batch: loss(nnx.merge(graphdef, p, rest), batch))
    state = TrainingState(params, params, params, optimizer.init(params))
    with _Checkpoints(checkpoint_dir) as checkpoints:
        state = checkpoints.restore(state)
        history = []
        while state.step < config.steps and not (config.patience and state.stale >= config.patience):
            state.params, state.ema, state.opt_state, value = advance(
                state.params, state.ema, state.opt_state, batch_at(state.step)
            )
            state.step += 1
            if state.step % config.validate_every == 0 or state.step == config.steps:
                _validate(state, score, validation, value, history)
                progress(
                    state.step, config.steps, loss=history[-1]["loss"], validation=history[-1]["validation"]
                )
            if state.step % config.checkpoint_every == 0:
                checkpoints.save(state)
    return TrainingResult(nnx.merge(graphdef, state.best, rest), state.best_loss, state.step, history)


def _validate(state: TrainingState, score, validation, value, history) -> None:
    current = float(score(state.ema, validation))
    if not (jnp.isfinite(value) and jnp.isfinite(current)):
        raise BlowUpError(
            f"training: the loss became {float(value)} (validation {current}) at step {state.step}; "
            "lower the learning rate or look for non-finite training data.",
            time=state.step,
        )
    state.stale += 1
    if current < state.best_loss:
        state.best, state.best_loss, state.stale = state.ema, current, 0
    history.append({"step": state.step, "loss": float(value), "validation": current})


class _Checkpoints:
    """Orbax behind two verbs; without a directory both do nothing."""

    def __init__(self, directory: Path | None):
        self.manager = directory and ocp.CheckpointManager(
            Path(directory).absolute(), options=ocp.CheckpointManagerOptions(max_to_keep=2)
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.manager:
            self.manager.close()

    def save(self, state: TrainingState) -> None:
        if self.manager:
            self.manager.save(state.step, args=ocp.args.StandardSave(vars(state)))

    def restore(self, state: TrainingState) -> TrainingState:
        latest = self.manager.latest_step() if self.manager else None
        if latest is None:
            return state
        return TrainingState(**self.manager.restore(latest, args=ocp.args.StandardRestore(vars(state))))
