"""Grid points, wavenumbers and carried modes (NumPy arrays; both Python twins build theirs from here).

Spectral arrays are `[ky, kx]` with shape (N, K+1): all N values of ky in FFT order, but only the carried
columns kx = 0…K of the real transform, for the others are zero. `expand` appends those zeros, `contract`
drops the columns.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .cases import Case
from .numerics import Dealiasing, carried_wavenumber, check_points


@dataclass(frozen=True)
class Grid:
    """N × N points over [0, 2π)² and the modes |kx| ≤ K, |ky| ≤ K that are carried on it."""

    n: int
    dealiasing: Dealiasing = "two_thirds"

    def __post_init__(self):
        check_points(self.n)
        carried_wavenumber(self.n, self.dealiasing)

    @property
    def spacing(self) -> float:
        """Δ = 2π/N, also the filter width of the closures."""
        return 2.0 * np.pi / self.n

    @property
    def carried(self) -> int:
        """K, the largest carried wavenumber of each direction."""
        return carried_wavenumber(self.n, self.dealiasing)

    @property
    def spectral_shape(self) -> tuple[int, int]:
        """(N, K+1), the shape of spectral arrays."""
        return self.n, self.carried + 1

    @cached_property
    def x(self) -> np.ndarray:
        """Coordinates of the points along one side, (N,)."""
        return self.spacing * np.arange(self.n)

    @cached_property
    def kx(self) -> np.ndarray:
        """Wavenumbers along x, (1, K+1)."""
        return np.arange(self.carried + 1, dtype=np.float64)[None, :]

    @cached_property
    def ky(self) -> np.ndarray:
        """Wavenumbers along y in FFT order, (N, 1)."""
        return np.fft.fftfreq(self.n, 1.0 / self.n)[:, None]

    @cached_property
    def row_mask(self) -> np.ndarray:
        """1 where |ky| ≤ K, else 0, (N, 1); all K+1 columns are carried, so this is the whole mask."""
        return (np.abs(self.ky) <= self.carried).astype(np.float64)

    @cached_property
    def mask(self) -> np.ndarray:
        """1 on carried modes but the mean, else 0, (N, K+1)."""
        mask = self.row_mask * np.ones_like(self.kx)
        mask[0, 0] = 0.0
        return mask

    @cached_property
    def k2(self) -> np.ndarray:
        """k² = kx² + ky², (N, K+1)."""
        return self.kx**2 + self.ky**2

    @cached_property
    def inverse_k2(self) -> np.ndarray:
        """1/k² on carried modes, 0 elsewhere and for the mean, (N, K+1)."""
        return self.mask / np.where(self.k2 > 0.0, self.k2, 1.0)


def linear_operator(grid: Grid, case: Case) -> np.ndarray:
    """ℒ = −νk² − r + iβ kx/k² of every carried mode, 0 for the mean, (N, K+1); real when β = 0."""
    damping = -(case.viscosity * grid.k2 + case.drag) * grid.mask
    return damping + 1j * case.beta * grid.kx * grid.inverse_k2 if case.beta else damping


def forcing_hat(grid: Grid, case: Case) -> np.ndarray:
    """F̂ of F = −k_f [cos(k_f x) + cos(k_f y)], real, (N, K+1)."""
    k = case.forcing_wavenumber
    forcing = np.zeros(grid.spectral_shape)
    if k:
        amplitude = -0.5 * k * grid.n**2
        forcing[0, k] = forcing[k, 0] = forcing[-k, 0] = amplitude
    return forcing


def contract(spectrum: np.ndarray, grid: Grid) -> np.ndarray:
    """Carried modes, (..., N, K+1), of a full real-transform spectrum, (..., N, N/2+1)."""
    return spectrum[..., : grid.carried + 1] * grid.mask


def expand(spectrum: np.ndarray, n: int) -> np.ndarray:
    """Full real-transform spectrum, (..., N, N/2+1), of carried columns, (..., N, K+1)."""
    columns = n // 2 + 1 - spectrum.shape[-1]
    return np.pad(spectrum, [(0, 0)] * (spectrum.ndim - 1) + [(0, columns)])
