"""The vector environment obeys Gymnasium's contract and repeats the bare environment's numbers."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from subgrid.contracts.errors import InputError
from subgrid.envs.gymnasium_adapter import ClosureVectorEnv

pytestmark = pytest.mark.usefixtures("quick_compilation")
SEED, COUNT = 7, 3
ACTIONS = np.random.default_rng(0).uniform(-1, 1, (5, COUNT, 4, 4, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def simulations(environment, params):
    return ClosureVectorEnv(environment, params, COUNT)


def play(simulations, seed):
    return [simulations.reset(seed=seed), *(simulations.step(action) for action in ACTIONS)]


def test_seeds_reproduce_beyond_the_end_of_an_episode_and_differ(simulations):
    first, second, other = play(simulations, SEED), play(simulations, SEED), play(simulations, SEED + 1)
    for run in (first, second):
        for *_, infos in run:
            # NumPy compares no arrays of arrays.
            infos["final_obs"] = list(infos.get("final_obs", ()))
    np.testing.assert_equal(first, second)
    assert not np.array_equal(first[0][0], other[0][0])


def test_resets_after_a_seed_reproduce_and_differ(simulations):
    runs = []
    for _ in range(2):
        simulations.reset(seed=SEED)
        runs.append([simulations.reset()[0] for _ in range(2)])
    np.testing.assert_array_equal(*runs)
    assert not np.array_equal(*runs[0])


def test_numbers_are_those_of_the_bare_environment(simulations, params, bare):
    reset, step = bare
    key, chosen = jax.random.split(jax.random.PRNGKey(SEED))
    found = play(simulations, SEED)
    starts = [reset(one, params) for one in jax.random.split(chosen, COUNT)]
    compare(found[0], [observation for observation, _ in starts])
    states = [state for _, state in starts]
    for number, actions in enumerate(ACTIONS, 1):
        key, chosen = jax.random.split(key)
        keys = jax.random.split(chosen, COUNT)
        results = [step(*each, params) for each in zip(keys, states, actions, strict=True)]
        compare(found[number], [result[0] for result in results])
        for index, result in enumerate(results):
            for value, expected in zip(found[number][1:4], result[2:5], strict=True):
                close(value[index], expected)
            if result[4]:
                last = found[number][4]["final_obs"][index]
                close(last[..., :5], result[5]["final_observation"].local)
        states = [result[1] for result in results]


def close(value, expected):
    np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-4)


def compare(found, observations):
    for index, observation in enumerate(observations):
        close(found[0][index, ..., :5], observation.local)
        close(found[0][index, 2, 1, 5:], observation.common)
        close(found[-1]["memory"][index], observation.memory)


def test_time_truncates_resets_in_the_same_step_and_keeps_the_last_observation(simulations, environment):
    assert simulations.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    for number, (seen, _, terminated, truncated, infos) in enumerate(play(simulations, SEED)[1:], 1):
        over = number == environment.horizon
        assert not terminated.any()
        assert (truncated == over).all()
        assert ("final_obs" in infos) == over
        if over:
            assert infos["_final_obs"].all()
            assert all(map(simulations.single_observation_space.contains, infos["final_obs"]))
            assert not np.allclose(np.stack(infos["final_obs"]), seen)
            memories = infos["final_info"]["memory"]
            assert not np.allclose(memories, infos["memory"])  # a new episode begins with a neutral one


def test_what_is_returned_lies_in_the_spaces(simulations):
    for result in play(simulations, SEED)[:2]:
        assert simulations.observation_space.contains(result[0])
    simulations.action_space.seed(SEED)
    actions = simulations.action_space.sample()
    _, rewards, terminated, truncated, _ = simulations.step(actions)
    assert rewards.shape == terminated.shape == truncated.shape == (COUNT,)
    assert rewards.dtype == np.float64
    assert terminated.dtype == truncated.dtype == np.bool_


def test_a_blow_up_ends_its_simulation_with_finite_numbers_and_leaves_the_others_alone(
    simulations, environment, params
):
    sound = play(simulations, SEED)[1]
    wild = replace(params, starts=params.starts.at[::2].multiply(1e4))
    violent = ClosureVectorEnv(environment, wild, COUNT)
    violent.reset(seed=SEED)
    seen, rewards, terminated, truncated, infos = violent.step(ACTIONS[0])
    assert 0 < terminated.sum() < COUNT
    assert infos["_final_obs"].tolist() == terminated.tolist()
    assert not truncated.any()
    assert (rewards[terminated] == environment.penalty).all()
    assert np.isfinite(seen).all()
    assert np.isfinite(np.stack(infos["final_obs"][terminated])).all()
    assert set(infos["final_obs"][~terminated]) == {None}
    np.testing.assert_array_equal(rewards[~terminated], sound[1][~terminated])
    np.testing.assert_array_equal(seen[~terminated], sound[0][~terminated])


def test_gymnasiums_own_wrappers_work_on_it(simulations, environment):
    wrapped = DictInfoToList(RecordEpisodeStatistics(simulations))
    wrapped.reset(seed=SEED)
    total = np.zeros(COUNT)
    for number in range(environment.horizon):
        _, rewards, _, _, infos = wrapped.step(ACTIONS[number])
        total += rewards
    assert [info["episode"]["l"] for info in infos] == [environment.horizon] * COUNT
    np.testing.assert_allclose([info["episode"]["r"] for info in infos], total, rtol=1e-5)
    assert all(info["final_obs"].shape == simulations.single_observation_space.shape for info in infos)


def test_bad_input_is_refused_and_harms_nothing(simulations, environment, params):
    with pytest.raises(InputError, match="num_envs = 0"):
        ClosureVectorEnv(environment, params, 0)
    with pytest.raises(InputError, match="call reset"):
        ClosureVectorEnv(environment, params, 1).step(ACTIONS[0, :1])
    simulations.reset(seed=SEED)
    with pytest.raises(InputError, match="expected finite numbers of shape"):
        simulations.step(ACTIONS[0, :1])
    with pytest.raises(InputError, match="0% of them finite"):
        simulations.step(np.full_like(ACTIONS[0], np.nan))
    with pytest.raises(InputError, match=r"largest action is ±1\.5, expected −1"):
        simulations.step(np.full_like(ACTIONS[0], -1.5))
    np.testing.assert_equal(simulations.step(ACTIONS[0]), play(simulations, SEED)[1])
    for seed in (-1, 0.5):
        with pytest.raises(InputError, match="seed"):
            simulations.reset(seed=seed)
