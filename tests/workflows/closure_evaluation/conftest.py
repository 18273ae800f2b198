"""An LES of 16² points, the shipped statistics of k4b0, and policy files that nobody trained."""

from pathlib import Path
from types import SimpleNamespace

import jax.numpy as jnp
import pytest

from subgrid.contracts.reference import read_reference
from subgrid.envs.closure_env import ClosureEnv
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.numerics import Numerics
from subgrid.workflows.closure_rl import ClosureRl, make_environment, make_network, write_policy

RESULTS = Path(__file__).parents[3] / "docs" / "results"


@pytest.fixture(scope="session")
def reference_file():
    return RESULTS / "k4b0.reference.nc"


@pytest.fixture(scope="session")
def reference(reference_file):
    return read_reference(reference_file)


@pytest.fixture(scope="session")
def environment():
    numerics = Numerics(dt=5e-3, integrator="ab2cn", dealiasing="none")  # one tendency a step: compiles fast
    return ClosureEnv(get_case("k4b0"), 16, hold=2, numerics=numerics)


@pytest.fixture(scope="session")
def params(environment, reference):
    return environment.params(reference, held_out=True, count=2)


@pytest.fixture(scope="session")
def make_policy_file(tmp_path_factory, reference):
    """`make(observation)`: a policy of 16² points with random weights."""

    def make(observation="relative"):
        config = ClosureRl(grid=16, hold=2, observation=observation)
        environment = make_environment(config)
        params = environment.params(reference, count=2)
        path = tmp_path_factory.mktemp("policies") / f"{observation}.npz"
        state = SimpleNamespace(environment=jnp.zeros(1))
        network = make_network(environment, params, config)
        write_policy(path, SimpleNamespace(network=network, history=[], seconds=0.0, state=state), config)
        return path

    return make
