"""Derived features against published test values; one code for NumPy and JAX."""

import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.jax_models.data.derived import (
    ICE,
    liquid_fraction,
    relative_humidity,
    saturation_ice,
    saturation_liquid,
)


def test_saturation_pressures():
    np.testing.assert_allclose(
        saturation_liquid(np.array([273.16, 300.0])), [611.239921, 3533.32921], rtol=1e-8
    )
    np.testing.assert_allclose(saturation_ice(np.array([250.0, 300.0])), [75.9704507, 3533.32921], rtol=1e-8)


def test_cold_branch_is_clipped_and_continuous_enough():
    assert saturation_ice(np.array([150.0])) == saturation_ice(np.array([173.16]))
    below, above = saturation_ice(np.array([184.999, 185.001]))
    assert above == pytest.approx(below, rel=0.15)


def test_where_it_is_cold_the_polynomial_is_the_published_one():
    temperature = np.linspace(185.1, 229.1, 50)
    published = 100 * np.polyval(ICE, temperature - 273.16)
    np.testing.assert_allclose(saturation_ice(temperature), published, rtol=1e-9)


def test_liquid_fraction():
    np.testing.assert_allclose(liquid_fraction(np.array([240.0, 253.16, 263.16, 280.0])), [0, 0, 0.5, 1])


def test_saturated_air_has_humidity_one():
    temperature, pressure = np.array([290.0]), np.array([9e4])
    vapour = saturation_liquid(temperature) / pressure * 287.0 / 461.0
    assert relative_humidity(temperature, vapour, pressure) == pytest.approx(1.0, rel=1e-12)


def test_jax_and_numpy_agree():
    rng = np.random.default_rng(0)
    t, q, p = (rng.uniform(*r, (50, 60)).astype(np.float32) for r in ((175, 310), (0, 0.02), (1e3, 1e5)))
    expected = relative_humidity(t.astype(np.float64), q, p)
    found = relative_humidity(jnp.asarray(t), jnp.asarray(q), jnp.asarray(p))
    np.testing.assert_allclose(found, expected, rtol=2e-4)
