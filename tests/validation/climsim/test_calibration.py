"""Calibrated ensembles look calibrated, others do not; sums over pieces are sums over all."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.validation.climsim.calibration import Calibration


def judged(samples, truth):
    found = Calibration()
    found.add(samples, truth)
    return found.result()


def test_perfect_overconfident_and_biased_ensembles():
    rng = np.random.default_rng(3)
    truth, samples = rng.normal(size=(200, 30)), rng.normal(size=(9, 200, 30))
    good, narrow, biased = (judged(s, truth) for s in (samples, 0.2 * samples, samples + 1))
    assert good["spread_over_error"] == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(good["rank_histogram"], 0.1, atol=0.02)
    assert narrow["spread_over_error"] < 0.3
    assert narrow["rank_histogram"][0] > 0.3
    assert biased["rank_histogram"][0] > 3 * biased["rank_histogram"][-1]
    assert good["crps"] < min(narrow["crps"], biased["crps"])
    # CRPS of a standard normal about a standard normal truth: 1/sqrt(pi).
    assert good["crps"] == pytest.approx(1 / np.sqrt(np.pi), rel=0.02)


def test_spread_knows_where_the_error_is():
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.integers(-2, 3, (400, 40))
    truth, samples = scale * rng.normal(size=scale.shape), scale * rng.normal(size=(16, *scale.shape))
    for spread, error, share in judged(samples, truth)["spread_skill"]:
        if share > 0.02:
            assert error == pytest.approx(spread, rel=0.4)


def test_pieces_add_up():
    rng = np.random.default_rng(1)
    truth, samples = rng.normal(size=(6, 5, 4)), rng.normal(size=(3, 6, 5, 4))
    pieces = Calibration()
    for step in range(6):
        pieces.add(samples[:, step : step + 1], truth[step : step + 1])
    whole, parts = judged(samples, truth), pieces.result()
    for key in ("crps", "crps_levels", "rank_histogram", "spread_over_error"):
        np.testing.assert_allclose(parts[key], whole[key], rtol=1e-12)
    assert pieces.per_step.shape == (6,)
    with pytest.raises(InputError, match="ensemble of 2 members after one of 3"):
        pieces.add(samples[:2], truth)


def test_values_that_never_move_have_no_rank_and_ties_are_shared():
    truth = np.array([[0.0, 1.0]])
    samples = np.array([[[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 2.0]]])
    # The first value is always 0. In the second the truth equals two of three members: ranks 0, 1, 2 alike.
    found = judged(samples, truth)
    np.testing.assert_allclose(found["rank_histogram"], [1 / 3, 1 / 3, 1 / 3, 0])
    assert found["silent_share"] == 0
    assert judged(np.zeros((3, 1, 2)), truth)["silent_share"] == 0.5
