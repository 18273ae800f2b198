"""Scores are zero for the reference itself, of known size for known errors, and refuse unlike arrays."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.validation.turbulence import (
    enstrophy_fraction,
    exceedance_ratio,
    pdf_log_error,
    score,
    slope,
    spectrum_log_error,
    spectrum_reward,
    total_variation,
)

K = np.arange(1.0, 33.0)
SPECTRUM = np.concatenate([[3.0], K**-2.0])


def test_spectrum_error_of_a_constant_factor():
    assert spectrum_log_error(SPECTRUM, SPECTRUM) == 0.0
    assert spectrum_log_error(10.0 * SPECTRUM, SPECTRUM) == pytest.approx(1.0)
    tilted = SPECTRUM.copy()
    tilted[20:] *= 100.0
    assert spectrum_log_error(tilted, SPECTRUM, highest=19) == 0.0
    assert spectrum_log_error(np.where(np.arange(33) == 5, 0.0, SPECTRUM), SPECTRUM) == np.inf


def test_reward_is_the_inverse_square_of_the_weighted_error():
    shifted = SPECTRUM.copy()
    shifted[4] += 0.25
    assert spectrum_reward(shifted, SPECTRUM) == pytest.approx(1.0 / (4 * 0.25) ** 2)
    assert spectrum_reward(SPECTRUM, SPECTRUM) == np.inf


def test_total_variation_is_the_mass_misplaced():
    pdf, moved = np.zeros(20), np.zeros(20)
    pdf[5], moved[5], moved[9] = 10.0, 7.0, 3.0
    assert total_variation(moved, pdf, 0.1) == pytest.approx(0.3)
    assert total_variation(pdf, pdf, 0.1) == 0.0


def test_log_error_of_the_tail_counts_empty_bins():
    pdf = np.array([1.0, 1e-2, 1e-4, 1e-9])
    short = np.array([1.0, 1e-2, 0.0, 0.0])
    assert pdf_log_error(pdf, pdf, floor=1e-5) == 0.0
    assert pdf_log_error(short, pdf, floor=1e-5) == pytest.approx(np.sqrt(1.0 / 3.0))
    with pytest.raises(InputError, match="lower floor"):
        pdf_log_error(pdf, pdf, floor=2.0)


def test_exceedance_ratio_is_undefined_where_the_reference_has_none():
    ratios = exceedance_ratio(np.array([0.02, 1e-3, 1e-5]), np.array([0.01, 2e-3, 0.0]))
    np.testing.assert_allclose(ratios[:2], [2.0, 0.5])
    assert np.isnan(ratios[2])


def test_score_names_every_number():
    run = {
        "spectrum": SPECTRUM,
        "pdf": np.ones(10),
        "exceedance": np.ones(3),
        "moments": np.array([2.0, 0.0, 4.0]),
    }
    reference = {**run, "moments": np.array([4.0, 0.0, 5.0])}
    scores = score(run, reference, highest=21, bin_width=0.1)
    assert scores["sigma_ratio"] == 0.5
    assert (scores["kurtosis"], scores["kurtosis_reference"]) == (4.0, 5.0)
    assert scores["exceedance_ratio_4_sigma"] == 1.0


def test_slope_and_fraction_of_a_power_law():
    assert slope(SPECTRUM, 4, 30) == pytest.approx(-2.0)
    assert enstrophy_fraction(np.array([1.0, 1.0, 1.0, 1.0]), 4) == pytest.approx(3.0 / 7.0)


@pytest.mark.parametrize("function", [spectrum_log_error, spectrum_reward, exceedance_ratio])
def test_unlike_arrays_are_refused(function):
    with pytest.raises(InputError, match="shape"):
        function(SPECTRUM, SPECTRUM[:-1])
