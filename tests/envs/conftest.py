"""A reference file in memory: k4b0's shipped statistics, and environments small enough for a test."""

from pathlib import Path

import jax
import pytest

from subgrid.contracts.reference import read_reference
from subgrid.envs.closure_env import ClosureEnv
from subgrid.sims.turbulence2d.cases import get_case

RESULTS = Path(__file__).parents[2] / "docs" / "results"


@pytest.fixture(scope="session")
def case():
    return get_case("k4b0")


@pytest.fixture(scope="session")
def reference(case):
    return read_reference(RESULTS / "k4b0.reference.nc", case)


@pytest.fixture(scope="session")
def environment(case):
    return ClosureEnv(case, 16, agents=4, hold=2, horizon=3)


@pytest.fixture(scope="session")
def params(environment, reference):
    return environment.params(reference, count=8)


@pytest.fixture(scope="session")
def bare(environment):
    """(reset, step) of one simulation, compiled."""
    return jax.jit(environment.reset), jax.jit(environment.step)
