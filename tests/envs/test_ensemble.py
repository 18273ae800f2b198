"""Ensembles: pieces make the whole, one blow-up leaves the others alone, closures may know the time."""

import jax
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.envs.closure_env import ClosureEnv
from subgrid.envs.ensemble import Ensemble, RunPlan
from subgrid.envs.uniform_closure import constants, stack
from subgrid.sims.turbulence2d.numerics import Numerics

pytestmark = pytest.mark.usefixtures("quick_compilation")
PLAN = RunPlan(spin_up=0.0, blocks=2, block_time=0.1, sample_interval=0.05)
SOUND, DOOMED = constants(smagorinsky=0.15), (-0.5, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def environment(case):
    # One tendency a step: compiles fast.
    return ClosureEnv(case, 16, numerics=Numerics(dt=5e-3, integrator="ab2cn", dealiasing="none"))


@pytest.fixture(scope="module")
def params(environment, reference):
    return environment.params(reference, count=2)


@pytest.fixture(scope="module")
def ensemble(environment):
    return Ensemble(environment, lambda member, steps: member, PLAN)


@pytest.fixture(scope="module")
def run(ensemble, params):
    return ensemble.run(params, stack([SOUND] * 3))


def test_block_means_have_their_shapes(run, environment):
    assert run["spectrum"].shape == (3, 2, 1, environment.grid.carried)
    assert run["histogram"].shape == (3, 2, 302)
    np.testing.assert_allclose(run["histogram"].sum(-1), 1.0, rtol=1e-5)
    assert (run["alive"] == 1.0).all()


def test_pieces_make_the_whole(ensemble, params, run):
    members = stack([SOUND] * 3)
    carry, means = ensemble.begin(params, 3), []
    for _ in range(4):
        carry, found = ensemble.advance(carry, members, params, 1)
        means.append(found["spectrum"])
    np.testing.assert_allclose(np.mean(means, 0), run["spectrum"].mean(1), rtol=1e-4)
    assert int(carry.flow.steps[0]) == 4 * ensemble.interval


def test_a_blow_up_leaves_the_others_alone(ensemble, params, run):
    found = ensemble.run(params, stack([SOUND, DOOMED, SOUND]))
    assert found["alive"][1, 1] == 0.0
    for name, value in found.items():
        np.testing.assert_allclose(value[[0, 2]], run[name][[0, 2]], rtol=1e-5, atol=1e-6)


def test_closures_know_the_time_and_more_may_be_observed(environment, params):
    def from_step_30(member, steps):
        return jax.tree.map(lambda leaf: leaf * (steps >= 30), member)

    def observe(closure, flow):
        return {"coefficient": closure.smagorinsky}

    found = Ensemble(environment, from_step_30, PLAN, observe).run(params, stack([SOUND] * 3))
    # Samples lie at steps 10 and 20, then 30 and 40.
    np.testing.assert_allclose(found["coefficient"], [[0.0, SOUND[0]]] * 3, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong", [{"blocks": 0}, {"block_time": 0.1}, {"sample_interval": 0.0}, {"spin_up": -1.0}]
)
def test_plans_that_would_sample_nothing_are_refused(wrong):
    with pytest.raises(InputError, match="expected at least one block"):
        RunPlan(**wrong)
