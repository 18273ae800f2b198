"""The LES that judges takes what it can from the policy, and no time step that its flow outruns."""

import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.reference import read_reference
from subgrid.workflows.closure_evaluation.judge import grid_environment


@pytest.fixture(scope="module")
def jets(reference_file):
    return read_reference(reference_file.with_name("k4b20.reference.nc"))


@pytest.mark.parametrize(("grid", "dt"), [(32, 0.01), (64, 0.005), (128, 0.0025)])
def test_the_time_step_is_halved_until_the_grid_carries_the_jets(jets, grid, dt, reference_file):
    policy = reference_file.parent / "rl" / "k4b20.npz"
    environment = grid_environment({"policy": policy}, jets, grid)
    assert environment.numerics.dt == dt
    assert environment.interval == pytest.approx(0.1)  # of an action, as in the training


def test_a_given_time_step_is_taken_as_it_is_or_refused(jets):
    assert grid_environment({}, jets, 64, 0.0079).numerics.dt == 0.0079
    with pytest.raises(InputError, match=r"ifrk4 is stable up to 2\.83; take a time step of at most 0\.0079"):
        grid_environment({}, jets, 64, 0.01)
