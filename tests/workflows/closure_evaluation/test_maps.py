"""Policy maps find what a policy follows, whatever its agents sit in."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.envs.actions import get_action
from subgrid.envs.observations import get_observation
from subgrid.envs.policy_closure import PolicyClosure
from subgrid.workflows.closure_evaluation.maps import sample_policy

pytestmark = pytest.mark.usefixtures("quick_compilation")
SHORT = {"seeds": 3, "snapshots": 4, "spin_up": 0.1, "sample_interval": 0.1}


def follows_the_gradient(observation):
    return jnp.tanh(0.3 * observation.local[..., 2:3] - 0.5)


def test_the_invariant_that_a_policy_follows_is_found(environment, params):
    found = sample_policy(
        environment, params, PolicyClosure(environment, params.target, follows_the_gradient), **SHORT
    )
    samples = 3 * 4 * environment.agents**2
    assert found.invariants.shape == (samples, 5)
    assert found.actions.shape == (samples, 1)
    np.testing.assert_allclose(found.actions[:, 0], np.tanh(0.3 * found.invariants[:, 2] - 0.5), rtol=1e-4)
    np.testing.assert_allclose(found.mean_action, found.actions.mean(), rtol=1e-5)
    assert found.mean_action.shape == environment.action_shape
    assert found.telling_invariant() == 2
    assert found.invariant_names[1] == "ω²/σ²"
    assert found.correlations().shape == (1, 6)
    assert found.correlations()[0, 2] > 0.95
    assert np.abs(found.place[:, 1]).mean() == pytest.approx(1.0)


def test_agents_in_the_spectrum_each_have_their_mean_action(environment, reference):
    shells = replace(
        environment, agents=4, action=get_action("shells"), observation=get_observation("shells")
    )
    params = shells.params(reference, count=2)
    steady = jnp.linspace(-0.5, 0.5, np.prod(shells.action_shape), dtype=jnp.float32)

    def act(observation):
        return steady.reshape(shells.action_shape)

    found = sample_policy(environment, params, PolicyClosure(shells, params.target, act), **SHORT)
    np.testing.assert_allclose(found.mean_action, act(None), rtol=1e-5)
    assert found.place is None
    assert found.actions.shape == (3 * 4 * 2 * 4, shells.action.components)
    assert found.correlations().shape == (shells.action.components, found.invariants.shape[1])
    assert 0 <= found.telling_invariant() < found.invariants.shape[1]


def test_a_policy_that_blows_up_at_once_has_no_map(environment, params):
    def explode(observation):
        return jnp.full(environment.action_shape, jnp.nan, jnp.float32)

    policy = PolicyClosure(environment, params.target, explode)
    assert sample_policy(environment, params, policy, **SHORT) is None
