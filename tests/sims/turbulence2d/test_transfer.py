"""Advection moves energy and enstrophy between scales and makes none; budgets are rates of change."""

import numpy as np
import pytest

from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.filtering import carried_mask
from subgrid.sims.turbulence2d.grid import Grid, expand, forcing_hat
from subgrid.sims.turbulence2d.statistics import (
    budgets,
    mode_energy,
    mode_energy_transfer,
    mode_enstrophy,
    mode_enstrophy_transfer,
    mode_sum,
    shell_spectrum,
)
from subgrid.sims.turbulence2d.statistics.spectra import wavenumbers
from subgrid.sims.turbulence2d.subgrid_tendency import advection

N, HIGHEST = 32, 10


@pytest.fixture
def vorticity_hat():
    noise = np.fft.rfft2(np.random.default_rng(1).standard_normal((N, N)))
    noise[0, 0] = 0.0
    return noise * carried_mask(N, HIGHEST)


@pytest.mark.parametrize("transfer", [mode_energy_transfer, mode_enstrophy_transfer])
def test_transfer_by_advection_sums_to_zero(vorticity_hat, transfer):
    spectrum = shell_spectrum(transfer(vorticity_hat, advection(vorticity_hat, HIGHEST)))
    assert np.abs(spectrum).sum() > 1e-6
    assert abs(spectrum.sum()) < 1e-13 * np.abs(spectrum).sum()


@pytest.mark.parametrize(
    ("density", "transfer"),
    [(mode_enstrophy, mode_enstrophy_transfer), (mode_energy, mode_energy_transfer)],
)
def test_transfer_is_the_rate_of_change_of_the_density(vorticity_hat, density, transfer):
    tendency = advection(vorticity_hat, HIGHEST)
    step = 1e-6
    change = density(vorticity_hat + step * tendency) - density(vorticity_hat - step * tendency)
    np.testing.assert_allclose(transfer(vorticity_hat, tendency), change / (2.0 * step), atol=1e-12)


def test_eddy_viscosity_takes_and_backscatter_gives(vorticity_hat):
    ky, kx = wavenumbers(N)
    diffusion = -(kx**2 + ky**2) * vorticity_hat
    assert mode_sum(mode_enstrophy_transfer(vorticity_hat, diffusion)) < 0.0
    assert mode_sum(mode_enstrophy_transfer(vorticity_hat, -diffusion)) > 0.0


@pytest.mark.parametrize("name", ["k4b0", "k4b20"])
def test_budgets_are_the_rates_of_the_linear_and_forcing_terms(vorticity_hat, name):
    case = get_case(name)
    ky, kx = wavenumbers(N)
    forcing = expand(forcing_hat(Grid(N, "none"), case), N)
    terms = (forcing, -case.viscosity * (kx**2 + ky**2) * vorticity_hat, -case.drag * vorticity_hat)
    for found, transfer in zip(
        budgets(vorticity_hat, case), (mode_enstrophy_transfer, mode_energy_transfer), strict=True
    ):
        expected = [mode_sum(transfer(vorticity_hat, term)) for term in terms]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
