"""The loop around a learner: begin, iterate, checkpoint, resume on the same trajectory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx

from ...contracts.errors import BlowUpError
from ..checkpoints import Checkpoints
from ..devices import agreed, make_mesh, place, replicated
from .environment import Environment
from .iteration import LearnerState, initial_state, make_iteration


@dataclass(frozen=True)
class Trained:
    """Network, state to continue from, learning curve (one dictionary an iteration), wall time [s]."""

    network: nnx.Module
    state: LearnerState
    history: list[dict[str, float]]
    seconds: float


def train(
    environment: Environment,
    params: Any,
    network: nnx.Module,
    algorithm: Any,
    config: Any,
    *,
    seed: int = 0,
    devices: int | None = None,
    checkpoint_dir: Path | None = None,
    checkpoint_every: int = 50,
    seconds: float | None = None,
    progress: Callable[..., None] = lambda done, total, **numbers: None,
) -> Trained:
    """Train `network` by `algorithm` (a module, see `iteration`) under `config`.

    devices: how many share the simulations (default: all that JAX sees).
    checkpoint_dir: where the run is saved every `checkpoint_every` iterations and at its end, and resumed.
    seconds: stop after the iteration that passes this wall time.
    BlowUpError: weights left the finite numbers; the last checkpoint is kept.
    InputError: the checkpoint belongs to another config, environment or seed; the environments cannot be
    split over the devices.
    """
    mesh = make_mesh(config.environments, devices)
    state = initial_state(environment, params, network, algorithm, config, seed=seed, mesh=mesh)
    params = place(params, replicated(mesh))
    graphdef, _, _ = nnx.split(network, nnx.Param, ...)
    iterate = make_iteration(environment, graphdef, algorithm, config, mesh)
    origin = {"config": repr(config), "environment": repr(environment), "seed": str(seed)}
    steps, began = config.environments * config.rollout, time.perf_counter()

    def late() -> bool:
        return seconds is not None and agreed(time.perf_counter() - began > seconds)

    with Checkpoints(checkpoint_dir, origin) as checkpoints:
        state, history = checkpoints.restore(state)
        done = saved = state.step
        while done < config.iterations:
            before = time.perf_counter()
            state, numbers = iterate(state, params)
            history.append({name: float(value) for name, value in jax.device_get(numbers).items()})
            done += 1
            _require_finite(history[-1], done)
            if done % checkpoint_every == 0:
                checkpoints.save(state, history)
                saved = done
            rate = steps / (time.perf_counter() - before)
            shown = {name: history[-1][name] for name in ("reward", "blow_ups")}
            progress(done, config.iterations, steps_per_s=rate, **shown)
            if late():
                break
        if done > saved:
            checkpoints.save(state, history)
    trained = nnx.merge(graphdef, state.weights, state.fixed)
    return Trained(trained, state, history, time.perf_counter() - began)


def _require_finite(numbers: dict[str, float], iteration: int) -> None:
    bad = [name for name, value in numbers.items() if not np.isfinite(value)]
    if bad:
        raise BlowUpError(
            f"Training left the finite numbers in iteration {iteration} ({', '.join(bad)}); lower the "
            "learning rate and resume from the last checkpoint.",
            time=iteration,
        )
