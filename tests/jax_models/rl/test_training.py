"""Each algorithm solves a problem whose optimum is known, and a resumed run is the same run."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import BlowUpError, InputError
from subgrid.jax_models.networks.policy import PolicyConfig, make_actor_critic
from subgrid.jax_models.rl import ppo, vracer
from subgrid.jax_models.rl.ppo import PpoConfig
from subgrid.jax_models.rl.training import train
from subgrid.jax_models.rl.vracer import VracerConfig

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def run(problem, learner):
    """`run(bonus, **options)`: the training of `learner`; one configuration, so that it is compiled once."""
    environment = problem.environment()

    def train_it(bonus=0.0, config=learner.config, **options):
        network = problem.network(environment)
        return train(environment, bonus, network, learner.algorithm, config, **options)

    return train_it


@pytest.fixture(scope="module")
def whole(run):
    return run()


def test_policy_finds_the_optimal_gain(problem, whole):
    x = jnp.linspace(-0.8, 0.8, 9)
    mean, _ = whole.network.policy(jax.vmap(problem.environment().observe)(x.astype(jnp.float32)))
    actions = np.tanh(mean[:, 0, 0, 0])
    gain = -np.polyfit(np.asarray(x), actions, 1)[0]
    assert gain == pytest.approx(problem.optimal_gain, rel=0.12)
    assert whole.history[-1]["reward"] > whole.history[0]["reward"]


def test_value_in_the_same_network_learns_too(problem):
    environment = problem.environment()
    seen, _ = environment.reset(jax.random.PRNGKey(0), None)
    policy = PolicyConfig(hidden=(32,), critic="shared")
    network = make_actor_critic(seen, policy, components=1, rngs=nnx.Rngs(0))
    config = VracerConfig(
        iterations=20, environments=32, updates=16, learning_rate=5e-3, discount=0.9, shared_noise=0.0
    )
    found = train(environment, 0.0, network, vracer, config)
    assert found.history[-1]["value_error"] < 0.1 * found.history[0]["value_error"]
    assert found.history[-1]["reward"] > 0.5 * found.history[0]["reward"]
    with pytest.raises(InputError, match="Unknown critic 'none'; known: central, shared"):
        PolicyConfig(critic="none")


def _stop_after(count):
    def progress(done, total, **numbers):
        if done == count:
            raise KeyboardInterrupt

    return progress


def test_resumed_run_continues_the_same_trajectory_bit_for_bit(run, whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint_dir=tmp_path, checkpoint_every=1, progress=_stop_after(3))
    resumed = run(checkpoint_dir=tmp_path)
    assert resumed.history == whole.history
    states = (jax.tree.leaves(trained.state) for trained in (whole, resumed))
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_that_its_time_ends_is_saved_and_another_config_is_refused(run, whole, learner, tmp_path):
    stopped = run(seconds=1e-9, checkpoint_dir=tmp_path, checkpoint_every=100)
    assert stopped.history == whole.history[:1]
    with pytest.raises(InputError, match="has config"):
        run(config=replace(learner.config, max_gradient=0.1), checkpoint_dir=tmp_path)
    # Continued to its end, and then at its end.
    assert run(checkpoint_dir=tmp_path).history == whole.history
    assert run(checkpoint_dir=tmp_path).history == whole.history


def test_rewards_that_are_not_finite_stop_the_training(run):
    with pytest.raises(BlowUpError, match="left the finite numbers in iteration 1"):
        run(bonus=float("nan"))


def test_more_devices_than_there_are_is_refused(problem):
    environment, config = problem.environment(), PpoConfig(environments=8)
    with pytest.raises(InputError, match="--devices: found 99"):
        train(environment, 0.0, problem.network(environment), ppo, config, devices=99)


def test_configurations_that_cannot_run_are_refused():
    with pytest.raises(InputError, match="8 minibatches of a rollout of 4"):
        PpoConfig(rollout=4, minibatches=8)
    with pytest.raises(InputError, match="replay memory of 8 steps"):
        VracerConfig(rollout=16, capacity=8)
    for numbers, message in (
        ({"environments": 0}, "environments is 0, expected at least 1"),
        ({"discount": 2.0}, "discount is 2.0, expected a number from 0 to 1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan, expected a number that is not negative"),
    ):
        for learner in (PpoConfig, VracerConfig):
            with pytest.raises(InputError, match=message):
                learner(**numbers)
