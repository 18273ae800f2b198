"""The statistics of a flow are those of its reference where it is the same flow, and differ where not."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.reference import Reference
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.statistics import HistogramBins
from subgrid.validation.flow_statistics import flow_statistics, reference_bins, reference_statistics
from subgrid.validation.turbulence import score

CASE = get_case("k4b0")
BINS = HistogramBins(limit=6.0, count=60)
NAMES = ("pdf", "pdf_lower", "pdf_upper", "moments", "moments_error", "exceedance", "exceedance_error")


def snapshots(factor=1.0, count=6, n=32):
    return [factor * random_vorticity(n, seed) for seed in range(count)]


@pytest.fixture
def reference():
    """A reference with three levels, 128, 64 and 32, of which only 32 holds what it should."""
    sigma = float(np.std(snapshots()))
    attributes = {"sigma_reference": sigma, "grid": 128}
    frame = Reference(attributes, {"bin_edge": BINS.edges})
    truth = flow_statistics(snapshots(), CASE, frame)
    arrays = {
        name: np.stack([np.zeros_like(truth[name])] * 2 + [truth[name]]) for name in NAMES if name in truth
    }
    arrays |= {"bin_edge": BINS.edges, "level_grid": np.array([128, 64, 32])}
    arrays |= {"enstrophy_mean": np.pad(truth["spectrum"], (0, 48)), "enstrophy_mean_error": np.zeros(64)}
    arrays["exceedance_error"] = np.zeros((3, 3))
    return Reference(attributes, arrays)


def test_bins_are_recovered(reference):
    np.testing.assert_allclose(reference_bins(reference).edges, BINS.edges)


def test_statistics_are_those_of_all_snapshots_at_once(reference):
    fields = np.stack(snapshots())
    found = flow_statistics(iter(fields), CASE, reference)
    spectrum = found["spectrum"]
    assert spectrum[0] + 2.0 * spectrum[1:].sum() == pytest.approx(0.5 * np.mean(fields**2))
    assert found["moments"][0] == pytest.approx(fields.std(), rel=1e-6)
    counts = np.histogram(fields / reference.attributes["sigma_reference"], BINS.edges, density=True)[0]
    np.testing.assert_allclose(found["pdf"], counts, atol=1e-12)
    assert np.all(found["pdf_lower"] <= found["pdf_upper"])


def test_same_flow_scores_perfectly_and_a_stronger_one_does_not(reference):
    wanted = reference_statistics(reference, 32, 15)
    assert wanted["level_grid"] == 32
    same = score(flow_statistics(snapshots(), CASE, reference), wanted, highest=15, bin_width=BINS.width)
    assert same["spectrum_log_error"] == same["pdf_total_variation"] == 0.0
    stronger = flow_statistics(snapshots(2.0), CASE, reference)
    found = score(stronger, wanted, highest=15, bin_width=BINS.width)
    assert found["sigma_ratio"] == pytest.approx(2.0)
    assert found["spectrum_log_error"] == pytest.approx(np.log10(4.0))
    assert found["exceedance_ratio_3_sigma"] > 2.0
    assert found["pdf_total_variation"] > 0.1


@pytest.mark.parametrize(("largest", "level"), [(63, 128), (42, 64), (31, 64), (21, 32), (10, 32), (1, 32)])
def test_level_is_the_nearest_cut(reference, largest, level):
    assert reference_statistics(reference, 64, largest)["level_grid"] == level


def test_bad_input_is_refused(reference):
    with pytest.raises(InputError, match="at least 2 snapshots, found 1"):
        flow_statistics(snapshots(count=1), CASE, reference)
    with pytest.raises(InputError, match="128 points per side, the run 256"):
        reference_statistics(reference, 256, 85)
