"""Interpolation: exact for constants, periodic, through the agents, at the true grid points."""

import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.envs.lattice import Lattice


@pytest.mark.parametrize("agents", [1, 2, 4, 16, 32])
def test_constant_stays_constant(agents):
    field = Lattice(agents, 32).interpolate(jnp.full((agents, agents), 0.7))
    np.testing.assert_allclose(field, 0.7, rtol=1e-5)


@pytest.mark.parametrize("agents", [2, 4, 8, 32])
def test_field_passes_through_the_agents(agents):
    values = np.random.default_rng(0).normal(size=(agents, agents)).astype(np.float32)
    lattice = Lattice(agents, 32)
    np.testing.assert_allclose(lattice.sample(lattice.interpolate(values)), values, atol=1e-5)


def test_moving_the_agents_moves_the_field():
    values = np.random.default_rng(1).normal(size=(4, 4)).astype(np.float32)
    lattice = Lattice(4, 32)
    moved = lattice.interpolate(np.roll(values, (1, 2), (0, 1)))
    expected = np.roll(np.asarray(lattice.interpolate(values)), (8, 16), (0, 1))
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_a_smooth_wave_is_met_between_the_agents():
    n, agents = 64, 16
    x = 2 * np.pi / n * np.arange(n)
    wave = np.cos(x)[:, None] * np.sin(x)[None, :]
    lattice = Lattice(agents, n)
    np.testing.assert_allclose(lattice.interpolate(lattice.sample(wave)), wave, atol=1e-3)


@pytest.mark.parametrize("agents", [0, 3, 64])
def test_a_lattice_that_does_not_fit_is_refused(agents):
    with pytest.raises(InputError, match="take a divisor"):
        Lattice(agents, 32)
