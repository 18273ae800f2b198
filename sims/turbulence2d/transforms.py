"""Transforms of the JAX solver between fields (..., N, N) and their carried spectra (..., N, K+1).

By FFT, or as products with DFT matrices,

    f(y, x) = N⁻² Σ_kx w(kx) Re[ e^{i kx x} Σ_ky e^{i ky y} f̂(ky, kx) ],   w = 1 for kx = 0 and N/2, else 2
    f̂(ky, kx) = Σ_y e^{−i ky y} Σ_x e^{−i kx x} f(y, x)

which give the same numbers to rounding. On an accelerator the launches of FFTs, not arithmetic, bound small
grids; products are launched as one, and XLA can put them into CUDA graphs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

MATRIX_GRID = 64
"""Up to this N an accelerator multiplies with DFT matrices. Steps a second over those with FFTs, on an H200:
N = 32: 8, 64, 512, 4,096 flows 3.1, 2.3, 1.2, 1.1; N = 64: 8, 64, 512 flows 2.6, 1.0, 0.74; N = 128: 8, 64
flows 0.88, 0.57."""

_fft_only: ContextVar[bool] = ContextVar("fft_only", default=False)


@contextmanager
def fft_only() -> Iterator[None]:
    """What is traced within transforms by FFT: a bundle runs on other machines than the one that makes it,
    and on a CPU products make a closure on 64 points take 3.5 times as long."""
    token = _fft_only.set(True)
    try:
        yield
    finally:
        _fft_only.reset(token)


def to_grid(spectrum: jax.Array) -> jax.Array:
    """Field (..., N, N) of a spectrum (..., N, K+1)."""
    n, columns = spectrum.shape[-2:]
    if _by_matrices(n):
        return grid_by_matrices(spectrum)
    full = jnp.pad(spectrum, [(0, 0)] * (spectrum.ndim - 1) + [(0, n // 2 + 1 - columns)])
    return jnp.fft.irfft2(full, s=(n, n))


def to_spectrum(field: jax.Array, columns: int) -> jax.Array:
    """Spectrum (..., N, `columns`) of a field (..., N, N), not masked."""
    if _by_matrices(field.shape[-1]):
        return spectrum_by_matrices(field, columns)
    return jnp.fft.rfft2(field)[..., :columns]


def grid_by_matrices(spectrum: jax.Array) -> jax.Array:
    """`to_grid` as two matrix products."""
    n, columns = spectrum.shape[-2:]
    along_y, along_x = _waves(n, columns)
    k = np.arange(columns)
    weight = np.where((k == 0) | (2 * k == n), 1.0, 2.0) / n**2
    weighted = (np.tile(weight, 2)[:, None] * along_x).astype(np.finfo(spectrum.dtype).dtype)
    half = _product("jq,...qk->...jk", along_y.astype(spectrum.dtype), spectrum)
    return _product("...jk,ki->...ji", jnp.concatenate([half.real, half.imag], axis=-1), weighted)


def spectrum_by_matrices(field: jax.Array, columns: int) -> jax.Array:
    """`to_spectrum` as two matrix products."""
    along_y, along_x = _waves(field.shape[-1], columns)
    half = _product("...ji,ki->...jk", field, along_x.astype(field.dtype))
    half = jax.lax.complex(half[..., :columns], half[..., columns:])
    return _product("jq,...jk->...qk", along_y.conj().astype(half.dtype), half)


def _by_matrices(n: int) -> bool:
    return n <= MATRIX_GRID and jax.default_backend() != "cpu" and not _fft_only.get()


def _product(subscripts: str, left: jax.Array, right: jax.Array) -> jax.Array:
    """A product in the precision of its operands: accelerators round float32 to fewer bits unless told."""
    return jnp.einsum(subscripts, left, right, precision=jax.lax.Precision.HIGHEST)


@lru_cache
def _waves(n: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """e^{i ky y} over [y, ky], (N, N), and cos kx x above −sin kx x over [kx, x], (2(K+1), N)."""
    points = np.arange(n)
    phase = 2.0 * np.pi / n * (np.outer(points, points) % n)
    along_x = np.concatenate([np.cos(phase[:columns]), -np.sin(phase[:columns])])
    return np.exp(1j * phase), along_x
