"""Energy and enstrophy spectra of the vorticity, by direction and by shell.

With ω̂ = rfft2(ω) on N × N points, the enstrophy and the energy of one mode are

    z(ky, kx) = |ω̂|² / (2N⁴)            Σ z = ½⟨ω²⟩
    e(ky, kx) = |ω̂|² / (2|k|²N⁴)        Σ e = ½⟨u² + v²⟩

where Σ runs over all N × N modes; the half spectrum of `rfft2` counts kx = 1 … N/2−1 twice. The energy
spectrum of Mojgani et al. (arXiv 2312.00907) carries no ½ and is twice ours; their enstrophy spectrum is
ours.

All arrays are NumPy's or JAX's, shaped [..., ky, kx] with kx = 0 … N/2, and so are the results.
"""

from functools import cache
from typing import Any

import numpy as np

Array = Any


@cache
def wavenumbers(grid: int) -> tuple[np.ndarray, np.ndarray]:
    """(ky, kx) of the half spectrum, integers as floats, shaped (N, 1) and (1, N/2+1)."""
    ky = np.fft.fftfreq(grid, 1.0 / grid)[:, None]
    kx = np.arange(grid // 2 + 1, dtype=float)[None, :]
    return ky, kx


@cache
def mode_weights(grid: int) -> np.ndarray:
    """How often a column of the half spectrum occurs in the full one, shaped (1, N/2+1): 1, 2, …, 2, 1."""
    weights = np.full(grid // 2 + 1, 2.0)
    weights[0] = weights[-1] = 1.0
    return weights[None, :]


@cache
def inverse_square_wavenumber(grid: int) -> np.ndarray:
    """1/|k|² of the half spectrum, zero for the mean mode, shaped (N, N/2+1)."""
    ky, kx = wavenumbers(grid)
    square = kx**2 + ky**2
    return np.where(square > 0, 1.0 / np.where(square > 0, square, 1.0), 0.0)


def mode_enstrophy(vorticity_hat: Array) -> Array:
    """Enstrophy z = |ω̂|²/(2N⁴) of each mode; `vorticity_hat` [..., ky, kx] unnormalised."""
    grid = vorticity_hat.shape[-2]
    return (vorticity_hat.real**2 + vorticity_hat.imag**2) * (0.5 / grid**4)


def mode_energy(vorticity_hat: Array) -> Array:
    """Kinetic energy e = |ω̂|²/(2|k|²N⁴) of each mode; zero for the mean mode."""
    return mode_enstrophy(vorticity_hat) * inverse_square_wavenumber(vorticity_hat.shape[-2])


def velocity_hat(vorticity_hat: Array) -> tuple[Array, Array]:
    """(û, v̂) of u = −∂ψ/∂y, v = ∂ψ/∂x with ∇²ψ = ω, shaped like `vorticity_hat`."""
    grid = vorticity_hat.shape[-2]
    ky, kx = wavenumbers(grid)
    streamfunction_hat = -vorticity_hat * inverse_square_wavenumber(grid)
    return -1j * ky * streamfunction_hat, 1j * kx * streamfunction_hat


def mode_sum(density: Array) -> Array:
    """Sum of a density over all N × N modes, [...]: ½⟨ω²⟩ for `mode_enstrophy`."""
    return (density * mode_weights(density.shape[-2])).sum((-2, -1))


def direction_spectra(density: Array) -> tuple[Array, Array]:
    """One-dimensional spectra along x and along y of a mode density, each [..., k] with k = 0 … N/2−1.

    Z_x(k) sums the density over all ky at kx = k, Z_y(k) over all kx at ky = k (the definition of Mojgani
    et al.; not shell averages). For a field without Nyquist modes Z(0) + 2 Σ_{k≥1} Z(k) is the total, in
    each direction.
    """
    xp = density.__array_namespace__()
    grid = density.shape[-2]
    half = grid // 2
    along_x = density.sum(-2)[..., :half]
    # |ω̂(k, −kx)| = |ω̂(−k, kx)|: the half spectrum gives the sum over both signs of kx after averaging ±k.
    rows = (density * mode_weights(grid)).sum(-1)
    mirrored = xp.concatenate([rows[..., :1], rows[..., :0:-1]], axis=-1)
    along_y = 0.5 * (rows + mirrored)[..., :half]
    return along_x, along_y


def shell_count(grid: int) -> int:
    """Number of shells that hold all modes of an N × N grid: |k| = 0 … N/√2."""
    return int(np.ceil(np.hypot(grid // 2, grid // 2) - 0.5)) + 1


@cache
def shell_labels(grid: int) -> np.ndarray:
    """Shell of each mode of the half spectrum, k with k − ½ < |k| ≤ k + ½, shaped (N·(N/2+1),)."""
    ky, kx = wavenumbers(grid)
    # |k|² is an integer and (k + ½)² never is: no mode lies on a boundary, so rounding cannot misplace one.
    return np.ceil(np.hypot(kx, ky) - 0.5).astype(np.int32).ravel()


def sum_by_label(values: Array, labels: Array, count: int) -> Array:
    """Sums of `values` [..., n] that share one of the integer `labels` [n] below `count`, [..., count]."""
    xp = values.__array_namespace__()
    sums = xp.zeros((*values.shape[:-1], count), values.dtype)
    if hasattr(sums, "at"):  # JAX arrays are immutable
        return sums.at[..., labels].add(values)
    np.add.at(sums, (..., labels), values)
    return sums


def shell_spectrum(density: Array) -> Array:
    """Sums of a mode density over the shells k − ½ < |k| ≤ k + ½, [..., k]; they add up to the total."""
    grid = density.shape[-2]
    weighted = density * mode_weights(grid)
    return sum_by_label(weighted.reshape(*density.shape[:-2], -1), shell_labels(grid), shell_count(grid))
