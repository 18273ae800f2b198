"""The loop around a learner: begin, iterate, checkpoint, resume on the same trajectory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from flax import nnx

from ...contracts.errors import BlowUpError, InputError
from .environment import Environment, begin, reward_scale, rollout


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LearnerState:
    """All that a run continues from: `weights` (trained) and `fixed` (normalisation) of the network,
    optimizer moments, observation and state of all simulations, random key, scale of rewards, counter."""

    weights: Any
    fixed: Any
    optimizer: Any
    observation: Any
    environment: Any
    reward_scale: jax.Array
    key: jax.Array
    iteration: jax.Array


@dataclass(frozen=True)
class Trained:
    """Network, state to continue from, learning curve (one dictionary an iteration), wall time [s]."""

    network: nnx.Module
    state: LearnerState
    history: list[dict[str, float]]
    seconds: float


def initial_state(
    environment: Environment, params: Any, network: nnx.Module, optimizer: Any, config: Any, seed: int
) -> LearnerState:
    """Fix normalisation and reward scale from first trajectories, then begin all simulations afresh."""
    key, start_key, roll_key, again_key = jax.random.split(jax.random.PRNGKey(seed), 4)
    start = begin(environment, params, start_key, config.environments)
    _, trajectory = jax.jit(
        lambda start, params: rollout(
            environment,
            params,
            network,
            start,
            roll_key,
            steps=config.rollout,
            shared_noise=config.shared_noise,
        )
    )(start, params)
    network.set_normalization(trajectory.observation)
    _, weights, fixed = nnx.split(network, nnx.Param, ...)
    observation, flows = begin(environment, params, again_key, config.environments)
    return LearnerState(
        weights=weights,
        fixed=fixed,
        optimizer=optimizer.init(weights),
        observation=observation,
        environment=flows,
        reward_scale=reward_scale(trajectory),
        key=key,
        iteration=jnp.zeros((), jnp.int32),
    )


def train(
    environment: Environment,
    params: Any,
    network: nnx.Module,
    algorithm: Any,
    config: Any,
    *,
    seed: int = 0,
    checkpoint_dir: Path | None = None,
    checkpoint_every: int = 50,
    seconds: float | None = None,
    progress: Callable[..., None] = lambda done, total, **numbers: None,
) -> Trained:
    """Train `network` by `algorithm` (a module with `make_optimizer` and `make_iteration`) under `config`.

    checkpoint_dir: where the run is saved every `checkpoint_every` iterations and at its end, and resumed.
    seconds: stop early after this wall time.
    BlowUpError: weights left the finite numbers; the last checkpoint is kept.
    InputError: the checkpoint belongs to another config, environment or seed.
    """
    state = initial_state(environment, params, network, algorithm.make_optimizer(config), config, seed)
    graphdef, _, _ = nnx.split(network, nnx.Param, ...)
    iterate = algorithm.make_iteration(environment, graphdef, config)
    origin = {"config": repr(config), "environment": repr(environment), "seed": str(seed)}
    history, began = [], time.perf_counter()
    with _Checkpoints(checkpoint_dir, origin) as checkpoints:
        state, history = checkpoints.restore(state)
        while int(state.iteration) < config.iterations:
            if seconds is not None and time.perf_counter() - began > seconds:
                break
            state, numbers = iterate(state, params)
            history.append({name: float(value) for name, value in numbers.items()})
            _require_finite(history[-1], int(state.iteration))
            done = int(state.iteration)
            progress(done, config.iterations, reward=history[-1]["reward"], blow_ups=history[-1]["blow_ups"])
            if done % checkpoint_every == 0 or done == config.iterations:
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


class _Checkpoints:
    """Orbax behind two verbs; without a directory both do nothing."""

    def __init__(self, directory: Path | None, origin: dict[str, str]):
        self.origin = origin
        self.manager = directory and ocp.CheckpointManager(
            Path(directory).absolute(), options=ocp.CheckpointManagerOptions(max_to_keep=2)
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.manager:
            self.manager.close()

    def save(self, state: LearnerState, history: list[dict[str, float]]) -> None:
        if self.manager:
            content = ocp.args.Composite(
                state=ocp.args.StandardSave(_fields(state)),
                # The save runs beside the training, which goes on to append: hence the copy.
                record=ocp.args.JsonSave({"origin": self.origin, "history": list(history)}),
            )
            self.manager.save(int(state.iteration), args=content)

    def restore(self, state: LearnerState) -> tuple[LearnerState, list[dict[str, float]]]:
        latest = self.manager.latest_step() if self.manager else None
        if latest is None:
            return state, []
        record = self.manager.restore(latest, args=ocp.args.Composite(record=ocp.args.JsonRestore())).record
        for name, expected in self.origin.items():
            if record["origin"][name] != expected:
                raise InputError(
                    f"The checkpoint in {self.manager.directory} belongs to {name} {record['origin'][name]}, "
                    f"this run has {expected}; give another directory or the same {name}."
                )
        restored = self.manager.restore(
            latest, args=ocp.args.Composite(state=ocp.args.StandardRestore(_fields(state)))
        ).state
        return LearnerState(**restored), record["history"]


def _fields(state: LearnerState) -> dict[str, Any]:
    return dict(vars(state))
