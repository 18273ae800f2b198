"""Shared policy of many agents and a central critic.

    actor   [local, common] of an agent → (μ, s) of its squashed normal; one network for all agents
    critic  central: [mean over agents of local, common, memory] → value, one number a simulation
            shared: the actor's network has one output more, whose mean over agents is the value, as in the
            published closures (there each agent keeps its own); it sees no memory

Inputs are normalised by `shift` and `scale`, which are set once from the first trajectories and then stay:
they are part of the closure. The readouts start near zero, so the first action is the middle of its bounds.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.errors import InputError
from ..rl.squashed_normal import spread

CRITICS = ("central", "shared")


class Observation(Protocol):
    """`local` (m, m, F), `common` (G,), `memory` (H,); no batch axis."""

    local: jax.Array
    common: jax.Array
    memory: jax.Array


@dataclass(frozen=True)
class PolicyConfig:
    """Hidden layers, exploration of u (the action is tanh u) at the start and at most, `critic` central or
    shared."""

    hidden: tuple[int, ...] = (64, 64)
    initial_spread: float = 0.3
    largest_spread: float = 10.0
    critic: str = "central"

    def __post_init__(self):
        if self.critic not in CRITICS:
            raise InputError(f"Unknown critic {self.critic!r}; known: {', '.join(CRITICS)}.")


class Normalization(nnx.Variable):
    """Shift and scale of inputs: fixed numbers, not trained."""


class Dense(nnx.Module):
    """Normalised inputs, tanh layers, linear readout of small initial weights."""

    def __init__(self, n_in: int, n_out: int, hidden: tuple[int, ...], *, readout: float, rngs: nnx.Rngs):
        self.shift = Normalization(jnp.zeros(n_in, jnp.float32))
        self.scale = Normalization(jnp.ones(n_in, jnp.float32))
        sizes = (n_in, *hidden)
        self.layers = nnx.List(nnx.Linear(before, after, rngs=rngs) for before, after in pairwise(sizes))
        initial = nnx.initializers.variance_scaling(readout**2, "fan_in", "normal")
        self.readout = nnx.Linear(sizes[-1], n_out, kernel_init=initial, rngs=rngs)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """(..., n_in) → (..., n_out)."""
        row = (*[1] * (inputs.ndim - 1), inputs.shape[-1])
        x = (inputs - self.shift[...].reshape(row)) / self.scale[...].reshape(row)
        x = jnp.clip(x, -10.0, 10.0)
        for layer in self.layers:
            x = jnp.tanh(layer(x))
        return self.readout(x)

    def set_normalization(self, samples: jax.Array) -> None:
        """Shift and scale to the mean and the standard deviation of samples (n, n_in)."""
        self.shift[...] = samples.mean(0)
        self.scale[...] = jnp.maximum(samples.std(0), 1e-3 * (1.0 + jnp.abs(samples.mean(0))))


class ActorCritic(nnx.Module):
    """Both networks for observations like `example` (no batch axis); `components` C values an agent."""

    def __init__(self, example: Observation, config: PolicyConfig, *, components: int = 1, rngs: nnx.Rngs):
        actor_in, critic_in = actor_inputs(example).shape[-1], critic_inputs(example).shape[-1]
        self.config, self.components = config, components
        self.actor = Dense(actor_in, 2 * components, config.hidden, readout=0.01, rngs=rngs)
        self.critic = Dense(critic_in, 1, config.hidden, readout=0.1, rngs=rngs)

    def policy(self, observation: Observation) -> tuple[jax.Array, jax.Array]:
        """(μ, s), each (..., m, m, C)."""
        outputs = self.actor(actor_inputs(observation))
        mean, raw = outputs[..., : self.components], outputs[..., self.components :]
        return mean, spread(raw, self.config.initial_spread, largest=self.config.largest_spread)

    def value(self, observation: Observation) -> jax.Array:
        """V, (...)."""
        return self.critic(critic_inputs(observation))[..., 0]

    def set_normalization(self, observations: Any) -> None:
        """Fix the normalisation from observations with leading axes."""
        for network, inputs in ((self.actor, actor_inputs), (self.critic, critic_inputs)):
            samples = inputs(observations)
            network.set_normalization(samples.reshape(-1, samples.shape[-1]))


class SharedActorCritic(nnx.Module):
    """One network of (V, μ, s) for every agent; arguments and methods of ActorCritic."""

    def __init__(self, example: Observation, config: PolicyConfig, *, components: int = 1, rngs: nnx.Rngs):
        self.config, self.components = config, components
        inputs = actor_inputs(example).shape[-1]
        self.network = Dense(inputs, 2 * components + 1, config.hidden, readout=0.01, rngs=rngs)

    def policy(self, observation: Observation) -> tuple[jax.Array, jax.Array]:
        """(μ, s), each (..., m, m, C)."""
        outputs = self.network(actor_inputs(observation))
        mean, raw = outputs[..., 1 : self.components + 1], outputs[..., self.components + 1 :]
        return mean, spread(raw, self.config.initial_spread, largest=self.config.largest_spread)

    def value(self, observation: Observation) -> jax.Array:
        """V, (...): the mean of what the agents expect."""
        return self.network(actor_inputs(observation))[..., 0].mean((-2, -1))

    def set_normalization(self, observations: Any) -> None:
        """Fix the normalisation from observations with leading axes."""
        samples = actor_inputs(observations)
        self.network.set_normalization(samples.reshape(-1, samples.shape[-1]))


def make_actor_critic(
    example: Observation, config: PolicyConfig, *, components: int, rngs: nnx.Rngs
) -> ActorCritic | SharedActorCritic:
    """The network of `config.critic`."""
    kind = {"central": ActorCritic, "shared": SharedActorCritic}[config.critic]
    return kind(example, config, components=components, rngs=rngs)


def actor_inputs(observation: Observation) -> jax.Array:
    """[local, common], (..., m, m, F + G)."""
    local, common = observation.local, observation.common[..., None, None, :]
    return jnp.concatenate([local, jnp.broadcast_to(common, (*local.shape[:-1], common.shape[-1]))], axis=-1)


def critic_inputs(observation: Observation) -> jax.Array:
    """[mean of local, common, memory], (..., F + G + H)."""
    parts = [observation.local.mean((-3, -2)), observation.common, observation.memory]
    return jnp.concatenate(parts, axis=-1)
