"""Filters multiply single modes by their transfer function; coarse-graining keeps amplitudes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.turbulence2d import initial
from subgrid.sims.turbulence2d.filtering import FILTERS, coarse_grain, get_filter, resample_hat

N = 32
WIDTH = 4.0 * np.pi / 16


def wave(kx, ky, n=N):
    x = 2.0 * np.pi * np.arange(n) / n
    return np.cos(kx * x[None, :] + ky * x[:, None] + 0.4)


def filtered(name, field, width=WIDTH):
    return np.fft.irfft2(np.fft.rfft2(field) * get_filter(name)(N, width))


@pytest.mark.parametrize(("kx", "ky"), [(1, 0), (0, 3), (2, -5), (7, 7), (10, 4)])
def test_single_modes_are_scaled_by_the_transfer_function(kx, ky):
    half = 0.5 * WIDTH
    expected = {
        "gaussian": np.exp(-(kx**2 + ky**2) * WIDTH**2 / 24.0),
        "box": np.sinc(kx * half / np.pi) * np.sinc(ky * half / np.pi),
        "sharp_square": float(max(abs(kx), abs(ky)) < np.pi / WIDTH),
        "sharp_circle": float(np.hypot(kx, ky) < np.pi / WIDTH),
    }
    assert expected.keys() == FILTERS.keys()
    for name, factor in expected.items():
        np.testing.assert_allclose(filtered(name, wave(kx, ky)), factor * wave(kx, ky), atol=1e-14)


def test_box_is_the_mean_over_a_square():
    # Over a square of 8 cells' width the mean of a wave is known by integration of many points.
    width, kx, ky = 8 * 2.0 * np.pi / N, 2, 1
    offsets = (np.arange(400) + 0.5) / 400 * width - 0.5 * width
    mean = np.mean(np.cos(kx * offsets[None, :] + ky * offsets[:, None]))
    np.testing.assert_allclose(filtered("box", wave(kx, ky), width), mean * wave(kx, ky), atol=1e-5)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_keep_the_mean_and_commute_with_derivatives_and_each_other(name):
    field = np.random.default_rng(0).standard_normal((N, N))
    assert filtered(name, field).mean() == pytest.approx(field.mean(), abs=1e-14)
    shifted = np.roll(field, (3, 5), axis=(0, 1))
    np.testing.assert_allclose(
        filtered(name, shifted), np.roll(filtered(name, field), (3, 5), (0, 1)), atol=1e-13
    )
    both = filtered("gaussian", filtered(name, field))
    np.testing.assert_allclose(filtered(name, filtered("gaussian", field)), both, atol=1e-13)
    transfer = get_filter(name)(N, WIDTH)
    assert np.array_equal(transfer[1:], transfer[:0:-1])  # even in ky


@pytest.mark.parametrize("name", ["sharp_square", "sharp_circle"])
def test_sharp_filter_of_the_grid_width_drops_just_the_nyquist_modes(name):
    transfer = get_filter(name)(N, 2.0 * np.pi / N)
    assert transfer[0, N // 2] == 0.0
    assert transfer[0, N // 2 - 1] == 1.0


@pytest.mark.parametrize("n", [8, 16, 32, 48, 64])
def test_resampling_keeps_amplitudes(n):
    for kx, ky in ((0, 0), (3, -2), (2, 3)):
        found = np.fft.irfft2(resample_hat(np.fft.rfft2(wave(kx, ky)), n), s=(n, n))
        np.testing.assert_allclose(found, wave(kx, ky, n), atol=1e-14)


@pytest.mark.parametrize("n", [8, 16, 32, 48])
def test_resampling_agrees_with_the_solvers(n):
    field = np.random.default_rng(2).standard_normal((N, N))
    found = np.fft.irfft2(resample_hat(np.fft.rfft2(field), n), s=(n, n))
    np.testing.assert_allclose(found, initial.resample(field, n), atol=1e-13)


def test_coarse_graining_zeroes_nyquist_and_is_the_same_in_jax():
    spectrum = np.fft.rfft2(np.random.default_rng(1).standard_normal((N, N)))
    transfer = get_filter("gaussian")(N, WIDTH)
    coarse = coarse_grain(spectrum, 16, transfer)
    assert not coarse[8].any()
    assert not coarse[:, 8].any()
    traced = jax.jit(lambda values: coarse_grain(values, 16, transfer))(jnp.asarray(spectrum))
    np.testing.assert_allclose(traced, coarse, rtol=1e-13)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="no filter 'block'"):
        get_filter("block")
    with pytest.raises(InputError, match="positive, finite width"):
        get_filter("box")(N, 0.0)
    spectrum = np.zeros((N, N // 2 + 1), complex)
    with pytest.raises(InputError, match="cannot go from 32 up to 64"):
        coarse_grain(spectrum, 64)
    with pytest.raises(InputError):
        coarse_grain(spectrum, 15)
