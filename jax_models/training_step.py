"""One step of supervised training, and all that decides a run but data and model.

    θ⁺ = θ − η AdamW(clip(∇θ loss))        θ_ema⁺ = γ θ_ema + (1 − γ) θ

Parameters, their averages, the optimizer and the loss are float32; `compute` says in what the network itself
is evaluated. Running statistics (nnx.BatchStat) move in training and are averaged like the parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from ..contracts.errors import InputError

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


def _in(compute: str, params):
    """Floating parameters in the type in which the network is evaluated."""
    if compute == "float32":
        return params
    return jax.tree.map(lambda p: p.astype(compute) if jnp.issubdtype(p.dtype, jnp.floating) else p, params)
