"""Runs of a group come back by row, and transfers are the rates that the closure's formula gives."""

import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.envs.closure_env import KIND
from subgrid.envs.ensemble import RunPlan
from subgrid.sims.closures import Flow, get_closure
from subgrid.sims.closures.flow import mean_square_vorticity
from subgrid.sims.turbulence2d.jax_solver import make_operators
from subgrid.workflows.closure_evaluation.rows import form_rows
from subgrid.workflows.closure_evaluation.runs import closure_transfer, run_rows, survivors
from subgrid.workflows.closure_forms import UNIFORM

PLAN = RunPlan(spin_up=0.05, blocks=2, block_time=0.1, sample_interval=0.05)
pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture
def flow(environment, params):
    return Flow.of(params.starts[0], make_operators(environment.grid, KIND))


def test_a_drag_takes_enstrophy_and_energy_in_proportion(flow):
    found = closure_transfer(lambda flow: -0.5 * flow.vorticity_hat, flow)
    assert float(found["enstrophy_transfer"].sum()) == pytest.approx(
        -0.5 * float(mean_square_vorticity(flow)), rel=1e-4
    )
    energy = float(jnp.mean(flow.u**2 + flow.v**2))
    assert float(found["energy_transfer"].sum()) == pytest.approx(-0.5 * energy, rel=1e-4)


def test_no_closure_transfers_nothing_and_smagorinsky_only_takes(flow):
    nothing = closure_transfer(get_closure("none"), flow)
    assert not np.any(nothing["enstrophy_transfer"])
    taken = closure_transfer(get_closure("smagorinsky"), flow)["enstrophy_transfer"]
    assert (np.asarray(taken) <= 0.0).all()
    assert float(taken[5]) < 0.0


def test_rows_come_back_by_name_and_one_that_dies_leaves_the_others_alone(environment, params):
    rows = form_rows(UNIFORM, {"none": {}, "wild": {"biharmonic": 4.0}, "leith": {"leith": 0.2}}, 2)
    found = run_rows(environment, params, rows, PLAN)
    assert list(found) == ["none", "wild", "leith"]
    assert found["leith"]["spectrum"].shape == (2, 2, 1, environment.grid.carried)
    assert [survivors(run).tolist() for run in found.values()] == [[True] * 2, [False] * 2, [True] * 2]
    assert np.isfinite(found["leith"]["raw_moments"]).all()
    assert (found["leith"]["enstrophy_transfer"].sum(-1) < 0.0).all()
    assert not found["none"]["enstrophy_transfer"].any()
    assert (found["none"]["cost"] > 0.0).all()
