"""Scores are perfect for the DNS itself, variability shrinks with time, dead simulations are left out."""

import numpy as np
import pytest

from subgrid.contracts.reference import read_reference
from subgrid.envs.closure_env import ClosureEnv
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.workflows.closure_evaluation.runs import blow_up_times
from subgrid.workflows.closure_evaluation.scores import (
    natural_variability,
    scores_with_bands,
    target_statistics,
    true_transfer,
)

SEEDS, BLOCKS = 4, 3


@pytest.fixture(scope="module")
def target(environment, reference):
    return target_statistics(reference, environment)


@pytest.fixture
def run(environment, reference, target):
    """Block means of simulations that are as the DNS, a little louder or quieter."""
    loud = 1.0 + 0.02 * np.random.default_rng(0).normal(size=(SEEDS, BLOCKS))
    bins = np.pad(target["pdf"] * 0.1, 1)
    sigma, skewness, kurtosis = target["moments"]
    moments = np.array([0.0, sigma**2, skewness * sigma**3, kurtosis * sigma**4])
    shells = np.ones_like(target["enstrophy_transfer"])
    means = {
        "spectrum": target["spectrum_directions"],
        "histogram": bins,
        "raw_moments": moments,
        "exceedance": target["exceedance"],
        "reward": np.array(0.5),
        "enstrophy_transfer": shells,
        "energy_transfer": shells,
        "cost": np.array(1e-3),
    }
    found = {name: loud.reshape(SEEDS, BLOCKS, *[1] * np.ndim(m)) * m for name, m in means.items()}
    return found | {"alive": np.ones((SEEDS, BLOCKS))}


def judge(run, target, reference, environment):
    band = natural_variability(reference, environment, target, 100.0)[1]
    return scores_with_bands(run, target, reference, environment, block_time=5.0, dns_band=band)


def test_the_dns_itself_scores_well(run, target, reference, environment):
    found = judge(run, target, reference, environment)
    assert found["survived"] == 1.0
    assert found["spectrum_log_error"] < 0.01
    assert found["spectrum_inside_dns_band"] == 1.0
    assert found["exceedance_ratio_3_sigma"] == pytest.approx(1.0, abs=0.03)
    low, high = found["kurtosis_band"]
    assert low <= found["kurtosis"] <= high
    assert found["cost"] == pytest.approx(1e-3, rel=0.05)
    assert "blow_up_time" not in found


def test_a_dead_simulation_does_not_poison_the_scores(run, target, reference, environment):
    alone = {name: value[1:] for name, value in run.items()}
    for name, value in run.items():
        value[0, 1:] = 0.0 if name == "alive" else np.nan
    found, expected = (judge(r, target, reference, environment) for r in (run, alone))
    assert found["survived"] == 0.75
    assert found["blow_up_time"] == 5.0
    for name in ("spectrum_log_error", "kurtosis", "exceedance_ratio_4_sigma"):
        assert found[name] == expected[name]


def test_rows_without_a_survivor_have_no_scores(run, target, reference, environment):
    run["alive"][:] = 0.0
    run["alive"][:, 0] = 0.5
    found = judge(run, target, reference, environment)
    assert found["survived"] == 0.0
    assert "spectrum_log_error" not in found
    np.testing.assert_array_equal(blow_up_times(run, 5.0), np.full(SEEDS, 2.5))


def test_natural_variability_shrinks_with_time(reference, environment, target):
    (short, wide), (long, narrow) = (
        natural_variability(reference, environment, target, time) for time in (5.0, 500.0)
    )
    assert (wide[0] < 1.0).all()
    assert (wide[1] > 1.0).all()
    assert (np.diff(narrow, axis=0) < np.diff(wide, axis=0)).all()
    assert long["spectrum_log_error"] < short["spectrum_log_error"]
    assert short["kurtosis_band"][0] < long["kurtosis_band"][0] < long["kurtosis"] == target["moments"][2]
    assert long["spectrum_inside_dns_band"] > 0.8


def test_the_exact_transfer_takes_enstrophy_and_is_known_below_the_stored_grid(reference):
    case = get_case("k4b0")
    found = true_transfer(reference, ClosureEnv(case, 32))
    assert found["enstrophy_transfer"].sum() < 0.0
    assert np.abs(found["enstrophy_transfer"][12:]).sum() > np.abs(found["enstrophy_transfer"][:6]).sum()
    assert true_transfer(reference, ClosureEnv(case, 128)) == {}


def test_beta_is_judged_in_both_directions(reference_file):
    reference = read_reference(reference_file.with_name("k4b20.reference.nc"))
    environment = ClosureEnv(get_case("k4b20"), 16)
    target = target_statistics(reference, environment)
    assert target["spectrum_directions"].shape == (2, 7)
    run = {
        "spectrum": np.broadcast_to(target["spectrum_directions"] * [[1.0], [2.0]], (2, 2, 2, 7)),
        "histogram": np.broadcast_to(np.pad(target["pdf"] * 0.1, 1), (2, 2, 302)),
        "raw_moments": np.broadcast_to([0.0, 100.0, 0.0, 3e4], (2, 2, 4)),
        "exceedance": np.broadcast_to(target["exceedance"], (2, 2, 3)),
        **{name: np.ones((2, 2)) for name in ("reward", "alive", "cost")},
        **{name: np.ones((2, 2, 12)) for name in ("enstrophy_transfer", "energy_transfer")},
    }
    found = judge(run, target, reference, environment)
    assert found["spectrum_error_worst_direction"] == pytest.approx(np.log10(2.0))
    assert found["spectrum_inside_dns_band"] == 0.0
