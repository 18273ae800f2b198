"""Gradient models of the subgrid tendency: the Taylor series of a Gaussian filter (Clark, Ferziger &
Reynolds 1979).

For Ĝ = exp(−|k|²Δ_f²/24) the filtered product is an exact series in the filtered factors,

    G(ab) = Σ_n (1/n!) (Δ_f²/12)ⁿ (∇_a·∇_b)ⁿ  Ga Gb,

so with a = u_j and b = ω, and because ∇·u = 0,

    Π = −∇·(G(uω) − Gu Gω) = −Σ_{n≥1} (1/n!) (Δ_f²/12)ⁿ Σ_m binom(n, m) ∂ₓⁿ⁻ᵐ∂ᵧᵐ u_j · ∂_j ∂ₓⁿ⁻ᵐ∂ᵧᵐ ω .

GM2 keeps n = 1, GM4 n ≤ 2, GM6 n ≤ 3 (the number is the power of Δ_f). No parameter is free. GM2 correlates
well with the exact tendency and is unstable in a 2D LES, so it is a yardstick of labels, not a scheme to
run; GM4 is claimed stable (arXiv 2509.20365). Breaks down for Δ_f below 2Δ_c, where truncation, not the
kernel, makes the subgrid tendency.
"""

from math import comb, factorial
from typing import Any

from ...contracts.errors import InputError
from .filtering import carried_mask, resample_hat
from .numerics import carried_wavenumber
from .statistics.spectra import velocity_hat, wavenumbers
from .subgrid_tendency import product_grid, to_grid

Array = Any


def gradient_model(filtered_hat: Array, width: float, *, order: int = 2, highest: int | None = None) -> Array:
    """Π of the gradient model, [..., ky, kx], from the Gaussian-filtered vorticity on the grid of the LES.

    filtered_hat: Gω, [..., ky, kx].
    width: Δ_f of the Gaussian.
    order: 2, 4 or 6.
    highest: highest mode that the LES carries, default N/2 − 1. Products are formed without aliasing.
    """
    if order not in (2, 4, 6):
        raise InputError(f"the gradient model has order 2, 4 or 6, found {order}")
    grid = filtered_hat.shape[-2]
    top = carried_wavenumber(grid, "none") if highest is None else highest
    mask = carried_mask(grid, top)
    padded = resample_hat(filtered_hat * mask, max(grid, product_grid(top)))
    tendency = sum(_series_term(padded, width, n) for n in range(1, order // 2 + 1))
    return resample_hat(tendency, grid) * mask


def _series_term(vorticity_hat: Array, width: float, n: int) -> Array:
    """The n-th term of the series, half spectrum on the grid of the argument."""
    xp = vorticity_hat.__array_namespace__()
    ky, kx = wavenumbers(vorticity_hat.shape[-2])
    u_hat, v_hat = velocity_hat(vorticity_hat)
    total = 0.0
    for m in range(n + 1):
        derivative = (1j * kx) ** (n - m) * (1j * ky) ** m
        advected = to_grid(derivative * u_hat) * to_grid(1j * kx * derivative * vorticity_hat)
        advected = advected + to_grid(derivative * v_hat) * to_grid(1j * ky * derivative * vorticity_hat)
        total = total + comb(n, m) * advected
    return -((width**2 / 12.0) ** n / factorial(n)) * xp.fft.rfft2(total)


def pattern_correlation(first_hat: Array, second_hat: Array) -> Array:
    """Correlation over the domain of two fields of zero mean given as half spectra, [...]."""
    first, second = to_grid(first_hat), to_grid(second_hat)
    product = (first * second).mean((-2, -1))
    return product / ((first**2).mean((-2, -1)) * (second**2).mean((-2, -1))) ** 0.5
