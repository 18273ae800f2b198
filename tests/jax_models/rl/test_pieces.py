"""The small pieces against plain loops and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from subgrid.jax_models.rl import squashed_normal
from subgrid.jax_models.rl.ppo import clipped_objective
from subgrid.jax_models.rl.returns import generalized_advantages, retrace_targets

pytestmark = pytest.mark.usefixtures("quick_compilation")

STEPS, BATCH, DISCOUNT, TRACE = 12, 5, 0.9, 0.8


@pytest.fixture
def steps():
    rng = np.random.default_rng(0)
    terminated = rng.random((STEPS, BATCH)) < 0.15
    truncated = ~terminated & (rng.random((STEPS, BATCH)) < 0.15)
    assert terminated.any()
    assert truncated.any()
    reals = (rng.normal(size=(STEPS, BATCH)) for _ in range(3))
    return *reals, rng.uniform(0.2, 3.0, (STEPS, BATCH)), terminated, truncated


def test_generalized_advantages_are_the_sums_that_define_them(steps):
    rewards, values, following, _, terminated, truncated = steps
    found = generalized_advantages(
        *map(jnp.asarray, (rewards, values, following, terminated, truncated)),
        discount=DISCOUNT,
        trace=TRACE,
    )
    for b in range(BATCH):
        for t in range(STEPS):
            expected, factor = 0.0, 1.0
            for s in range(t, STEPS):
                future = 0.0 if terminated[s, b] else following[s, b]
                expected += factor * (rewards[s, b] + DISCOUNT * future - values[s, b])
                factor *= DISCOUNT * TRACE
                if terminated[s, b] or truncated[s, b]:
                    break
            assert found[t, b] == pytest.approx(expected, abs=1e-5)


def test_retrace_targets_match_the_backward_recursion(steps):
    rewards, values, following, weights, terminated, truncated = steps
    arrays = map(jnp.asarray, (rewards, values, following, weights, terminated, truncated))
    found = retrace_targets(*arrays, discount=DISCOUNT)
    for b in range(BATCH):
        later = None
        for t in reversed(range(STEPS)):
            if terminated[t, b]:
                later = 0.0
            elif truncated[t, b] or t == STEPS - 1:
                later = following[t, b]
            error = rewards[t, b] + DISCOUNT * later - values[t, b]
            later = values[t, b] + min(1.0, weights[t, b]) * error
            assert found[t, b] == pytest.approx(later, abs=1e-5)


def test_on_policy_retrace_is_the_discounted_return():
    rewards = jnp.array([1.0, 2.0, 4.0])
    no = jnp.zeros(3, bool)
    targets = retrace_targets(rewards, jnp.zeros(3), jnp.full(3, 8.0), jnp.ones(3), no, no, discount=0.5)
    assert targets[0] == pytest.approx(1.0 + 1.0 + 1.0 + 1.0)


def test_log_density_and_divergence_are_those_of_the_normal():
    u, mean, std = 0.3, -0.2, 0.7
    assert squashed_normal.log_density(u, mean, std) == pytest.approx(
        stats.norm(mean, std).logpdf(u), rel=1e-5
    )
    x = np.linspace(-8, 8, 20001)
    p, q = stats.norm(0.1, 0.5), stats.norm(mean, std)
    integral = np.trapezoid(p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), x)
    assert squashed_normal.divergence(0.1, 0.5, mean, std) == pytest.approx(integral, rel=1e-4)
    assert squashed_normal.entropy(jnp.asarray(std)) == pytest.approx(stats.norm(0, std).entropy(), rel=1e-5)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_noise_of_agents_has_the_correlation_asked_for(shared):
    keys = jax.random.split(jax.random.PRNGKey(0), 20000)
    mean, std = jnp.zeros((2, 1, 1)), jnp.full((2, 1, 1), 0.5)
    u = jax.vmap(lambda key: squashed_normal.sample(key, mean, std, shared))(keys)[..., 0, 0]
    assert np.std(u, axis=0) == pytest.approx(0.5, rel=0.03)
    assert np.corrcoef(u.T)[0, 1] == pytest.approx(shared, abs=0.03)


def test_spread_starts_at_its_initial_value_and_stays_within_its_bounds():
    assert squashed_normal.spread(jnp.asarray(9.0), 0.3, largest=0.5) == pytest.approx(0.5)
    assert squashed_normal.spread(jnp.asarray(0.0), 0.3) == pytest.approx(0.3)
    assert squashed_normal.spread(jnp.asarray(-1e6), 0.3) == pytest.approx(0.02)


def test_clipping_stops_gain_but_not_loss():
    weight = jnp.array([0.5, 1.0, 2.0, 0.5, 1.0, 2.0])
    advantage = jnp.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    found = clipped_objective(weight, advantage, 0.2)
    np.testing.assert_allclose(found, [0.5, 1.0, 1.2, -0.8, -1.0, -2.0], rtol=1e-6)
