"""The exact subgrid tendency closes the filtered equation, and agrees with a sum over triads done by hand."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.turbulence2d import jax_solver
from subgrid.sims.turbulence2d.cases import Case
from subgrid.sims.turbulence2d.filtering import carried_mask, coarse_grain, gaussian, resample_hat
from subgrid.sims.turbulence2d.gradient_model import gradient_model, pattern_correlation
from subgrid.sims.turbulence2d.numerics import Numerics
from subgrid.sims.turbulence2d.subgrid_tendency import (
    advection,
    flux_tendency,
    product_grid,
    refilter_pair,
    subgrid_tendency,
    to_grid,
)

FINE, COARSE, CARRIED = 64, 16, 21
WIDTH = 4.0 * np.pi / COARSE


def smooth_noise(seed=0, n=FINE, carried=CARRIED):
    """Noise with a steep spectrum, so that the scales near the cut carry little."""
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal((n, n)))
    k = np.hypot(np.fft.fftfreq(n, 1.0 / n)[:, None], np.arange(n // 2 + 1)[None, :])
    spectrum = spectrum * np.exp(-((k / 6.0) ** 2)) * carried_mask(n, carried)
    spectrum[0, 0] = 0.0
    return spectrum


def test_perpendicular_waves_by_hand():
    """ω = a cos(px) + b cos(qy): A = ab (q/p − p/q) sin(px) sin(qy); Π = 0, for Ĝ(p, q) = Ĝ(p)Ĝ(q)."""
    p, q, a, b = 3, 7, 1.5, 0.7
    x = 2.0 * np.pi * np.arange(FINE) / FINE
    x, y = x[None, :], x[:, None]
    vorticity_hat = np.fft.rfft2(a * np.cos(p * x) + b * np.cos(q * y))
    exact = a * b * (q / p - p / q) * np.sin(p * x) * np.sin(q * y)
    np.testing.assert_allclose(to_grid(advection(vorticity_hat, CARRIED)), exact, atol=1e-13)
    _, none = subgrid_tendency(
        vorticity_hat, coarse=COARSE, transfer=gaussian(FINE, WIDTH), fine_highest=CARRIED
    )
    np.testing.assert_allclose(to_grid(none), 0.0, atol=1e-13)
    # An LES that carries modes ≤ 5 lacks the wave q, and with it all of A, whose modes (±p, ±q) it lacks too.
    _, none = subgrid_tendency(
        vorticity_hat,
        coarse=COARSE,
        transfer=gaussian(FINE, WIDTH),
        fine_highest=CARRIED,
        coarse_highest=5,
    )
    np.testing.assert_allclose(to_grid(none), 0.0, atol=1e-13)


def test_truncation_alone_makes_a_subgrid_tendency():
    """cos(px) and cos(px + my) interact at (2p, m) and (0, m); a cut between m and p lacks both waves."""
    p, m = 6, 3
    x = 2.0 * np.pi * np.arange(FINE) / FINE
    x, y = x[None, :], x[:, None]
    vorticity_hat = np.fft.rfft2(np.cos(p * x) + np.cos(p * x + m * y))
    strength = p * m * (1.0 / p**2 - 1.0 / (p**2 + m**2))
    filtered, tendency = subgrid_tendency(
        vorticity_hat, coarse=10, transfer=np.ones((FINE, FINE // 2 + 1)), fine_highest=CARRIED
    )
    np.testing.assert_allclose(to_grid(filtered), 0.0, atol=1e-13)
    # A = s sin(px) sin(px + my) = ½ s [cos(my) − cos(2px + my)] with s = (k₁ × k₂)(1/k₁² − 1/k₂²).
    y_coarse = 2.0 * np.pi * np.arange(10)[:, None] / 10
    expected = 0.5 * strength * np.cos(m * y_coarse) * np.ones((1, 10))
    np.testing.assert_allclose(to_grid(tendency), expected, atol=1e-13)


def test_oblique_triad_by_hand():
    """ω = cos(k₁·x) + cos(k₂·x): A at k₁ ± k₂ has the amplitude ∓½ (k₁ × k₂)(1/k₁² − 1/k₂²)."""
    x = 2.0 * np.pi * np.arange(FINE) / FINE
    x, y = x[None, :], x[:, None]
    one, two = (5, 1), (2, 4)
    phase_1, phase_2 = one[0] * x + one[1] * y, two[0] * x + two[1] * y
    cross = one[0] * two[1] - one[1] * two[0]
    # −u·∇ω = −J(ψ, ω), ψ_i = −ω_i/k_i²; J(cos a, cos b) = (k₁ × k₂) sin a sin b.
    strength = cross * (1.0 / 26.0 - 1.0 / 20.0)
    exact = strength * np.sin(phase_1) * np.sin(phase_2)
    vorticity_hat = np.fft.rfft2(np.cos(phase_1) + np.cos(phase_2))
    np.testing.assert_allclose(to_grid(advection(vorticity_hat, CARRIED)), exact, atol=1e-13)

    def transfer(k):
        return np.exp(-(k[0] ** 2 + k[1] ** 2) * WIDTH**2 / 24.0)

    both = transfer(one) * transfer(two)
    difference = (one[0] - two[0], one[1] - two[1])
    total = (one[0] + two[0], one[1] + two[1])
    expected = (
        0.5
        * strength
        * (
            (transfer(difference) - both) * np.cos(phase_1 - phase_2)
            - (transfer(total) - both) * np.cos(phase_1 + phase_2)
        )
    )
    _, tendency = subgrid_tendency(
        vorticity_hat, coarse=COARSE, transfer=gaussian(FINE, WIDTH), fine_highest=CARRIED
    )
    stride = FINE // COARSE
    np.testing.assert_allclose(to_grid(tendency), expected[::stride, ::stride], atol=1e-13)
    # No triad of these two waves is truncated at N = 16, so the flux form says the same.
    flux = flux_tendency(vorticity_hat, coarse=COARSE, transfer=gaussian(FINE, WIDTH))
    np.testing.assert_allclose(flux, tendency, atol=1e-11)


def test_advection_agrees_with_the_solver():
    """One short Euler-like step of the JAX solver without forcing, drag and viscosity moves ω by Δt·A."""
    vorticity_hat = smooth_noise()
    case = Case("inviscid", 0, 0.0, 0.0, 0.0, "no forcing, no loss")
    numerics = Numerics(dt=1e-7)
    state = jax_solver.initial_state(to_grid(vorticity_hat), numerics)
    after = jax_solver.make_step(case, FINE, numerics)(state).vorticity_hat
    rate = (np.asarray(after) - np.asarray(state.vorticity_hat)) / numerics.dt
    expected = advection(vorticity_hat, CARRIED)[:, : CARRIED + 1]
    np.testing.assert_allclose(rate, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("highest", [5, 7])
def test_tendency_closes_the_filtered_equation(highest):
    """A_LES(Gω) + Π is the filtered tendency of the fine field, on the modes that the LES carries."""
    vorticity_hat, kernel = smooth_noise(1), gaussian(FINE, WIDTH)
    filtered, tendency = subgrid_tendency(
        vorticity_hat, coarse=COARSE, transfer=kernel, fine_highest=CARRIED, coarse_highest=highest
    )
    complete = coarse_grain(advection(vorticity_hat, CARRIED), COARSE, kernel) * carried_mask(COARSE, highest)
    np.testing.assert_allclose(advection(filtered, highest) + tendency, complete, atol=1e-11)
    assert np.abs(tendency).max() > 1e-3 * np.abs(complete).max()


def test_refiltered_pair_is_the_pair_of_the_other_filter():
    vorticity_hat, wider = smooth_noise(2), 1.4 * WIDTH
    stored = subgrid_tendency(
        vorticity_hat, coarse=COARSE, transfer=gaussian(FINE, WIDTH), fine_highest=CARRIED
    )
    expected = subgrid_tendency(
        vorticity_hat, coarse=COARSE, transfer=gaussian(FINE, wider), fine_highest=CARRIED, coarse_highest=5
    )
    ratio = gaussian(COARSE, wider) / gaussian(COARSE, WIDTH)
    for found, wanted in zip(refilter_pair(*stored, ratio=ratio, highest=5), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-11)


def test_grid_that_cannot_carry_the_modes_is_refused():
    with pytest.raises(InputError, match="carries modes up to 7"):
        subgrid_tendency(
            smooth_noise(), coarse=16, transfer=gaussian(FINE, 1.0), fine_highest=CARRIED, coarse_highest=9
        )


def test_advection_is_free_of_aliasing():
    """On modes up to N/2 − 1 the product is that of a grid twice as fine."""
    highest = FINE // 2 - 1
    vorticity_hat = smooth_noise(3, carried=highest) + 0.1 * smooth_noise(4, carried=highest)
    fine = np.fft.rfft2(np.fft.irfft2(vorticity_hat))
    found = advection(fine, highest)
    doubled = coarse_grain(advection_on(fine, 2 * FINE), FINE) * carried_mask(FINE, highest)
    np.testing.assert_allclose(found, doubled, atol=1e-10)
    assert product_grid(31) == 96
    assert product_grid(63) == 192


def advection_on(spectrum, n):
    return advection(resample_hat(spectrum, n), spectrum.shape[-2] - 2)


def test_gradient_models_converge_to_the_flux_tendency():
    """The series of a Gaussian filter converges where the field is smooth against the width."""
    vorticity_hat, width = smooth_noise(5), 0.25
    kernel = gaussian(FINE, width)
    exact = flux_tendency(vorticity_hat, coarse=FINE, transfer=kernel)
    errors = []
    for order in (2, 4, 6):
        model = gradient_model(vorticity_hat * kernel, width, order=order)
        errors.append(np.linalg.norm(model - exact) / np.linalg.norm(exact))
    assert errors[0] < 0.3
    assert errors[1] < 0.3 * errors[0]
    assert errors[2] < 0.4 * errors[1]


def test_gradient_model_is_of_second_order_in_the_width():
    """|Π − GM2| / |Π| falls as Δ², and GM4 is one order of Δ² better."""
    vorticity_hat = smooth_noise(6)
    for order, power in ((2, 2), (4, 4)):
        errors = []
        for width in (0.16, 0.08):
            kernel = gaussian(FINE, width)
            exact = flux_tendency(vorticity_hat, coarse=FINE, transfer=kernel)
            model = gradient_model(vorticity_hat * kernel, width, order=order)
            errors.append(np.linalg.norm(model - exact) / np.linalg.norm(exact))
        assert np.log2(errors[0] / errors[1]) == pytest.approx(power, abs=0.15)


def test_pattern_correlation_is_of_fields():
    one, other = smooth_noise(7), smooth_noise(8)
    assert pattern_correlation(one, -3.0 * one) == pytest.approx(-1.0)
    expected = np.corrcoef(to_grid(one).ravel(), to_grid(other).ravel())[0, 1]
    assert pattern_correlation(one, other) == pytest.approx(expected)
    with pytest.raises(InputError, match="order 2, 4 or 6"):
        gradient_model(one, 0.1, order=3)
