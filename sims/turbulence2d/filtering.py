"""Filters of periodic fields and coarse-graining by spectral truncation.

A filter is its transfer function Ĝ(kx, ky), real and even, applied to the half spectrum of `rfft2`; the
width Δ_f is always given, because the codes of the field disagree on a default (2π/N here, 4π/N elsewhere).

    gaussian        exp(−|k|²Δ_f²/24)
    box             sinc(kx Δ_f/2) sinc(ky Δ_f/2),  sinc(x) = sin(x)/x
    sharp square    1 where |kx| < π/Δ_f and |ky| < π/Δ_f, else 0
    sharp circle    1 where |k| < π/Δ_f, else 0

The cuts are strict: a sharp filter of width 2π/N keeps what a grid of N points carries without its Nyquist
modes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...contracts.errors import InputError
from .numerics import check_points
from .statistics.spectra import wavenumbers

Array = Any
Filter = Callable[[int, float], np.ndarray]


def _require_width(width: float) -> None:
    if not (np.isfinite(width) and width > 0):
        raise InputError(f"a filter needs a positive, finite width, found {width}")


def gaussian(grid: int, width: float) -> np.ndarray:
    """Transfer function exp(−|k|²Δ_f²/24) on the half spectrum of a `grid`, [ky, kx]."""
    _require_width(width)
    ky, kx = wavenumbers(grid)
    return np.exp(-(kx**2 + ky**2) * width**2 / 24.0)


def box(grid: int, width: float) -> np.ndarray:
    """Transfer function of the mean over a square of side `width`, [ky, kx]."""
    _require_width(width)
    ky, kx = wavenumbers(grid)
    return np.sinc(kx * width / (2.0 * np.pi)) * np.sinc(ky * width / (2.0 * np.pi))


def sharp_square(grid: int, width: float) -> np.ndarray:
    """Transfer function of the cut |kx|, |ky| < π/Δ_f, [ky, kx]."""
    _require_width(width)
    ky, kx = wavenumbers(grid)
    cut = np.pi / width * (1.0 - 1e-12)  # 2π/N is not exact in binary; the Nyquist mode must fall outside
    return ((np.abs(kx) < cut) & (np.abs(ky) < cut)).astype(float)


def sharp_circle(grid: int, width: float) -> np.ndarray:
    """Transfer function of the cut |k| < π/Δ_f, [ky, kx]."""
    _require_width(width)
    ky, kx = wavenumbers(grid)
    return (np.hypot(kx, ky) < np.pi / width * (1.0 - 1e-12)).astype(float)


FILTERS: dict[str, Filter] = {
    "gaussian": gaussian,
    "box": box,
    "sharp_square": sharp_square,
    "sharp_circle": sharp_circle,
}


def get_filter(name: str) -> Filter:
    """The filter of that name."""
    if name not in FILTERS:
        raise InputError(f"there is no filter '{name}': choose one of {', '.join(FILTERS)}")
    return FILTERS[name]


def carried_mask(grid: int, highest: int) -> np.ndarray:
    """1 on the modes |kx|, |ky| ≤ `highest` of the half spectrum of a `grid`, else 0, [ky, kx]."""
    ky, kx = wavenumbers(grid)
    return ((np.abs(kx) <= highest) & (np.abs(ky) <= highest)).astype(float)


def resample_hat(field_hat: Array, grid: int) -> Array:
    """The same field on `grid` points per side, [..., ky, kx], by truncation or zero padding of its spectrum.

    Modes at and beyond the Nyquist wavenumber of the coarser of the two grids are zero; the rest keep their
    physical amplitude (unnormalised transforms: factor (grid/N)²).
    """
    xp = field_hat.__array_namespace__()
    original = field_hat.shape[-2]
    check_points(grid)
    check_points(original)
    half = min(original, grid) // 2
    kept = xp.concatenate(
        [field_hat[..., :half, :half], field_hat[..., original - half + 1 :, :half]], axis=-2
    )
    kept = kept * (grid / original) ** 2
    gap = xp.zeros((*kept.shape[:-2], grid - 2 * half + 1, half), kept.dtype)
    columns = xp.concatenate([kept[..., :half, :], gap, kept[..., half:, :]], axis=-2)
    right = xp.zeros((*kept.shape[:-2], grid, grid // 2 + 1 - half), kept.dtype)
    return xp.concatenate([columns, right], axis=-1)


def coarse_grain(field_hat: Array, grid: int, transfer: np.ndarray | None = None) -> Array:
    """Filter by `transfer` [ky, kx] on the fine grid (None: sharp cut alone), then truncate to `grid`."""
    if grid > field_hat.shape[-2]:
        raise InputError(f"coarse-graining cannot go from {field_hat.shape[-2]} up to {grid} points per side")
    return resample_hat(field_hat if transfer is None else field_hat * transfer, grid)
