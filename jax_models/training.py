"""The one supervised training loop: any NNX model, any loss, any source of batches.

    θ⁺ = θ − η AdamW(clip(∇θ loss))        θ_ema⁺ = γ θ_ema + (1 − γ) θ

A batch is a function of the step number alone, so that a run that resumes from a checkpoint draws
the batches that the uninterrupted one would have drawn. Parameters, their averages, the optimizer and the
loss are float32; `compute` says in what the network itself is evaluated. Running statistics (nnx.BatchStat)
move in training, are averaged like the parameters, and belong to the result.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from ..contracts.errors import BlowUpError, InputError
from .checkpoints import Checkpoints
from .data_parallel import Placement

Batch = Any
Loss = Callable[[nnx.Module, Batch], jax.Array]
COMPUTE = ("float32", "bfloat16")


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
    compute: str = "float32"  # of the network; a model casts its inputs to the type of its parameters

    def __post_init__(self):
        if self.steps <= 0 or self.validate_every <= 0 or self.checkpoint_every <= 0:
            raise InputError(
                f"TrainingConfig: steps={self.steps}, validate_every={self.validate_every} and "
                f"checkpoint_every={self.checkpoint_every} must be positive."
            )
        if not 0 <= self.ema_decay < 1:
            raise InputError(f"TrainingConfig: ema_decay={self.ema_decay} must lie in [0, 1).")
        if self.compute not in COMPUTE:
            raise InputError(
                f"TrainingConfig: found compute={self.compute!r}, expected one of {', '.join(COMPUTE)}."
            )


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


def make_advance(graphdef, loss: Loss, config: TrainingConfig) -> Callable:
    """(params, stats, ema, opt_state, rest, batch) → (params, stats, ema, opt_state, loss), compiled.

    The first four are given up: their memory becomes that of the results.
    """
    optimizer = make_optimizer(config)

    def evaluate(params, stats, rest, batch):
        stats = jax.tree.map(lambda leaf: leaf, stats)  # variables of this trace, which it may change
        model = nnx.merge(graphdef, _in(config.compute, params), stats, rest)
        value = loss(model, batch)
        return value, nnx.state(model, nnx.BatchStat)

    def advance(params, stats, ema, opt_state, rest, batch):
        (value, stats), grads = jax.value_and_grad(evaluate, has_aux=True)(params, stats, rest, batch)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
        ema = optax.incremental_update({"params": params, "stats": stats}, ema, 1 - config.ema_decay)
        return params, stats, ema, opt_state, value

    return jax.jit(advance, donate_argnums=(0, 1, 2, 3))


def fit(
    model: nnx.Module,
    loss: Loss,
    batch_at: Callable[[int], Batch],
    validation: Batch,
    config: TrainingConfig,
    *,
    devices: Sequence[jax.Device] | None = None,
    checkpoint_dir: Path | None = None,
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
            if state.step % config.validate_every == 0 or state.step == config.steps:
                _validate(state, float(score(state.ema, rest, validation)), float(value), history)
                row = history[-1]
                progress(state.step, config.steps, loss=row["loss"], validation=row["validation"])
            if state.step % config.checkpoint_every == 0:
                checkpoints.save(state, history)
    best = nnx.merge(graphdef, state.best["params"], state.best["stats"], rest)
    return TrainingResult(best, state.best_loss, state.step, history)


def _first_state(params, stats, config: TrainingConfig, place: Placement) -> TrainingState:
    """Copies, because the loop gives its arrays up and the caller keeps the model."""

    def copy(tree):
        return place.everywhere(jax.tree.map(jnp.array, tree))

    ema, best = (copy({"params": params, "stats": stats}) for _ in range(2))
    return TrainingState(
        copy(params), copy(stats), ema, best, place.everywhere(make_optimizer(config).init(params))
    )


def _in(compute: str, params):
    """Floating parameters in the type in which the network is evaluated."""
    if compute == "float32":
        return params
    return jax.tree.map(lambda p: p.astype(compute) if jnp.issubdtype(p.dtype, jnp.floating) else p, params)


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
