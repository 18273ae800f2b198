"""The PettingZoo environment obeys PettingZoo's own checks and repeats the bare environment's numbers."""

import subprocess
import sys
import warnings
from dataclasses import replace

import jax
import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from subgrid.contracts.errors import InputError
from subgrid.envs.pettingzoo_adapter import ClosureParallelEnv

pytestmark = pytest.mark.usefixtures("quick_compilation")
SEED = 7


@pytest.fixture(scope="module")
def parallel(environment, params):
    return ClosureParallelEnv(environment, params)


def values_at(agents):
    """Another action for every agent, so that a mistaken order shows."""
    return {agent: np.full(1, value, np.float32) for agent, value in zip(agents, RAMP, strict=True)}


RAMP = np.linspace(-1.0, 1.0, 16, dtype=np.float32)


def play(parallel, seed):
    seen, _ = parallel.reset(seed=seed)
    found = [seen]
    while parallel.agents:
        found.append(parallel.step(values_at(parallel.agents)))
    return found


def test_pettingzoo_accepts_it_across_the_end_of_an_episode(parallel, environment):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(parallel, num_cycles=3 * environment.horizon)
    assert parallel.agents == []


def test_pettingzoo_finds_it_reproducible(environment, params):
    parallel_seed_test(lambda: ClosureParallelEnv(environment, params), num_cycles=10)


def test_seeds_reproduce_whole_episodes_and_differ(parallel):
    first, second, other = play(parallel, SEED), play(parallel, SEED), play(parallel, SEED + 1)
    np.testing.assert_equal(first, second)
    assert not np.array_equal(first[0]["agent_0_0"], other[0]["agent_0_0"])


def test_episodes_after_a_seed_reproduce_too(parallel):
    runs = []
    for _ in range(2):
        parallel.reset(seed=SEED)
        runs.append([parallel.reset()[0]["agent_1_2"] for _ in range(4)])
    np.testing.assert_array_equal(*runs)
    assert len({run.tobytes() for run in runs[0]}) > 1


def test_numbers_are_those_of_the_bare_environment(parallel, environment, params, bare):
    key, (reset, step) = jax.random.PRNGKey(SEED), bare
    observation, state = reset(key, params)
    for number, found in enumerate(play(parallel, SEED)):
        if number:
            _, state, reward, _, _, info = step(key, state, RAMP.reshape(4, 4, 1), params)
            observation = info["final_observation"]
            found, rewards, _, truncated, _ = found
            np.testing.assert_allclose(list(rewards.values()), float(reward), rtol=1e-4)
            assert set(truncated.values()) == {number == environment.horizon}
        for row, column in ((0, 0), (1, 3), (2, 1)):
            expected = np.append(observation.local[row, column], observation.common)
            np.testing.assert_allclose(found[f"agent_{row}_{column}"], expected, rtol=1e-3, atol=1e-4)
    central = np.concatenate([np.ravel(part) for part in jax.tree.leaves(observation)])
    np.testing.assert_allclose(parallel.state(), central, rtol=1e-3, atol=1e-4)


def test_what_is_returned_lies_in_the_spaces(parallel):
    observations, _ = parallel.reset(seed=SEED)
    for _ in range(2):
        for agent in parallel.possible_agents:
            assert parallel.observation_space(agent).contains(observations[agent])
            assert parallel.action_space(agent).contains(values_at(parallel.possible_agents)[agent])
        assert parallel.state_space.contains(parallel.state())
        observations = parallel.step(values_at(parallel.agents))[0]


def test_a_blow_up_terminates_all_agents_with_finite_numbers(environment, params):
    parallel = ClosureParallelEnv(environment, replace(params, starts=1e4 * params.starts))
    parallel.reset(seed=SEED)
    observations, rewards, terminated, truncated, _ = parallel.step(values_at(parallel.agents))
    assert set(rewards.values()) == {environment.penalty}
    assert all(terminated.values())
    assert not any(truncated.values())
    assert np.isfinite(list(observations.values())).all()
    assert np.isfinite(parallel.state()).all()
    assert parallel.agents == []


def test_bad_input_is_refused_and_harms_nothing(parallel):
    parallel.reset(seed=SEED)
    good = values_at(parallel.agents)
    with pytest.raises(InputError, match="missing or unknown: agent_0_0"):
        parallel.step({agent: value for agent, value in good.items() if agent != "agent_0_0"})
    with pytest.raises(InputError, match="missing or unknown: agent_9_9"):
        parallel.step(good | {"agent_9_9": good["agent_0_0"]})
    for wrong in (np.zeros(2, np.float32), np.array([np.nan], np.float32)):
        with pytest.raises(InputError, match="action of agent_1_1"):
            parallel.step(good | {"agent_1_1": wrong})
    with pytest.raises(InputError, match=r"agent_1_1 .* expected −1"):
        parallel.step(good | {"agent_1_1": np.array([1.5], np.float32)})
    after = parallel.step(good)
    np.testing.assert_equal(after, play(parallel, SEED)[1])
    with pytest.raises(InputError, match="call reset"):
        parallel.step(good)
    assert parallel.step({}) == ({}, {}, {}, {}, {})
    for seed in (-1, 0.5):
        with pytest.raises(InputError, match="seed"):
            parallel.reset(seed=seed)


WITHOUT = """
import importlib, sys
sys.modules.update(gymnasium=None, pettingzoo=None)
import subgrid.envs, subgrid.envs.closure_env, subgrid.envs.ensemble, subgrid.envs.policy_closure
for name in ("pettingzoo", "gymnasium"):
    try:
        importlib.import_module(f"subgrid.envs.{name}_adapter")
    except Exception as error:
        sys.stdout.write(f"{type(error).__name__} {error}\\n")
"""


def test_the_environment_does_without_the_packages_and_the_adapters_say_what_is_missing():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("SetupError ")
        assert "pip install 'subgrid[rl]'" in line
