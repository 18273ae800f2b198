"""Proximal policy optimisation (Schulman et al. 2017) with one policy shared by all agents.

    L = −⟨min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)⟩ + c_V ⟨(V − R)²⟩/2 − c_H ⟨entropy⟩

ρ is the importance weight of one agent's action, A the generalised advantage of the simulation (all agents
earn the same), normalised over the batch; R = A + V. Averages run over agents and simulations.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from . import environment as trajectories
from . import squashed_normal
from .environment import Environment, Trajectory
from .returns import generalized_advantages
from .training import LearnerState


@dataclass(frozen=True)
class PpoConfig:
    """Everything that determines a run beside the environment and the seed.

    `environments` simulations march `rollout` actions an iteration; then `epochs` passes over the data in
    `minibatches` parts. `discount` γ and `trace` λ per action. `shared_noise`: correlation of the
    exploration between agents. The learning rate falls linearly to zero over `iterations`.
    """

    iterations: int = 200
    environments: int = 256
    rollout: int = 40
    epochs: int = 4
    minibatches: int = 8
    learning_rate: float = 5e-4
    discount: float = 0.97
    trace: float = 0.95
    clip: float = 0.2
    value_weight: float = 0.5
    entropy_weight: float = 1e-3
    max_gradient: float = 0.5
    shared_noise: float = 0.2


def clipped_objective(weight: jax.Array, advantage: jax.Array, clip: float) -> jax.Array:
    """min(ρ A, clip(ρ, 1 − ε, 1 + ε) A), elementwise: to be maximised."""
    return jnp.minimum(weight * advantage, jnp.clip(weight, 1.0 - clip, 1.0 + clip) * advantage)


def make_optimizer(config: PpoConfig) -> optax.GradientTransformation:
    """Adam with clipped gradients."""
    updates = config.iterations * config.epochs * config.minibatches
    schedule = optax.linear_schedule(config.learning_rate, 0.0, updates)
    return optax.chain(optax.clip_by_global_norm(config.max_gradient), optax.adam(schedule, eps=1e-5))


def make_iteration(environment: Environment, graphdef: Any, config: PpoConfig):
    """The compiled function (state, params) -> (state, numbers) of one iteration: rollout and update."""

    @jax.jit
    def iteration(state: LearnerState, params: Any):
        key, roll_key, update_key = jax.random.split(state.key, 3)
        network = nnx.merge(graphdef, state.weights, state.fixed)
        start = (state.observation, state.environment)
        (observation, flows), trajectory = trajectories.rollout(
            environment,
            params,
            network,
            start,
            roll_key,
            steps=config.rollout,
            shared_noise=config.shared_noise,
        )
        batch = _batch(network, trajectory, state.reward_scale, config)
        weights, optimizer, losses = _update(graphdef, state, batch, update_key, config)
        numbers = summarize(trajectory) | losses
        return (
            LearnerState(
                weights=weights,
                fixed=state.fixed,
                optimizer=optimizer,
                observation=observation,
                environment=flows,
                reward_scale=state.reward_scale,
                key=key,
                iteration=state.iteration + 1,
            ),
            numbers,
        )

    return iteration


def summarize(trajectory: Trajectory) -> dict[str, jax.Array]:
    """What the learning curve shows: mean reward of the living, blow-ups, action, spread."""
    alive = ~trajectory.terminated
    return {
        "reward": jnp.sum(jnp.where(alive, trajectory.reward, 0.0)) / jnp.maximum(alive.sum(), 1),
        "blow_ups": trajectory.terminated.sum().astype(jnp.float32),
        "action": squashed_normal.squash(trajectory.mean).mean(),
        "action_spread": squashed_normal.squash(trajectory.mean).std(),
        "exploration": trajectory.std.mean(),
    }


def _batch(
    network: nnx.Module, trajectory: Trajectory, scale: jax.Array, config: PpoConfig
) -> dict[str, Any]:
    """Arrays (T·E, ...) that the update needs."""
    values = network.value(trajectory.observation)
    advantages = generalized_advantages(
        trajectory.reward / scale,
        values,
        network.value(trajectory.final_observation),
        trajectory.terminated,
        trajectory.truncated,
        discount=config.discount,
        trace=config.trace,
    )
    batch = {
        "observation": trajectory.observation,
        "unsquashed": trajectory.unsquashed,
        "log_density": squashed_normal.log_density(trajectory.unsquashed, trajectory.mean, trajectory.std),
        "advantage": (advantages - advantages.mean()) / (advantages.std() + 1e-8),
        "return": advantages + values,
    }
    return jax.tree.map(lambda array: array.reshape(array.shape[0] * array.shape[1], *array.shape[2:]), batch)


def _update(graphdef: Any, state: LearnerState, batch: dict[str, Any], key: jax.Array, config: PpoConfig):
    """All epochs: (weights, optimizer state, mean losses)."""
    optimizer = make_optimizer(config)
    gradient = jax.value_and_grad(partial(loss, graphdef, state.fixed, config=config), has_aux=True)
    size = batch["advantage"].shape[0]
    part = size // config.minibatches

    def descend(carry, chosen):
        weights, moments = carry
        minibatch = jax.tree.map(lambda array: array[chosen], batch)
        (_, numbers), gradients = gradient(weights, minibatch)
        updates, moments = optimizer.update(gradients, moments, weights)
        return (optax.apply_updates(weights, updates), moments), numbers

    def epoch(carry, key):
        order = jax.random.permutation(key, size)[: part * config.minibatches]
        return jax.lax.scan(descend, carry, order.reshape(config.minibatches, part))

    keys = jax.random.split(key, config.epochs)
    (weights, moments), numbers = jax.lax.scan(epoch, (state.weights, state.optimizer), keys)
    return weights, moments, jax.tree.map(jnp.mean, numbers)


def loss(graphdef: Any, fixed: Any, weights: Any, batch: dict[str, Any], *, config: PpoConfig):
    """(L, numbers) of a minibatch."""
    network = nnx.merge(graphdef, weights, fixed)
    mean, std = network.policy(batch["observation"])
    log_weight = squashed_normal.log_density(batch["unsquashed"], mean, std) - batch["log_density"]
    advantage = batch["advantage"].reshape(-1, *[1] * (mean.ndim - 1))
    objective = clipped_objective(jnp.exp(log_weight), advantage, config.clip).mean()
    value_error = 0.5 * jnp.mean((network.value(batch["observation"]) - batch["return"]) ** 2)
    disorder = squashed_normal.entropy(std).mean()
    total = -objective + config.value_weight * value_error - config.entropy_weight * disorder
    numbers = {
        "value_error": value_error,
        "divergence": jnp.mean(jnp.exp(log_weight) - 1.0 - log_weight),
        "entropy": disorder,
    }
    return total, numbers
