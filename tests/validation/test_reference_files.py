"""The shipped reference files are intact, made for today's cases, and say what is known of these flows."""

from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.reference import read_reference
from subgrid.sims.turbulence2d.cases import CASES
from subgrid.validation.reference_values import REFERENCE_VALUES, SIGMA_REFERENCE, compare

RESULTS = Path(__file__).parents[2] / "docs" / "results"


@pytest.fixture(params=sorted(CASES))
def reference(request):
    path = RESULTS / f"{request.param}.reference.nc"
    if not path.exists():
        pytest.skip(f"docs/results/{path.name} is not here: make it with `subgrid dns {request.param}`")
    assert path.stat().st_size <= 1_000_000
    return read_reference(path, CASES[request.param])


def test_reference_lies_within_the_bands_of_the_known_figures(reference):
    outside = [(wanted, found) for wanted, found, inside in compare(reference) if not inside]
    assert not outside


def test_reference_is_a_resolved_stationary_dns(reference):
    assert reference.attributes["grid"] >= 1024
    assert reference.attributes["time_span"] >= 20.0
    spectrum = reference["enstrophy_mean"]
    carried = (reference.attributes["grid"] - 1) // 3
    # Resolved: little is left at the cut, and the unavoidable pile-up just before it is small.
    assert spectrum[carried] < 5e-3 * spectrum[20]
    assert spectrum[carried] < 3.0 * spectrum[:carried].min()
    assert not spectrum[carried + 1 :].any()
    # Stationary: injection balances the losses to what the drift of a finite run leaves.
    for name in ("enstrophy_budget", "energy_budget"):
        terms = reference[name]
        assert abs(terms.sum()) < 0.01 * abs(terms[0])


def test_bins_hold_the_distribution(reference):
    sigma = reference.attributes["sigma_reference"]
    assert sigma == SIGMA_REFERENCE[reference.attributes["case"]]
    width = np.diff(reference["bin_edge"])[0]
    centres = 0.5 * (reference["bin_edge"][1:] + reference["bin_edge"][:-1])
    mass = reference["pdf"][0] * width
    assert mass.sum() == pytest.approx(1.0, abs=1e-5)
    assert sigma * np.sqrt((mass * centres**2).sum()) == pytest.approx(reference.sigma, rel=0.01)


def test_jets_of_the_beta_plane_lie_along_x():
    path = RESULTS / "k4b20.reference.nc"
    if not path.exists():
        pytest.skip("docs/results/k4b20.reference.nc is not here: make it with `subgrid dns k4b20`")
    reference = read_reference(path)
    assert reference["enstrophy_x"][0] > 4.0 * reference["enstrophy_y"][0]  # varies along y, not along x


def test_every_case_has_known_figures():
    assert REFERENCE_VALUES.keys() == CASES.keys() == SIGMA_REFERENCE.keys()
