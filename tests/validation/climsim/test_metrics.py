"""The published scores on cases small enough for pencil and paper, and the traps of their definitions."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.variables import HEAT_CAPACITY
from subgrid.validation.climsim import metrics

# Two time steps, three columns.
TARGET = np.array([[1.0, 2.0, 0.0], [3.0, 6.0, 4.0]])
PREDICTION = np.array([[1.5, 2.0, 1.0], [2.5, 7.0, 4.0]])


def test_mae_is_time_then_columns():
    # Columns: (0.5+0.5)/2, (0+1)/2, (1+0)/2.
    assert metrics.mean_absolute_error(PREDICTION, TARGET) == pytest.approx((0.5 + 0.5 + 0.5) / 3, rel=1e-15)


def test_rmse_takes_the_root_before_the_mean_over_columns():
    roots = [np.sqrt((0.25 + 0.25) / 2), np.sqrt(0.5), np.sqrt(0.5)]
    found = metrics.root_mean_squared_error(PREDICTION, TARGET)
    assert found == pytest.approx(np.mean(roots), rel=1e-15)
    pooled = np.sqrt(np.square(PREDICTION - TARGET).mean())
    assert abs(found - pooled) > 1e-3


def test_bias():
    assert metrics.bias(PREDICTION, TARGET) == pytest.approx((0.0 + 0.5 + 0.5) / 3)


def test_r_squared_by_hand():
    # Totals about the time mean: 2, 8, 8; residuals 0.5, 1, 1.
    expected = np.mean([1 - 0.5 / 2, 1 - 1 / 8, 1 - 1 / 8])
    assert metrics.r_squared(PREDICTION, TARGET) == pytest.approx(expected, rel=1e-15)


def test_r_squared_ignores_area_weights_but_mae_does_not():
    weights = np.array([0.1, 2.0, 0.9])
    r2 = metrics.r_squared(PREDICTION * weights, TARGET * weights)
    assert r2 == pytest.approx(metrics.r_squared(PREDICTION, TARGET), rel=1e-14)
    mae = metrics.mean_absolute_error(PREDICTION * weights, TARGET * weights)
    assert mae == pytest.approx(0.5 * weights.mean(), rel=1e-14)


def test_pooled_r_squared_is_another_number():
    residual = 0.25 + 0.25 + 1 + 1
    total = np.square(TARGET - TARGET.mean()).sum()
    assert metrics.r_squared_pooled(PREDICTION, TARGET) == pytest.approx(1 - residual / total, rel=1e-14)


def test_constant_targets():
    constant = np.full((4, 5, 2), 0.1)
    wrong = constant.copy()
    wrong[..., 1] += 1e-9
    np.testing.assert_array_equal(metrics.r_squared_pooled(wrong, constant), [1.0, 0.0])
    assert not np.isfinite(metrics.r_squared(wrong, constant)).any()


def test_one_silent_column_blanks_the_2023_score_of_its_level():
    target, prediction = TARGET.copy(), PREDICTION.copy()
    target[:, 0] = 2.0
    assert metrics.r_squared(prediction, target) == -np.inf


def test_energy_of_a_known_column():
    mass = np.full((1, 2, 3), 100.0)
    tendency = np.full((1, 2, 3), 1e-5)
    weight = np.array([0.5, 1.5])
    found = metrics.energy("ptend_t", tendency, mass, weight)
    np.testing.assert_allclose(found[0, :, 0], HEAT_CAPACITY * 1e-3 * weight, rtol=1e-15)
    rain = metrics.energy("cam_out_PRECC", np.full((1, 2), 1e-7), mass, np.ones(2))
    np.testing.assert_allclose(rain, 2.501e6 * 1000 * 1e-7)


def test_crps_by_hand_and_against_the_pair_formula():
    # x = 0, 1, 3; y = 2: mean |x-y| = 4/3; mean over pairs |xi-xj|/2 = (1+3+2)/3/2 = 1.
    samples = np.array([3.0, 0.0, 1.0]).reshape(3, 1, 1)
    assert metrics.crps(samples, np.full((1, 1), 2.0)) == pytest.approx(4 / 3 - 1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4, 3)), rng.normal(size=(4, 3))
    pairs = np.abs(x[:, None] - x[None]).sum(axis=(0, 1)) / (2 * 7 * 6)
    assert metrics.crps(x, y) == pytest.approx((np.abs(x - y).mean(0) - pairs).mean(), rel=1e-12)


def test_crps_of_identical_samples_is_the_absolute_error():
    samples = np.repeat(PREDICTION[None], 5, axis=0)
    assert metrics.crps(samples, TARGET) == pytest.approx(metrics.mean_absolute_error(PREDICTION, TARGET))
    with pytest.raises(InputError, match="at least 2"):
        metrics.crps(samples[:1], TARGET)


def test_bands_are_weighted_by_area_and_the_poles_belong_to_them():
    lat, area = np.array([-90.0, -81.0, 90.0]), np.array([1.0, 3.0, 2.0])
    means = metrics.band_means(np.array([[4.0, 8.0, 5.0]]), lat, area)
    assert means[0, 0] == pytest.approx(7.0)
    assert means[0, -1] == pytest.approx(5.0)
    assert np.isnan(means[0, 5])


def test_daily_means_need_whole_days():
    ymd = np.array([10101] * 3 + [10102] * 2)
    means = metrics.daily_means(np.arange(5.0)[:, None], ymd, steps_per_day=3)
    np.testing.assert_allclose(means, [[1.0]])
    with pytest.raises(InputError, match="12 steps"):
        metrics.daily_means(np.arange(5.0)[:, None], ymd)
