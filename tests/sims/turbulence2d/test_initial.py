import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgrid.contracts.errors import InputError
from subgrid.sims.turbulence2d.grid import Grid, contract, expand
from subgrid.sims.turbulence2d.initial import random_vorticity, resample, taylor_green


def test_energy_of_the_random_field_is_the_integral_of_its_spectrum():
    # ∫ A k⁴ exp(−(k/k_p)²) dk = 1/(2√π); the lattice sum over modes is close to the integral.
    field = random_vorticity(128, seed=2)
    spectrum = np.fft.rfft2(field)
    grid = Grid(128, "none")
    carried = contract(spectrum, grid)
    terms = np.abs(carried) ** 2 * grid.inverse_k2
    energy = 0.5 * (2 * terms.sum() - terms[:, 0].sum()) / 128**4
    assert energy == pytest.approx(0.5 / np.sqrt(np.pi), rel=1e-3)


def test_one_seed_is_one_flow_on_every_grid():
    fine = random_vorticity(192, seed=5, peak_wavenumber=4)
    coarse = random_vorticity(64, seed=5, peak_wavenumber=4)
    np.testing.assert_allclose(fine[::3, ::3], coarse, atol=1e-12)
    assert np.abs(fine - random_vorticity(192, seed=6, peak_wavenumber=4)).max() > 0.1


@settings(max_examples=20, deadline=None)
@given(n=st.integers(4, 24), finer=st.integers(4, 40), seed=st.integers(0, 99))
def test_resampling_to_a_finer_grid_and_back_is_exact(n, finer, seed):
    n, finer = 2 * n, 2 * max(n, finer)
    field = random_vorticity(n, seed, peak_wavenumber=3)
    np.testing.assert_allclose(resample(resample(field, finer), n), field, atol=1e-12)


def test_resampling_a_wave_gives_the_wave():
    np.testing.assert_allclose(resample(taylor_green(16, 3), 40), taylor_green(40, 3), atol=1e-14)
    np.testing.assert_allclose(resample(taylor_green(40, 12), 16), 0.0, atol=1e-14)


def test_resample_refuses_odd_grids():
    with pytest.raises(InputError, match="even"):
        resample(taylor_green(16), 15)


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_contract_undoes_expand(dealiasing):
    grid = Grid(16, dealiasing)
    carried = contract(np.fft.rfft2(random_vorticity(16, 0)), grid)
    assert carried.shape == grid.spectral_shape
    assert expand(carried, 16).shape == (16, 9)
    np.testing.assert_array_equal(contract(expand(carried, 16), grid), carried)
