"""V-RACER with ReF-ER (Novati and Koumoutsakos 2019), the off-policy actor-critic of the published closures.

    critic    ½ ⟨(V − V^tbc)²⟩,  V^tbc = V + min(1, ρ) (q − V),  q = r + γ V^tbc of the step after
    policy    −β ⟨[near] ρ (q − V)⟩ + (1 − β) ⟨KL(π_b ‖ π)⟩        near, β: refer.py

q is recomputed once an iteration by a backward pass over the whole replay memory under the current network;
ρ, V, V^tbc and KL are those of the moment in every update. Every agent has its own ρ and V^tbc; V is one
number a simulation, as all agents earn the same. Averages run over agents and steps.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from ...contracts.errors import InputError
from . import refer
from .environment import Trajectory
from .iteration import LearnerState
from .learner_ranges import require_ranges
from .replay import Replay, begin_replay, draw, insert, recall
from .returns import bootstrapped_returns, retrace_targets


@dataclass(frozen=True)
class VracerConfig:
    """Everything that determines a run beside the environment and the seed.

    `environments` simulations march `rollout` actions an iteration; the last `capacity` steps of each are
    kept. Then `updates` steps of Adam, each on `samples` steps of every simulation. `discount` γ per action.
    `excess` C, `annealing` A (of the cutoff and of the learning rate), `trust` β at the start, `trust_rate`
    η, `far_tolerated` D. `decay`: L2, adds decay·w to the gradient. `shared_noise`: correlation of the
    exploration between agents.

    The published runs (16 agents, one simulation): learning rate 1e-4, γ 0.995, an update of 256 steps for
    every step made, capacity 1e5, C 4, A 5e-8, β 0.3, η = learning rate, D 0.1, L2 1.0, some 1e6 updates.
    An L2 of 1.0 would outweigh every other gradient, and thousands of updates want a faster η and A.
    Nothing here holds the spread of the policy: `PolicyConfig.largest_spread` does.
    """

    iterations: int = 200
    environments: int = 256
    rollout: int = 16
    capacity: int = 128
    updates: int = 32
    samples: int = 2
    learning_rate: float = 1e-3
    discount: float = 0.97
    excess: float = 4.0
    annealing: float = 1e-3
    trust: float = 0.3
    trust_rate: float = 5e-3
    far_tolerated: float = 0.1
    decay: float = 1e-4
    max_gradient: float = 1.0
    shared_noise: float = 0.2

    def __post_init__(self):
        require_ranges(self)
        if self.capacity < self.rollout:
            raise InputError(
                f"A replay memory of {self.capacity} steps cannot hold a rollout of {self.rollout}; give it "
                "at least that capacity."
            )


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Memory:
    """Replay memory, β, number of updates."""

    replay: Replay
    trust: jax.Array
    updates: jax.Array


def make_optimizer(config: VracerConfig) -> optax.GradientTransformation:
    """Adam of clipped gradients with L2; the learning rate falls as 1/(1 + A n)."""

    def schedule(updates):
        return config.learning_rate / (1.0 + config.annealing * updates)

    return optax.chain(
        optax.clip_by_global_norm(config.max_gradient),
        optax.add_decayed_weights(config.decay),
        optax.adam(schedule, eps=1e-5),
    )


def begin_memory(trajectory: Trajectory, config: VracerConfig) -> Memory:
    """Nothing remembered yet."""
    return Memory(
        begin_replay(trajectory, config.capacity),
        jnp.asarray(config.trust, jnp.float32),
        jnp.zeros((), jnp.int32),
    )


def learn(graphdef: Any, state: LearnerState, trajectory: Trajectory, key: jax.Array, config: VracerConfig):
    """(weights, optimizer state, memory, mean numbers) after all updates."""
    replay = insert(state.memory.replay, trajectory)
    network = nnx.merge(graphdef, state.weights, state.fixed)
    returns = evaluate(network, replay.steps, state.reward_scale, config)
    optimizer = make_optimizer(config)
    gradient = jax.grad(partial(loss, graphdef, state.fixed), has_aux=True)

    def update(carry, key):
        weights, moments, trust, updates = carry
        batch = recall(replay, draw(key, replay, config.samples), returns)
        limit = refer.cutoff(updates, excess=config.excess, annealing=config.annealing)
        gradients, numbers = gradient(weights, *batch, limit, trust)
        changes, moments = optimizer.update(gradients, moments, weights)
        weights = optax.apply_updates(weights, changes)
        trust = refer.trust(
            trust, numbers["far_share"], tolerated=config.far_tolerated, rate=config.trust_rate
        )
        return (weights, moments, trust, updates + 1), numbers

    start = (state.weights, state.optimizer, state.memory.trust, state.memory.updates)
    carry, numbers = jax.lax.scan(update, start, jax.random.split(key, config.updates))
    weights, moments, trust, updates = carry
    numbers = jax.tree.map(jnp.mean, numbers) | {"trust": trust}
    return weights, moments, Memory(replay, trust, updates), numbers


def evaluate(network: nnx.Module, steps: Trajectory, scale: jax.Array, config: VracerConfig) -> jax.Array:
    """q of every agent, (C, E, agents...), under the current network."""
    log_weight = refer.log_weights(
        steps.unsquashed, network.policy(steps.observation), (steps.mean, steps.std)
    )
    shape = log_weight.shape
    per_agent = partial(_per_agent, shape=shape)
    values = per_agent(network.value(steps.observation))
    following = per_agent(network.value(steps.final_observation))
    ends = per_agent(steps.terminated), per_agent(steps.truncated)
    rewards = per_agent(steps.reward / scale)
    targets = retrace_targets(
        rewards, values, following, jnp.exp(log_weight), *ends, discount=config.discount
    )
    return bootstrapped_returns(rewards, targets, following, *ends, discount=config.discount)


def _per_agent(numbers: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Numbers of simulations (T, E), the same for every agent (T, E, agents...)."""
    return jnp.broadcast_to(numbers.reshape(*numbers.shape, *[1] * (len(shape) - numbers.ndim)), shape)


def loss(
    graphdef: Any,
    fixed: Any,
    weights: Any,
    steps: Trajectory,
    returns: jax.Array,
    limit: jax.Array,
    trust: jax.Array,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """(loss, numbers) of a minibatch: `steps` (S, E), `returns` q (S, E, agents...), cutoff c, β."""
    network = nnx.merge(graphdef, weights, fixed)
    policy, behaviour = network.policy(steps.observation), (steps.mean, steps.std)
    values = _per_agent(network.value(steps.observation), returns.shape)
    log_weight = refer.log_weights(steps.unsquashed, policy, behaviour)
    near = refer.near_policy(log_weight, limit)
    # What is far contributes nothing, and its weight may overflow: it is put at one before the exponential.
    weight = jnp.exp(jnp.where(near, log_weight, 0.0))
    advantage = jax.lax.stop_gradient(returns - values)
    clipped = jax.lax.stop_gradient(jnp.exp(jnp.minimum(log_weight, 0.0)))
    # (V − V^tbc)²/2 has the gradient −min(1, ρ) (q − V) with respect to V.
    critic = -jnp.mean(clipped * advantage * values)
    objective = jnp.mean(jnp.where(near, weight * advantage, 0.0))
    divergence = jnp.mean(refer.pull(policy, behaviour))
    total = critic - trust * objective + (1.0 - trust) * divergence
    numbers = {
        "value_error": 0.5 * jnp.mean((clipped * advantage) ** 2),
        "divergence": divergence,
        "far_share": 1.0 - jnp.mean(near),
    }
    return total, numbers
