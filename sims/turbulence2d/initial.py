"""Initial vorticity fields, (N, N) as `[j, i]` (y slow, x fast), and their transfer between grids."""

import numpy as np

from ...contracts.errors import InputError
from .grid import Grid
from .numerics import check_points


def check_vorticity(vorticity: np.ndarray) -> np.ndarray:
    """Return the field (..., N, N) as a NumPy array; InputError unless it is square, even and finite."""
    vorticity = np.asarray(vorticity)
    if vorticity.ndim < 2 or vorticity.shape[-1] != vorticity.shape[-2]:
        raise InputError(f"The vorticity field has shape {vorticity.shape}; expected (..., N, N).")
    check_points(vorticity.shape[-1])
    bad = vorticity.size - np.count_nonzero(np.isfinite(vorticity))
    if bad:
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(vorticity))[0])
        raise InputError(
            f"The vorticity field has {bad} values that are not finite, the first at index {where}; "
            "start from a finite field."
        )
    return vorticity


def random_vorticity(n: int, seed: int, peak_wavenumber: float = 10.0) -> np.ndarray:
    """Random-phase field of energy spectrum E(k) = A k⁴ exp(−(k/k_p)²), A = 4 k_p⁻⁵/(3π), so |ω̂|² = N⁴ k
    E/π.

    One seed gives one flow on every grid that resolves it: the phases are drawn for |kx|, |ky| ≤ 6 k_p,
    beyond which the spectrum is below rounding, and a coarser grid drops the modes that it lacks.
    """
    check_points(n)
    reach = int(np.ceil(6.0 * peak_wavenumber))
    phase = np.exp(2j * np.pi * np.random.default_rng(seed).random((2 * reach + 1, reach + 1)))
    kept = min(reach, n // 2 - 1)
    kx = np.arange(kept + 1)[None, :]
    ky = np.arange(-kept, kept + 1)[:, None]
    k = np.sqrt(kx**2 + ky**2)
    energy = 4.0 * peak_wavenumber**-5 / (3.0 * np.pi) * k**4 * np.exp(-((k / peak_wavenumber) ** 2))
    modes = np.sqrt(k * energy / np.pi) * phase[reach - kept : reach + kept + 1, : kept + 1] * n**2
    modes[:kept, 0] = np.conj(modes[:kept:-1, 0])  # a real field: ω̂(−ky, 0) = conj ω̂(ky, 0)
    spectrum = np.zeros((n, n // 2 + 1), dtype=np.complex128)
    spectrum[ky[:, 0], : kept + 1] = modes
    return np.fft.irfft2(spectrum, s=(n, n))


def taylor_green(n: int, wavenumber: int = 1, amplitude: float = 1.0) -> np.ndarray:
    """ω = A cos(κx) cos(κy), without advection: unforced and for β = 0 it decays as exp(−(2νκ² + r) t)."""
    wave = np.cos(wavenumber * Grid(n).x)
    return amplitude * wave[:, None] * wave[None, :]


def resample(vorticity: np.ndarray, n: int) -> np.ndarray:
    """The same field on N × N points: modes |kx|, |ky| < min(N, N_old)/2 are kept, the others dropped or
    zero.

    `vorticity` may have leading axes. The Nyquist row and column are dropped, as in the solvers.
    """
    vorticity = check_vorticity(vorticity)
    check_points(n)
    old = vorticity.shape[-1]
    kept = min(n, old) // 2 - 1
    rows = np.arange(-kept, kept + 1)
    source = np.fft.rfft2(vorticity.astype(np.float64, copy=False))
    spectrum = np.zeros((*vorticity.shape[:-2], n, n // 2 + 1), dtype=np.complex128)
    spectrum[..., rows, : kept + 1] = source[..., rows, : kept + 1] * (n / old) ** 2
    return np.fft.irfft2(spectrum, s=(n, n))
