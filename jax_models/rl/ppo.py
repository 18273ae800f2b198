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

from ...contracts.errors import InputError
from . import squashed_normal
from .environment import Trajectory, at_slots
from .iteration import LearnerState
from .learner_ranges import require_ranges
from .returns import generalized_advantages


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

    def __post_init__(self):
        require_ranges(self)
        if self.minibatches > self.rollout:
            raise InputError(
                f"Found {self.minibatches} minibatches of a rollout of {self.rollout} actions; take no more "
                "minibatches than actions."
            )


def clipped_objective(weight: jax.Array, advantage: jax.Array, clip: float) -> jax.Array:
    """min(ρ A, clip(ρ, 1 − ε, 1 + ε) A), elementwise: to be maximised."""
    return jnp.minimum(weight * advantage, jnp.clip(weight, 1.0 - clip, 1.0 + clip) * advantage)


def make_optimizer(config: PpoConfig) -> optax.GradientTransformation:
    """Adam with clipped gradients."""
    updates = config.iterations * config.epochs * config.minibatches
    schedule = optax.linear_schedule(config.learning_rate, 0.0, updates)
    return optax.chain(optax.clip_by_global_norm(config.max_gradient), optax.adam(schedule, eps=1e-5))


def begin_memory(trajectory: Trajectory, config: PpoConfig) -> dict:
    """Nothing: PPO forgets what it has learned from."""
    return {}


def learn(graphdef: Any, state: LearnerState, trajectory: Trajectory, key: jax.Array, config: PpoConfig):
    """(weights, optimizer state, memory, mean losses) after all epochs on the trajectory.

    A minibatch holds the same number of steps of every simulation, so that each device has its share of it.
    """
    batch = _batch(nnx.merge(graphdef, state.weights, state.fixed), trajectory, state.reward_scale, config)
    optimizer = make_optimizer(config)
    gradient = jax.value_and_grad(partial(loss, graphdef, state.fixed, config=config), has_aux=True)
    part = config.rollout // config.minibatches

    def descend(carry, slots):
        weights, moments = carry
        (_, numbers), gradients = gradient(weights, at_slots(batch, slots))
        updates, moments = optimizer.update(gradients, moments, weights)
        return (optax.apply_updates(weights, updates), moments), numbers

    def epoch(carry, key):
        order = jnp.argsort(jax.random.uniform(key, trajectory.reward.shape), axis=0)
        chosen = order[: part * config.minibatches]
        return jax.lax.scan(descend, carry, chosen.reshape(config.minibatches, part, -1))

    keys = jax.random.split(key, config.epochs)
    (weights, moments), numbers = jax.lax.scan(epoch, (state.weights, state.optimizer), keys)
    return weights, moments, state.memory, jax.tree.map(jnp.mean, numbers)


def _batch(
    network: nnx.Module, trajectory: Trajectory, scale: jax.Array, config: PpoConfig
) -> dict[str, Any]:
    """Arrays (T, E, ...) that the updates need."""
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
    return {
        "observation": trajectory.observation,
        "unsquashed": trajectory.unsquashed,
        "log_density": squashed_normal.log_density(trajectory.unsquashed, trajectory.mean, trajectory.std),
        "advantage": (advantages - advantages.mean()) / (advantages.std() + 1e-8),
        "return": advantages + values,
    }


def loss(graphdef: Any, fixed: Any, weights: Any, batch: dict[str, Any], *, config: PpoConfig):
    """(L, numbers) of a minibatch."""
    network = nnx.merge(graphdef, weights, fixed)
    mean, std = network.policy(batch["observation"])
    log_weight = squashed_normal.log_density(batch["unsquashed"], mean, std) - batch["log_density"]
    advantage = batch["advantage"].reshape(*batch["advantage"].shape, *[1] * (mean.ndim - 2))
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
