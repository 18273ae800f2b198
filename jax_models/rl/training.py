"""The loop around a learner: begin, iterate, checkpoint, resume on the same trajectory.

One iteration is the same for every algorithm: all simulations march `config.rollout` actions under the
policy, then the algorithm learns from them. An algorithm is a module with

    make_optimizer(config)                           -> an optax transformation
    begin_memory(trajectory, config)                 -> pytree that it keeps beside the weights
    learn(graphdef, state, trajectory, key, config)  -> (weights, optimizer, memory, numbers)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import Mesh

from ...contracts.errors import BlowUpError
from ..checkpoints import Checkpoints
from .devices import agreed, make_mesh, place, replicated, split_along
from .environment import Environment, begin, reward_scale, rollout, summarize


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LearnerState:
    """All that a run continues from: `weights` (trained) and `fixed` (normalisation) of the network,
    optimizer moments, observation and state of all simulations, `memory` of the algorithm (axis 1 of its
    arrays with more than one: simulations), random key, scale of rewards, counter."""

    weights: Any
    fixed: Any
    optimizer: Any
    observation: Any
    environment: Any
    memory: Any
    reward_scale: jax.Array
    key: jax.Array
    iteration: jax.Array

    @property
    def step(self) -> int:
        """The iteration, under which a checkpoint is filed."""
        return int(self.iteration)


@dataclass(frozen=True)
class Trained:
    """Network, state to continue from, learning curve (one dictionary an iteration), wall time [s]."""

    network: nnx.Module
    state: LearnerState
    history: list[dict[str, float]]
    seconds: float


def shardings(state: LearnerState, mesh: Mesh) -> LearnerState:
    """Where each array of a state lies: simulations split over devices, the rest everywhere."""
    everywhere, simulations, steps = replicated(mesh), split_along(mesh, 0), split_along(mesh, 1)
    placed = jax.tree.map(lambda _: everywhere, state)
    return replace(
        placed,
        observation=jax.tree.map(lambda _: simulations, state.observation),
        environment=jax.tree.map(lambda _: simulations, state.environment),
        memory=jax.tree.map(lambda array: steps if array.ndim > 1 else everywhere, state.memory),
    )


def make_start(
    environment: Environment,
    params: Any,
    network: nnx.Module,
    algorithm: Any,
    config: Any,
    *,
    seed: int,
    mesh: Mesh,
) -> tuple[Callable[..., LearnerState], tuple]:
    """(compiled function, its arguments) that make the first state of a run: normalisation and reward scale
    are fixed from first trajectories, then all simulations begin afresh."""
    graphdef, weights, fixed = nnx.split(network, nnx.Param, ...)

    def make(weights, fixed, params):
        key, start_key, roll_key, again_key = jax.random.split(jax.random.PRNGKey(seed), 4)
        trained = nnx.merge(graphdef, weights, fixed)
        _, trajectory = rollout(
            environment,
            params,
            trained,
            begin(environment, params, start_key, config.environments),
            roll_key,
            steps=config.rollout,
            shared_noise=config.shared_noise,
            mesh=mesh,
        )
        trained.set_normalization(trajectory.observation)
        observation, flows = begin(environment, params, again_key, config.environments)
        return LearnerState(
            weights=weights,
            fixed=nnx.split(trained, nnx.Param, ...)[2],
            optimizer=algorithm.make_optimizer(config).init(weights),
            observation=observation,
            environment=flows,
            memory=algorithm.begin_memory(trajectory, config),
            reward_scale=reward_scale(trajectory),
            key=key,
            iteration=jnp.zeros((), jnp.int32),
        )

    arguments = (weights, fixed, params)
    where = shardings(jax.eval_shape(make, *arguments), mesh)
    return jax.jit(make, out_shardings=where), place(arguments, replicated(mesh))


def initial_state(*arguments: Any, **options: Any) -> LearnerState:
    """The first state of a run; arguments of `make_start`."""
    start, inputs = make_start(*arguments, **options)
    return start(*inputs)


def make_iteration(environment: Environment, graphdef: Any, algorithm: Any, config: Any, mesh: Mesh):
    """The compiled function (state, params) -> (state, numbers) of one iteration."""

    def iteration(state: LearnerState, params: Any):
        key, roll_key, update_key = jax.random.split(state.key, 3)
        (observation, flows), trajectory = rollout(
            environment,
            params,
            nnx.merge(graphdef, state.weights, state.fixed),
            (state.observation, state.environment),
            roll_key,
            steps=config.rollout,
            shared_noise=config.shared_noise,
            mesh=mesh,
        )
        weights, optimizer, memory, losses = algorithm.learn(graphdef, state, trajectory, update_key, config)
        new = replace(
            state,
            weights=weights,
            optimizer=optimizer,
            observation=observation,
            environment=flows,
            memory=memory,
            key=key,
            iteration=state.iteration + 1,
        )
        kept = jax.lax.with_sharding_constraint(new, shardings(new, mesh))
        return kept, jax.lax.with_sharding_constraint(summarize(trajectory) | losses, replicated(mesh))

    return jax.jit(iteration)


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
    """Train `network` by `algorithm` (a module, see above) under `config`.

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
