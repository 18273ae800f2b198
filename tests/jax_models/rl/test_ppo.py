"""PPO solves a problem whose optimum is known, and a resumed run is the same run."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import BlowUpError, InputError
from subgrid.jax_models.networks.policy import ActorCritic, PolicyConfig
from subgrid.jax_models.rl import ppo
from subgrid.jax_models.rl.ppo import PpoConfig
from subgrid.jax_models.rl.training import train

COST, DISCOUNT = 0.5, 0.9
GAIN = 0.5


class Seen(NamedTuple):
    """The position as the only agent sees it."""

    local: jax.Array
    common: jax.Array
    memory: jax.Array


@dataclass(frozen=True)
class Regulator:
    """x' = x + 0.5 a, reward −(x² + 0.5 a²): a linear-quadratic regulator of one agent."""

    horizon: int = 10
    action_shape: tuple = (1, 1, 1)
    poison: bool = False

    def observe(self, x):
        return Seen(x.reshape(1, 1, 1), jnp.zeros(1, x.dtype), jnp.zeros(1, x.dtype))

    def reset(self, key, params, elapsed=0):
        x = jax.random.uniform(key, (), jnp.float32, -1.0, 1.0)
        return self.observe(x), (x, jnp.asarray(elapsed, jnp.int32))

    def step(self, key, state, action, params):
        x, elapsed = state
        a = action[0, 0, 0].astype(jnp.float32)
        reward = jnp.where(self.poison, jnp.nan, -(x**2 + COST * a**2))
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


def network(environment):
    seen, _ = environment.reset(jax.random.PRNGKey(0), None)
    return ActorCritic(seen, PolicyConfig(hidden=(32,)), rngs=nnx.Rngs(0))


CONFIG = PpoConfig(
    iterations=120,
    environments=64,
    rollout=16,
    minibatches=4,
    learning_rate=5e-3,
    discount=DISCOUNT,
    shared_noise=0.0,
)


def test_policy_finds_the_optimal_gain():
    environment = Regulator()
    found = train(environment, None, network(environment), ppo, CONFIG)
    x = jnp.linspace(-0.8, 0.8, 9)
    mean, _ = found.network.policy(jax.vmap(environment.observe)(x.astype(jnp.float32)))
    actions = np.tanh(mean[:, 0, 0, 0])
    gain = -np.polyfit(np.asarray(x), actions, 1)[0]
    assert gain == pytest.approx(optimal_gain(), rel=0.12)
    assert found.history[-1]["reward"] > found.history[0]["reward"]


def test_resumed_run_continues_the_same_trajectory(tmp_path):
    environment, config = Regulator(), replace(CONFIG, iterations=6, environments=8)
    whole = train(environment, None, network(environment), ppo, config)
    with pytest.raises(KeyboardInterrupt):
        train(
            environment,
            None,
            network(environment),
            ppo,
            config,
            checkpoint_dir=tmp_path,
            checkpoint_every=1,
            progress=_stop_after(3),
        )
    resumed = train(environment, None, network(environment), ppo, config, checkpoint_dir=tmp_path)
    assert len(resumed.history) == 6
    for one, other in zip(
        jax.tree.leaves(whole.state.weights), jax.tree.leaves(resumed.state.weights), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def _stop_after(count):
    def progress(done, total, **numbers):
        if done == count:
            raise KeyboardInterrupt

    return progress


def test_checkpoint_of_another_config_is_refused_and_kept(tmp_path):
    environment, config = Regulator(), replace(CONFIG, iterations=2, environments=8)
    train(environment, None, network(environment), ppo, config, checkpoint_dir=tmp_path)
    other = replace(config, clip=0.1)
    with pytest.raises(InputError, match="belongs to config"):
        train(environment, None, network(environment), ppo, other, checkpoint_dir=tmp_path)
    again = train(environment, None, network(environment), ppo, config, checkpoint_dir=tmp_path)
    assert len(again.history) == 2


def test_rewards_that_are_not_finite_stop_the_training():
    environment, config = Regulator(poison=True), replace(CONFIG, iterations=2, environments=8)
    with pytest.raises(BlowUpError, match="left the finite numbers in iteration 1"):
        train(environment, None, network(environment), ppo, config)
