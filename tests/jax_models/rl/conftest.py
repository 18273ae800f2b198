"""A problem of one agent whose optimum is known, and learners that fit it."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from subgrid.jax_models.networks.policy import ActorCritic, PolicyConfig
from subgrid.jax_models.rl import ppo, vracer
from subgrid.jax_models.rl.ppo import PpoConfig
from subgrid.jax_models.rl.vracer import VracerConfig

COST, DISCOUNT, GAIN = 0.5, 0.9, 0.5


class Seen(NamedTuple):
    """The position as the only agent sees it."""

    local: jax.Array
    common: jax.Array
    memory: jax.Array


@dataclass(frozen=True)
class Regulator:
    """x' = x + 0.5 a, reward −(x² + 0.5 a²) + `params`: a linear-quadratic regulator of one agent."""

    horizon: int = 10
    action_shape: tuple = (1, 1, 1)

    def observe(self, x):
        return Seen(x.reshape(1, 1, 1), jnp.zeros(1, x.dtype), jnp.zeros(1, x.dtype))

    def reset(self, key, params, elapsed=0):
        x = jax.random.uniform(key, (), jnp.float32, -1.0, 1.0)
        return self.observe(x), (x, jnp.asarray(elapsed, jnp.int32))

    def step(self, key, state, action, params):
        x, elapsed = state
        a = action[0, 0, 0].astype(jnp.float32)
        reward = jnp.asarray(params, jnp.float32) - (x**2 + COST * a**2)
        x, elapsed = x + GAIN * a, elapsed + 1
        truncated = elapsed >= self.horizon
        final = self.observe(x)
        fresh = self.reset(key, params)
        seen, state = jax.tree.map(
            lambda new, old: jnp.where(truncated, new, old), fresh, (final, (x, elapsed))
        )
        return seen, state, reward, jnp.asarray(False), truncated, {"final_observation": final}


def optimal_gain():
    """K of a = −K x by iterating the Riccati equation of the discounted problem."""
    p = 1.0
    for _ in range(500):
        k = DISCOUNT * GAIN * p / (COST + DISCOUNT * GAIN**2 * p)
        p = 1.0 + COST * k**2 + DISCOUNT * p * (1.0 - GAIN * k) ** 2
    return k


def make_network(environment):
    seen, _ = environment.reset(jax.random.PRNGKey(0), None)
    return ActorCritic(seen, PolicyConfig(hidden=(32,)), rngs=nnx.Rngs(0))


CONFIGS = {
    "ppo": PpoConfig(
        iterations=120,
        environments=64,
        rollout=16,
        minibatches=4,
        learning_rate=5e-3,
        discount=DISCOUNT,
        shared_noise=0.0,
    ),
    "vracer": VracerConfig(
        iterations=80,
        environments=64,
        rollout=16,
        updates=16,
        samples=2,
        learning_rate=5e-3,
        annealing=2e-3,
        excess=2.0,
        discount=DISCOUNT,
        shared_noise=0.0,
    ),
}


@pytest.fixture(scope="module", params=["ppo", "vracer"])
def learner(request):
    """`algorithm`, its `config` that solves the regulator, `name`."""
    algorithm = {"ppo": ppo, "vracer": vracer}[request.param]
    return SimpleNamespace(name=request.param, algorithm=algorithm, config=CONFIGS[request.param])


@pytest.fixture(scope="module")
def problem():
    """The environment's class, its networks, the optimum."""
    return SimpleNamespace(environment=Regulator, network=make_network, optimal_gain=optimal_gain())
