"""What a closure is asked to reproduce: the enstrophy spectrum of the filtered DNS and its natural spread.

The target is the mean one-dimensional spectrum of the DNS cut to the modes of the LES, k = 1 … K, of the mean
of both directions where β = 0 and of each direction where β ≠ 0. The spread of ln Z(k) in time gives a
covariance C, shrunk towards its diagonal because neighbouring wavenumbers are nearly collinear and a few
hundred samples are correlated:

    C = (1 − λ) cov + λ diag(cov) + floor² 1        ‖d‖² = dᵀ C⁻¹ d / K,  d = ln(Z/Z_ref)
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import InputError
from ..contracts.reference import Reference
from ..sims.turbulence2d.cases import Case
from ..sims.turbulence2d.filtering import resample_hat
from ..sims.turbulence2d.statistics.spectra import direction_spectra, mode_enstrophy

SHRINKAGE = 0.5
FLOOR = 0.05


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Target:
    """`spectrum` (D, K): Z_ref(k), k = 1 … K, D directions. `whitening` (K, K): C^(−1/2) of one direction.
    `variance` ⟨ω²⟩, `flatness` ⟨ω⁴⟩/⟨ω²⟩² of the filtered DNS; `sigma_reference`: unit of thresholds."""

    spectrum: jax.Array
    whitening: jax.Array
    variance: jax.Array
    flatness: jax.Array
    sigma_reference: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Measures:
    """What a reward sees of an instant: `spectrum` (D, K), raw moments `second` ⟨ω²⟩ and `fourth` ⟨ω⁴⟩."""

    spectrum: jax.Array
    second: jax.Array
    fourth: jax.Array


def make_target(reference: Reference, case: Case, n: int, carried: int) -> Target:
    """The target of an LES that carries |k| ≤ `carried` on N × N points (float32).

    InputError: the reference has no log-spectra up to `carried`.
    """
    series = np.asarray(reference["log_enstrophy"], np.float64)
    if carried >= series.shape[1]:
        raise InputError(
            f"The reference holds log-spectra of k < {series.shape[1]}; an LES that carries k ≤ {carried} "
            "cannot be judged by it, take a smaller grid."
        )
    covariance = np.cov(series[:, 1 : carried + 1], rowvar=False)
    diagonal = np.diag(np.diag(covariance))
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * diagonal + FLOOR**2 * np.eye(carried)
    level = reference.level(n)
    sigma, _, kurtosis = reference["moments"][level]
    values = (
        cut_spectrum(reference, case, n)[:, 1 : carried + 1],
        np.linalg.inv(np.linalg.cholesky(covariance)),
        sigma**2,
        kurtosis,
        reference.attributes["sigma_reference"],
    )
    return Target(*(jnp.asarray(value, jnp.float32) for value in values))


def cut_spectrum(reference: Reference, case: Case, n: int) -> np.ndarray:
    """Mean spectrum of the DNS cut to N points, (D, N/2): D = 1 for β = 0, else along x and along y.

    The file keeps the cut spectrum as the mean of both directions; along one direction it is the uncut one
    times the share that the cut leaves in the stored states.
    """
    if not case.beta:
        return np.asarray(reference["level_enstrophy"][reference.level(n)][None, : n // 2])
    hats = np.fft.rfft2(np.asarray(reference["states/vorticity"], np.float64))
    whole = direction_spectra(mode_enstrophy(hats))
    cut = direction_spectra(mode_enstrophy(resample_hat(hats, n)))
    shares = (part.mean(0)[: n // 2] / full.mean(0)[: n // 2] for part, full in zip(cut, whole, strict=True))
    names = ("enstrophy_x", "enstrophy_y")
    return np.stack([reference[name][: n // 2] * share for name, share in zip(names, shares, strict=True)])


def directional_spectrum(vorticity_hat: jax.Array, carried: int, directions: int) -> jax.Array:
    """Z(k), k = 1 … K, (D, K), of carried columns (N, K+1): D = 1 is the mean of both directions."""
    n = vorticity_hat.shape[-2]
    full = jnp.pad(vorticity_hat, ((0, 0), (0, n // 2 + 1 - vorticity_hat.shape[-1])))
    both = jnp.stack(direction_spectra(mode_enstrophy(full)))[:, 1 : carried + 1].astype(full.real.dtype)
    return both.mean(0, keepdims=True) if directions == 1 else both


def log_ratio_spectrum(vorticity_hat: jax.Array, target: Target, directions: int) -> jax.Array:
    """ln(Z/Z_ref) of carried columns (N, K+1), (directions, K): 1 compares the means of both directions, 2
    each direction with its own reference, or with their mean where β = 0."""
    carried = target.spectrum.shape[-1]
    reference = target.spectrum.mean(0, keepdims=True) if directions == 1 else target.spectrum
    spectrum = directional_spectrum(vorticity_hat, carried, directions)
    return jnp.log((spectrum + 1e-20) / (reference + 1e-20))


def log_flatness(vorticity: jax.Array, target: Target) -> jax.Array:
    """ln(F/F_ref) of ω (N, N), limited to ±3, a number: F = ⟨ω⁴⟩/⟨ω²⟩²."""
    square = vorticity**2
    flatness = jnp.mean(square**2) / (jnp.mean(square) ** 2 + 1e-20)
    return jnp.clip(jnp.log(flatness / target.flatness + 1e-20), -3.0, 3.0)


def measure(vorticity_hat: jax.Array, vorticity: jax.Array, target: Target) -> Measures:
    """Measures of an instant from ω̂ (N, K+1) and ω (N, N)."""
    directions, carried = target.spectrum.shape
    square = vorticity**2
    spectrum = directional_spectrum(vorticity_hat, carried, directions)
    return Measures(spectrum, square.mean(), (square**2).mean())
