"""The environment's contract: pure, batched, resetting itself, and never poisoned by a blow-up."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.reference import read_reference
from subgrid.envs.closure_env import ClosureEnv
from subgrid.envs.observations import get_observation
from subgrid.envs.rewards import get_reward
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.jax_solver import State
from subgrid.sims.turbulence2d.numerics import Numerics

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.PRNGKey(0)
COUNT = 4


@pytest.fixture(scope="module")
def batch(environment, params):
    reset = jax.jit(jax.vmap(environment.reset, in_axes=(0, None)))
    step = jax.jit(jax.vmap(environment.step, in_axes=(0, 0, 0, None)))
    keys = jax.random.split(KEY, COUNT)
    observation, state = reset(keys, params)
    return keys, observation, state, step


def all_finite(tree):
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(tree))


def middle(environment):
    return jnp.zeros((COUNT, *environment.action_shape))


def test_shapes_and_kinds(environment, params, batch):
    keys, observation, state, step = batch
    seen, new, reward, terminated, truncated, info = step(keys, state, middle(environment), params)
    assert observation.local.shape[:3] == (COUNT, 4, 4)
    assert reward.shape == (COUNT,)
    assert jax.tree.map(jnp.shape, seen) == jax.tree.map(jnp.shape, info["final_observation"])
    assert jax.tree.map(lambda a: (a.shape, a.dtype), new) == jax.tree.map(
        lambda a: (a.shape, a.dtype), state
    )
    assert terminated.dtype == truncated.dtype == bool
    assert all_finite((seen, reward, info))


def test_same_key_same_episode_and_order_does_not_matter(environment, params, batch):
    keys, _, state, step = batch
    first = step(keys, state, middle(environment), params)
    flipped = jax.tree.map(lambda a: a[::-1], (keys, state))
    second = step(*flipped, middle(environment), params)
    np.testing.assert_allclose(first[2], second[2][::-1], rtol=1e-4)


def test_time_truncates_and_resets_with_the_final_observation_kept(environment, params, batch):
    keys, _, state, step = batch
    for number in range(1, environment.horizon + 1):
        seen, state, _, terminated, truncated, info = step(keys, state, middle(environment), params)
        assert bool(truncated.all()) == (number == environment.horizon)
        assert not terminated.any()
    assert (np.asarray(state.elapsed) == 0).all()
    assert not np.allclose(seen.local, info["final_observation"].local)


def test_nan_terminates_one_simulation_and_leaves_the_others_alone(environment, params, batch):
    keys, _, state, step = batch
    sound = step(keys, state, middle(environment), params)
    hat = state.flow.vorticity_hat.at[1].set(jnp.nan)
    poisoned = State(hat, state.flow.previous_advection_hat, state.flow.steps)
    found = step(keys, replace(state, flow=poisoned), middle(environment), params)
    seen, new, reward, terminated, truncated, _ = found
    assert terminated.tolist() == [False, True, False, False]
    assert not truncated.any()
    assert float(reward[1]) == environment.penalty
    assert all_finite((seen, new, reward))
    others = np.array([0, 2, 3])
    np.testing.assert_array_equal(reward[others], sound[2][others])


def test_a_nan_action_ends_its_own_simulation_only(environment, params, batch):
    keys, _, state, step = batch
    sound = step(keys, state, middle(environment), params)
    found = step(keys, state, middle(environment).at[2].set(jnp.nan), params)
    assert found[3].tolist() == [False, False, True, False]
    assert all_finite(found)
    others = np.array([0, 1, 3])
    np.testing.assert_array_equal(found[2][others], sound[2][others])


def test_a_blow_up_is_terminated_with_a_finite_final_observation(environment, params, batch):
    keys, _, state, step = batch
    wild = State(state.flow.vorticity_hat * 1e4, state.flow.previous_advection_hat, state.flow.steps)
    seen, new, reward, terminated, _, info = step(
        keys, replace(state, flow=wild), middle(environment), params
    )
    assert terminated.all()
    assert all_finite((seen, new, reward, info))


def test_viscosity_lowers_the_small_scales(environment, params, batch):
    keys, _, state, step = batch
    most, least = (step(keys, state, middle(environment) + sign, params) for sign in (1.0, -1.0))

    def small_scales(result):
        return np.abs(result[1].flow.vorticity_hat[:, :, 6:]).sum()

    assert small_scales(most) < small_scales(least)


@pytest.mark.parametrize(
    ("observation", "reward"), [("paper", "paper"), ("paper", "log_ratio"), ("relative", "log_ratio_tail")]
)
def test_observations_and_rewards_are_finite_and_combine(case, reference, observation, reward):
    environment = ClosureEnv(
        case, 16, hold=1, observation=get_observation(observation), reward=get_reward(reward)
    )
    params = environment.params(reference, count=2)
    _, state = environment.reset(KEY, params)
    result = environment.step(KEY, state, jnp.zeros(environment.action_shape), params)
    assert all_finite((result[0], result[2]))


def test_relative_observations_have_one_size_for_every_grid(case, reference):
    shapes = set()
    for n in (16, 32):
        environment = ClosureEnv(case, n)
        seen, _ = environment.reset(KEY, environment.params(reference, count=2))
        shapes.add((seen.local.shape, seen.common.shape))
    assert len(shapes) == 1


def test_beta_sees_both_directions():
    case = get_case("k4b20")
    path = Path(__file__).parents[2] / "docs" / "results" / "k4b20.reference.nc"
    environment = ClosureEnv(case, 16, hold=1)
    params = environment.params(read_reference(path, case), count=2)
    assert params.target.spectrum.shape == (2, 7)
    along_x, along_y = np.asarray(params.target.spectrum)
    assert along_y[2] > 1.3 * along_x[2]  # jets along x: the vorticity varies along y
    too_long = replace(environment, numerics=Numerics(dt=0.05, dealiasing="none"))
    with pytest.raises(InputError, match=r"take a time step of at most 0\.04"):
        too_long.params(read_reference(path, case), count=2)


def test_a_time_step_that_a_held_out_state_outruns_is_refused_in_training_too(case, reference):
    # 0.0129 would do for the training states, 0.0116 for all.
    longer = ClosureEnv(case, 64, numerics=Numerics(dt=0.012, dealiasing="none"))
    with pytest.raises(InputError, match=r"reaches 2\.92 .* take a time step of at most 0\.011\."):
        longer.params(reference, count=2)
    replace(longer, numerics=Numerics(dt=0.0115, dealiasing="none")).params(reference, count=2)


def test_bad_input_is_refused(case, environment, params):
    with pytest.raises(InputError, match="Unknown reward"):
        get_reward("gold")
    with pytest.raises(InputError, match="Unknown observation"):
        get_observation("everything")
    with pytest.raises(InputError, match="forced at wavenumber 25"):
        ClosureEnv(get_case("k25b0"), 32)
    with pytest.raises(InputError, match="at least 1"):
        ClosureEnv(case, 16, hold=0)
    _, state = environment.reset(KEY, params)
    with pytest.raises(InputError, match="expected \\(4, 4, 1\\)"):
        environment.step(KEY, state, jnp.zeros((4, 4)), params)
