"""Online ensemble Kalman tuning: finds a known constant, survives blow-ups, and keeps to its budget."""

from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.reference import read_reference
from subgrid.envs.closure_env import ClosureEnv
from subgrid.envs.ensemble import Ensemble
from subgrid.envs.uniform_closure import stack
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.workflows import closure_kalman
from subgrid.workflows.closure_baselines import FAMILIES
from subgrid.workflows.closure_kalman import first_ensemble, predicted_spectra, spectrum_data, tune_by_kalman

pytestmark = pytest.mark.usefixtures("quick_compilation")

REFERENCE = Path(__file__).parents[2] / "docs" / "results" / "k4b0.reference.nc"
BUDGET = {"smagorinsky": [{"smagorinsky": c} for c in np.linspace(0.05, 0.3, 18)]}


@pytest.fixture(scope="module")
def setting():
    case = get_case("k4b0")
    environment = ClosureEnv(case, 16)
    return environment, environment.params(read_reference(REFERENCE, case), count=2)


class Model:
    """Stands for the simulations: ln Z falls by 2 ln C_s, and a `doomed` one leaves the finite numbers."""

    target, doomed, counts = None, (), ()

    def __init__(self, environment, make_closure, plan):
        pass

    def run(self, params, members):
        constant = np.sqrt(np.asarray(members.smagorinsky))
        Model.counts = (*Model.counts, len(constant))
        spectrum = np.asarray(Model.target.spectrum)[None, None] * (0.12 / constant[:, None, None, None]) ** 2
        alive = np.ones((len(constant), 1))
        for index in Model.doomed:
            spectrum[index], alive[index] = np.nan, 0.0
        return {"spectrum": spectrum, "alive": alive}


@pytest.mark.parametrize("doomed", [(), (1, 4)])
def test_the_constant_behind_the_data_is_found_within_the_budget(setting, monkeypatch, doomed):
    environment, params = setting
    monkeypatch.setattr(closure_kalman, "Ensemble", Model)
    Model.target, Model.doomed, Model.counts = params.target, doomed, ()
    found = tune_by_kalman(environment, params, BUDGET, copies=2, time=1.0, iterations=3)["smagorinsky"]
    assert found.constants["smagorinsky"] == pytest.approx(0.12, rel=0.03)
    assert sum(Model.counts) == found.members * 3 * 2 <= len(BUDGET["smagorinsky"]) * 2
    assert [row["failed"] for row in found.history] == [2 if doomed else 0] * 3
    assert found.history[-1]["misfit"] < 0.1 * found.history[0]["misfit"]


def test_an_ensemble_that_all_fails_stays_as_it_is(setting, monkeypatch):
    environment, params = setting
    monkeypatch.setattr(closure_kalman, "Ensemble", Model)
    Model.target, Model.doomed, Model.counts = params.target, range(12), ()
    found = tune_by_kalman(environment, params, BUDGET, copies=2, time=1.0, iterations=3)["smagorinsky"]
    prior = np.exp(first_ensemble(BUDGET["smagorinsky"], 6).mean())
    assert found.constants["smagorinsky"] == pytest.approx(prior)
    assert np.isnan(found.history[0]["misfit"])
    assert found.history[0]["failed"] == 6


def test_simulations_with_real_constants_are_updated(setting):
    environment, params = setting
    few = {"jansen_held": FAMILIES["jansen_held"][::20]}
    found = tune_by_kalman(environment, params, few, copies=1, time=0.2, spin_up=0.2, iterations=1)
    assert set(found["jansen_held"].constants) == {"biharmonic", "returned"}
    assert all(0.0 < value < 5.0 for value in found["jansen_held"].constants.values())


def test_a_simulation_that_blows_up_in_a_batch_fails_alone(setting):
    environment, params = setting
    plan = closure_kalman.RunPlan(spin_up=0.0, blocks=1, block_time=0.2)
    members = stack([(0.01, 0, 0, 0), (-50.0, 0, 0, 0), (0.01, 0, 0, 0)])
    runs = Ensemble(environment, lambda member, steps: member, plan).run(params, members)
    assert runs["alive"].ravel().tolist() == [1.0, 0.0, 1.0]
    spectra = predicted_spectra(runs, copies=1)
    assert np.isfinite(spectra).all(1).tolist() == [True, False, True]
    np.testing.assert_allclose(spectra[0], spectra[2], rtol=1e-5)


def test_data_and_noise_are_those_of_the_target(setting):
    _, params = setting
    data, noise = spectrum_data(params.target)
    np.testing.assert_allclose(np.exp(data), np.asarray(params.target.spectrum).ravel(), rtol=1e-6)
    root = np.asarray(params.target.whitening, float)
    np.testing.assert_allclose(root @ noise @ root.T, np.eye(len(data)), atol=1e-4)


def test_too_few_candidates_are_refused(setting):
    environment, params = setting
    with pytest.raises(InputError, match="at least 3"):
        tune_by_kalman(environment, params, BUDGET, copies=1, time=0.1, iterations=9)
