"""ReF-ER, replay memory and V-RACER's gradient against plain loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy import stats

from subgrid.jax_models.rl import refer, vracer
from subgrid.jax_models.rl.environment import Trajectory
from subgrid.jax_models.rl.replay import begin_replay, draw, insert, recall
from subgrid.jax_models.rl.returns import bootstrapped_returns, retrace_targets

pytestmark = pytest.mark.usefixtures("quick_compilation")


def trajectory(first: int, *, steps: int = 3, environments: int = 4) -> Trajectory:
    """Steps whose rewards are 10·time + simulation, counted from time `first`."""
    times = first + np.arange(steps)[:, None] + np.zeros(environments)
    reward = jnp.asarray(10 * times + np.arange(environments), jnp.float32)
    no = jnp.zeros(reward.shape, bool)
    other = jnp.zeros((*reward.shape, 1, 1, 1), jnp.float32)
    return Trajectory({"seen": reward[..., None]}, {"seen": reward[..., None] + 1}, other, other, other,
                      reward, no, no)  # fmt: skip


def test_cutoff_falls_to_one_and_starts_as_published():
    found = [float(refer.cutoff(jnp.asarray(n), excess=4.0, annealing=5e-8)) for n in (0, 10**6, 10**12)]
    assert found[0] == 5.0
    assert found[1] == pytest.approx(5.0 / (1.0 + 5e-8 * 1e6), rel=0.02)
    assert 1.0 < found[2] < 1.001


def test_importance_weights_are_ratios_of_densities():
    rng = np.random.default_rng(0)
    u, mean, old_mean = rng.normal(size=(3, 6, 2))
    std, old_std = rng.uniform(0.2, 1.0, (2, 6, 2))
    found = refer.log_weights(*map(jnp.asarray, (u,)), (mean, std), (old_mean, old_std))
    for row in range(6):
        new = np.prod([stats.norm(mean[row, c], std[row, c]).pdf(u[row, c]) for c in range(2)])
        old = np.prod([stats.norm(old_mean[row, c], old_std[row, c]).pdf(u[row, c]) for c in range(2)])
        assert float(jnp.exp(found[row])) == pytest.approx(new / old, rel=1e-5)
        near = bool(refer.near_policy(found[row], jnp.asarray(3.0)))
        assert near == (1 / 3 < new / old < 3)


def test_trust_grows_while_few_steps_are_far_and_falls_otherwise():
    grows = refer.trust(jnp.asarray(0.3), jnp.asarray(0.05), tolerated=0.1, rate=0.01)
    falls = refer.trust(jnp.asarray(0.3), jnp.asarray(0.15), tolerated=0.1, rate=0.01)
    assert float(grows) == pytest.approx(0.99 * 0.3 + 0.01)
    assert float(falls) == pytest.approx(0.99 * 0.3)


def test_memory_keeps_the_newest_steps_in_the_order_of_time():
    replay = begin_replay(trajectory(0), capacity=7)
    assert not bool(replay.held.any())
    for first in (0, 3, 6):
        replay = insert(replay, trajectory(first))
        held = np.asarray(replay.steps.reward)[np.asarray(replay.held)]
        times = np.arange(max(0, first + 3 - 7), first + 3)
        np.testing.assert_array_equal(held, 10 * times[:, None] + np.arange(4))


def test_draws_are_uniform_over_what_is_held_and_recall_what_was_seen():
    replay = insert(begin_replay(trajectory(0), capacity=12), trajectory(0, steps=5))
    slots = draw(jax.random.PRNGKey(0), replay, 4000)
    assert slots.min() == 12 - 5
    counts = np.bincount(np.asarray(slots).ravel())[7:]
    np.testing.assert_allclose(counts / slots.size, 1 / 5, rtol=0.05)
    others = jnp.asarray(np.arange(12.0)[:, None] + np.zeros(4))
    steps, found = recall(replay, slots[:6], others)
    replay, slots, steps, found = jax.tree.map(np.asarray, (replay, slots, steps, found))
    for i in range(6):
        for e in range(4):
            assert steps.reward[i, e] == replay.steps.reward[slots[i, e], e]
            assert steps.observation["seen"][i, e, 0] == steps.reward[i, e]
            assert found[i, e] == slots[i, e]


def test_returns_bootstrap_with_the_target_of_the_next_step():
    rng = np.random.default_rng(1)
    rewards, values, following = jnp.asarray(rng.normal(size=(3, 9, 4)))
    terminated = jnp.asarray(rng.random((9, 4)) < 0.2)
    truncated = ~terminated & jnp.asarray(rng.random((9, 4)) < 0.2)
    weights = jnp.asarray(rng.uniform(0.2, 3.0, (9, 4)))
    targets = retrace_targets(rewards, values, following, weights, terminated, truncated, discount=0.9)
    found = bootstrapped_returns(rewards, targets, following, terminated, truncated, discount=0.9)
    arrays = (rewards, values, following, weights, targets, found, terminated, truncated)
    rewards, values, following, weights, targets, found, terminated, truncated = map(np.asarray, arrays)
    for e in range(4):
        for t in range(9):
            if terminated[t, e]:
                later = 0.0
            elif truncated[t, e] or t == 8:
                later = following[t, e]
            else:
                later = targets[t + 1, e]
            assert float(found[t, e]) == pytest.approx(rewards[t, e] + 0.9 * later, abs=1e-5)
            correction = min(1.0, weights[t, e]) * (float(found[t, e]) - values[t, e])
            assert targets[t, e] == pytest.approx(values[t, e] + correction, abs=1e-5)


class Plain(nnx.Module):
    """μ, s and V are three numbers, so that gradients can be written out."""

    def __init__(self, mean, std, value):
        self.numbers = nnx.Param(jnp.asarray([mean, std, value]))

    def policy(self, seen):
        shape = (*seen.shape, 1, 1, 1)
        return jnp.full(shape, self.numbers[0]), jnp.full(shape, self.numbers[1])

    def value(self, seen):
        return jnp.full(seen.shape, self.numbers[2])


def test_gradient_is_the_published_one():
    """Written out for every step: Novati and Koumoutsakos (2019), normal policy in the unsquashed space."""
    rng = np.random.default_rng(2)
    shape, (mu, s, value), limit, trust = (5, 3), (0.3, 0.5, -0.4), 2.0, 0.6
    u, returns = rng.normal(0.0, 0.6, shape), rng.normal(size=shape)
    old_mu, old_s = rng.normal(0.1, 0.3, shape), rng.uniform(0.3, 0.8, shape)
    expected, near_ones = np.zeros(3), 0
    for index in np.ndindex(shape):
        rho = stats.norm(mu, s).pdf(u[index]) / stats.norm(old_mu[index], old_s[index]).pdf(u[index])
        advantage, distance = returns[index] - value, u[index] - mu
        expected[2] += min(1.0, rho) * advantage
        if 1 / limit < rho < limit:
            near_ones += 1
            score = np.array([distance / s**2, distance**2 / s**3 - 1 / s])
            expected[:2] += trust * advantage * rho * score
        apart = mu - old_mu[index]
        pull = np.array([apart / s**2, 1 / s - old_s[index] ** 2 / s**3 - apart**2 / s**3])
        expected[:2] -= (1.0 - trust) * pull
    assert 0 < near_ones < u.size
    graphdef, weights, fixed = nnx.split(Plain(mu, s, value), nnx.Param, ...)
    agents = (*shape, 1, 1, 1)
    no = jnp.zeros(shape, bool)
    arrays = (jnp.asarray(a.reshape(agents)) for a in (u, old_mu, old_s))
    steps = Trajectory(jnp.zeros(shape), jnp.zeros(shape), *arrays, jnp.zeros(shape), no, no)
    gradient, numbers = jax.grad(vracer.loss, argnums=2, has_aux=True)(
        graphdef, fixed, weights, steps, jnp.asarray(returns.reshape(agents[:-1])), limit, trust
    )
    (found,) = jax.tree.leaves(gradient)
    np.testing.assert_allclose(-found * u.size, expected, rtol=1e-5)
    assert float(numbers["far_share"]) == pytest.approx(1 - near_ones / u.size)
