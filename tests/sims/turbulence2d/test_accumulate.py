"""Streamed statistics are the batch statistics; error bars cover what they claim to cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgrid.contracts.errors import InputError
from subgrid.sims.turbulence2d.statistics import (
    BlockMeans,
    SnapshotReservoir,
    confidence_band,
    moving_block_means,
    standard_error,
)


def series(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 3))


def streamed(values, capacity=8):
    means = BlockMeans(capacity=capacity)
    for value in values:
        means.add({"a": value, "b": value**2})
    return means


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 200))
def test_streamed_mean_is_the_batch_mean(count):
    values = series(count)
    means = streamed(values)
    assert means.count == count
    assert len(means.blocks) < 8
    np.testing.assert_allclose(means.mean("a"), values.mean(axis=0), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(means.mean("b"), (values**2).mean(axis=0), rtol=1e-12)


def test_blocks_are_means_of_consecutive_samples():
    values = series(50)
    means = streamed(values)
    length = means.samples_per_block
    assert length == 8
    expected = [values[i : i + length].mean(axis=0) for i in range(0, 48, length)]
    np.testing.assert_allclose(means.block_means("a"), expected, rtol=1e-12)


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 23, 60])
def test_interrupted_accumulation_holds_the_same_bits(cut):
    values = series(61)
    resumed = BlockMeans.from_arrays(streamed(values[:cut]).to_arrays())
    for value in values[cut:]:
        resumed.add({"a": value, "b": value**2})
    whole = streamed(values).to_arrays()
    found = resumed.to_arrays()
    assert found.keys() == whole.keys()
    for name in whole:
        np.testing.assert_array_equal(found[name], whole[name])


@pytest.mark.parametrize("cut", [0, 3, 4, 17])
def test_reservoir_keeps_evenly_spaced_snapshots(cut):
    reservoir = SnapshotReservoir(capacity=4)
    for i in range(20):
        if i == cut:
            reservoir = SnapshotReservoir.from_arrays(reservoir.to_arrays())
        reservoir.offer({"time": np.array(float(i))} if reservoir.wants_next else None)
    assert [float(s["time"]) for s in reservoir.kept] == [0.0, 8.0, 16.0]
    assert [float(s["time"]) for s in reservoir.evenly(2)] == [0.0, 16.0]
    assert len(reservoir.evenly(9)) == 3


def test_samples_must_stay_alike():
    means = streamed(series(3))
    with pytest.raises(InputError, match="sample must hold"):
        means.add({"a": np.zeros(3)})
    with pytest.raises(InputError, match="no samples"):
        BlockMeans().mean("a")
    with pytest.raises(InputError, match="even"):
        BlockMeans(capacity=5)
    with pytest.raises(InputError, match="even"):
        SnapshotReservoir(capacity=0)


def red_noise(count, seed, memory=0.8):
    rng = np.random.default_rng(seed)
    values = np.zeros(count)
    for i in range(1, count):
        values[i] = memory * values[i - 1] + rng.standard_normal()
    return values


def test_band_of_correlated_samples_covers_the_truth():
    covered = 0
    for seed in range(200):
        blocks = red_noise(640, seed).reshape(64, 10).mean(axis=1)[:, None]
        lower, upper = confidence_band(blocks, replicas=200, seed=seed)
        covered += bool(lower[0] <= 0.0 <= upper[0])
    assert 0.80 <= covered / 200 <= 0.99  # nominally 0.95; ten stretches make it a little narrow


def test_standard_error_of_white_noise():
    errors = [standard_error(series(64, seed))[0] for seed in range(100)]
    assert np.mean(errors) == pytest.approx(1.0 / 8.0, rel=0.1)


def test_bootstrap_replicas_are_reproducible_and_of_a_constant_constant():
    np.testing.assert_array_equal(
        moving_block_means(series(30), replicas=5, seed=3), moving_block_means(series(30), replicas=5, seed=3)
    )
    np.testing.assert_allclose(moving_block_means(np.full((30, 2), 7.0), replicas=5, seed=0), 7.0)


@pytest.mark.parametrize(
    "function", [standard_error, lambda blocks: moving_block_means(blocks, replicas=2, seed=0)]
)
def test_one_block_has_no_error_bar(function):
    with pytest.raises(InputError, match="at least 2"):
        function(np.zeros((1, 3)))
