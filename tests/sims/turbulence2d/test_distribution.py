"""Histograms, moments and exceedances of fields whose distribution is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from subgrid.contracts.errors import InputError
from subgrid.sims.turbulence2d.statistics import (
    HistogramBins,
    exceedance,
    histogram,
    raw_moments,
    shape_moments,
)
from subgrid.sims.turbulence2d.statistics.distribution import probability_density

BINS = HistogramBins(limit=6.0, count=60)


def noise(sample, seed=0, n=512):
    return sample(np.random.default_rng(seed), n)


def gaussian(rng, n):
    return 2.0 * rng.standard_normal((n, n))


def laplace(rng, n):
    return rng.laplace(size=(n, n))


def test_gaussian_noise_gives_the_gaussian_density():
    fractions = histogram(noise(gaussian), 2.0, BINS)
    density = probability_density(fractions, BINS)
    assert fractions.sum() == pytest.approx(1.0)
    expected = np.diff(stats.norm.cdf(BINS.edges)) / BINS.width
    five_sigma = 5.0 * np.sqrt(expected / (BINS.width * 512**2)) + 1e-5
    assert np.all(np.abs(density - expected) < five_sigma)


def test_histogram_agrees_with_numpy():
    field = noise(laplace, n=64)
    counts = np.histogram(field / 1.5, BINS.edges)[0] / field.size
    np.testing.assert_array_equal(histogram(field, 1.5, BINS)[1:-1], counts)


def test_values_beyond_the_limit_are_counted_at_the_ends():
    field = np.zeros((4, 4))
    field[0, :3], field[1, 0] = 100.0, -100.0
    fractions = histogram(field, 1.0, BINS)
    assert fractions[-1] == 3 / 16
    assert fractions[0] == 1 / 16


@pytest.mark.parametrize(("sample", "kurtosis"), [(gaussian, 3.0), (laplace, 6.0)])
def test_kurtosis_of_known_noise(sample, kurtosis):
    moments = np.mean([raw_moments(noise(sample, seed)) for seed in range(4)], axis=0)
    sigma, skewness, found = shape_moments(moments)
    assert sigma == pytest.approx(2.0 if sample is gaussian else np.sqrt(2.0), rel=5e-3)
    assert skewness == pytest.approx(0.0, abs=0.03)
    assert found == pytest.approx(kurtosis, rel=0.03)


def test_shape_moments_are_central():
    field = noise(laplace, n=64)
    field = field + 0.3 * field**2 + 1.7
    found = shape_moments(raw_moments(field))
    expected = [field.std(), stats.skew(field.ravel()), stats.kurtosis(field.ravel(), fisher=False)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_exceedance_of_gaussian_noise():
    found = exceedance(noise(gaussian, n=1024), 2.0, (1.0, 2.0, 3.0))
    np.testing.assert_allclose(found, 2.0 * stats.norm.sf([1.0, 2.0, 3.0]), rtol=0.06)


def test_jax_counts_as_numpy_does():
    field = noise(gaussian, n=32)
    np.testing.assert_allclose(
        jax.jit(lambda values: histogram(values, 2.0, BINS))(jnp.asarray(field)), histogram(field, 2.0, BINS)
    )
    np.testing.assert_allclose(jax.jit(raw_moments)(jnp.asarray(field)), raw_moments(field), rtol=1e-12)


@pytest.mark.parametrize(("limit", "count"), [(0.0, 10), (np.nan, 10), (5.0, 0)])
def test_bad_bins_are_refused(limit, count):
    with pytest.raises(InputError, match="positive limit and count"):
        HistogramBins(limit, count)
