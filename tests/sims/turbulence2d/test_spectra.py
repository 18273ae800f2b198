"""Spectra add up to the integrals that they decompose, and put single modes where they belong."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.sims.turbulence2d.filtering import carried_mask
from subgrid.sims.turbulence2d.statistics import (
    direction_spectra,
    mode_energy,
    mode_enstrophy,
    mode_sum,
    shell_count,
    shell_spectrum,
    velocity_hat,
)

N = 48


@pytest.fixture
def vorticity_hat():
    noise = np.fft.rfft2(np.random.default_rng(0).standard_normal((N, N)))
    noise[0, 0] = 0.0
    return noise * carried_mask(N, N // 2 - 1)


def coordinates(n=N):
    x = 2.0 * np.pi * np.arange(n) / n
    return x[None, :], x[:, None]


def test_enstrophy_spectra_sum_to_half_the_mean_square(vorticity_hat):
    half_square = 0.5 * np.mean(np.fft.irfft2(vorticity_hat) ** 2)
    density = mode_enstrophy(vorticity_hat)
    assert mode_sum(density) == pytest.approx(half_square, rel=1e-13)
    assert shell_spectrum(density).sum() == pytest.approx(half_square, rel=1e-13)
    for spectrum in direction_spectra(density):
        assert spectrum[0] + 2.0 * spectrum[1:].sum() == pytest.approx(half_square, rel=1e-13)


def test_energy_spectra_sum_to_the_kinetic_energy(vorticity_hat):
    u, v = (np.fft.irfft2(component) for component in velocity_hat(vorticity_hat))
    kinetic = 0.5 * np.mean(u**2 + v**2)
    density = mode_energy(vorticity_hat)
    assert shell_spectrum(density).sum() == pytest.approx(kinetic, rel=1e-13)
    for spectrum in direction_spectra(density):
        assert spectrum[0] + 2.0 * spectrum[1:].sum() == pytest.approx(kinetic, rel=1e-13)


def test_velocity_has_textbook_signs():
    x, y = coordinates()
    vorticity = np.cos(3.0 * x) + 0.0 * y  # ω = ∂v/∂x with v = sin(3x)/3
    u, v = (np.fft.irfft2(component) for component in velocity_hat(np.fft.rfft2(vorticity)))
    np.testing.assert_allclose(v, np.sin(3.0 * x) / 3.0 + 0.0 * y, atol=1e-14)
    np.testing.assert_allclose(u, 0.0, atol=1e-14)


@pytest.mark.parametrize(("kx", "ky"), [(5, 0), (0, 7), (3, 4), (4, -3), (23, 11)])
def test_one_wave_lies_at_its_wavenumber(kx, ky):
    x, y = coordinates()
    density = mode_enstrophy(np.fft.rfft2(2.0 * np.cos(kx * x + ky * y + 0.3)))
    along_x, along_y = direction_spectra(density)
    shells = shell_spectrum(density)
    # ½⟨ω²⟩ = 1, split between +k and −k; the sum over k ≥ 1 counts twice.
    assert along_x[kx] == pytest.approx(0.5 if kx else 1.0)
    assert along_y[abs(ky)] == pytest.approx(0.5 if ky else 1.0)
    assert shells[round(np.hypot(kx, ky))] == pytest.approx(1.0)
    assert np.count_nonzero(shells > 1e-12) == 1


def test_transposed_field_swaps_directions(vorticity_hat):
    transposed = np.fft.rfft2(np.fft.irfft2(vorticity_hat).T)
    along_x, along_y = direction_spectra(mode_enstrophy(vorticity_hat))
    swapped_x, swapped_y = direction_spectra(mode_enstrophy(transposed))
    np.testing.assert_allclose(swapped_x, along_y, rtol=1e-12)
    np.testing.assert_allclose(swapped_y, along_x, rtol=1e-12)


@pytest.mark.parametrize("n", [4, 6, 48, 64])
def test_shells_hold_every_mode_once(n):
    counts = shell_spectrum(np.ones((n, n // 2 + 1)))
    assert len(counts) == shell_count(n)
    assert counts.sum() == n * n
    assert counts[0] == 1
    assert counts[1] == 8  # |k| ≤ 1.5 without the mean: the eight neighbours


def test_one_and_the_same_from_numpy_jax_and_a_batch(vorticity_hat):
    def everything(spectrum):
        density = mode_energy(spectrum)
        return *direction_spectra(density), shell_spectrum(density)

    batch = np.stack([vorticity_hat, 2.0 * vorticity_hat])
    jitted = jax.jit(jax.vmap(everything))(jnp.asarray(batch))
    for single, many, traced in zip(everything(vorticity_hat), everything(batch), jitted, strict=True):
        np.testing.assert_allclose(many[0], single, rtol=1e-13)
        np.testing.assert_allclose(many[1], 4.0 * single, rtol=1e-13)
        np.testing.assert_allclose(traced, many, rtol=1e-12)
