"""The compiled programs of a run: the first state, and one iteration.

One iteration is the same for every algorithm: all simulations march `config.rollout` actions under the
policy, then the algorithm learns from them. An algorithm is a module with

    make_optimizer(config)                           -> an optax transformation
    begin_memory(trajectory, config)                 -> pytree that it keeps beside the weights
    learn(graphdef, state, trajectory, key, config)  -> (weights, optimizer, memory, numbers)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh

from ..devices import place, replicated, split_along
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
