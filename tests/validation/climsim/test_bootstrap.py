"""Intervals: right coverage, blocks kept whole, noise called noise."""

import numpy as np
import pytest

from subgrid.validation.climsim.bootstrap import (
    mean_interval,
    mean_ratio_interval,
    ratio_interval,
    resampled_blocks,
    verdict,
)


def test_blocks_stay_whole():
    counts = resampled_blocks(np.array([1, 1, 2, 3, 3]), draws=50, seed=0)
    np.testing.assert_array_equal(counts[:, 0], counts[:, 1])
    np.testing.assert_array_equal(counts[:, 3], counts[:, 4])


def test_interval_matches_the_theory_of_a_mean():
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, 400)
    interval = mean_interval(values, resampled_blocks(np.arange(400), draws=4000, seed=0))
    half = 1.96 * values.std() / 20
    assert interval.value == pytest.approx(values.mean())
    assert interval.high - interval.value == pytest.approx(half, rel=0.1)
    assert interval.value - interval.low == pytest.approx(half, rel=0.1)


def test_pairing_sees_a_small_constant_gain_and_calls_noise_noise():
    rng = np.random.default_rng(2)
    weather = rng.uniform(1, 10, 30)
    counts = resampled_blocks(np.arange(30), draws=2000, seed=0)
    assert verdict(ratio_interval(0.97 * weather, weather, counts)) == "lower"
    assert verdict(ratio_interval(weather, 0.97 * weather, counts)) == "higher"
    assert verdict(ratio_interval(weather * rng.uniform(0.7, 1.3, 30), weather, counts)) == "noise"


def test_mean_of_ratios():
    counts = resampled_blocks(np.arange(4), draws=100, seed=0)
    ones = np.ones((2, 4))
    interval = mean_ratio_interval(ones * [[0.5], [0.7]], ones, counts)
    assert (interval.low, interval.value, interval.high) == pytest.approx((0.6, 0.6, 0.6))


def test_one_block_gives_no_interval():
    counts = resampled_blocks(np.array([5, 5, 5]), draws=10, seed=0)
    interval = mean_interval(np.array([1.0, 2.0, 6.0]), counts)
    assert interval.value == 3
    assert np.isnan([interval.low, interval.high]).all()
    assert verdict(ratio_interval(np.ones(3), 2 * np.ones(3), counts)) == "unknown"
