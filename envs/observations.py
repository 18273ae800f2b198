"""What the agents see: invariants at their place, and the enstrophy spectrum, which all share.

    paper      tr S, tr S², tr R² of ∇u and of B = [[u_xx, v_xx], [u_yy, v_yy]]; ln Z(k) for every k
               (Mojgani et al. 2023): 6 + D·K numbers, tied to N
    relative   dimensionless rotation invariants, compressed; ln(Z/Z_ref) at fixed fractions of ln K:
               the same numbers for every N, and near zero when the spectrum is right
    relative_tail   the same of the mean of both directions, and ln(F/F_ref) of the flatness
               F = ⟨ω⁴⟩/⟨ω²⟩²: one size for every grid and for flows with and without β
    shells     what an agent of a shell of the spectrum sees (spectral.py)

All depend on the instant alone, so a policy that sees them is a closure that any host can call.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import InputError
from ..sims.closures.flow import Flow
from .lattice import Lattice
from .spectral import ShellSpectrum
from .targets import Target, directional_spectrum, log_flatness, log_ratio_spectrum


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Observation:
    """`local` (m, m, F): at each agent. `common` (G,): the same for all. `memory` (H,): what the reward
    remembers, for the critic alone (it makes the value a function of what is observed)."""

    local: jax.Array
    common: jax.Array
    memory: jax.Array


@dataclass(frozen=True)
class Paper:
    """Six invariants and the logarithm of the whole spectrum."""

    name: ClassVar[str] = "paper"
    places: ClassVar[type] = Lattice
    names: ClassVar[tuple[str, ...]] = tuple(f"tr {m}({of})" for of in ("∇u", "B") for m in ("S", "S²", "R²"))

    def local(self, flow: Flow, lattice: Lattice, target: Target) -> jax.Array:
        """tr S, tr S², tr R² of ∇u and of B at the agents, (m, m, 6); the first is zero."""
        ops = flow.operators
        stream = ops.inverse_k2 * flow.vorticity_hat
        u, v = 1j * ops.ky * stream, -1j * ops.kx * stream
        spectra = (1j * ops.kx * u, 1j * ops.ky * u, 1j * ops.kx * v, -(ops.kx**2) * u, -(ops.ky**2) * u)
        spectra += (-(ops.kx**2) * v, -(ops.ky**2) * v)
        u_x, u_y, v_x, u_xx, u_yy, v_xx, v_yy = lattice.sample(jnp.stack(ops.to_grids(*spectra)))
        first = _invariants(u_x, u_y, v_x, -u_x)
        second = _invariants(u_xx, v_xx, u_yy, v_yy)
        return jnp.stack([*first, *second], axis=-1)

    def common(self, flow: Flow, target: Target) -> jax.Array:
        """ln Z(k), k = 1 … K, (D·K,)."""
        directions, carried = target.spectrum.shape
        return jnp.log(directional_spectrum(flow.vorticity_hat, carried, directions) + 1e-20).ravel()


def _invariants(xx, xy, yx, yy):
    """tr S, tr S², tr R² of the 2 × 2 matrix [[xx, xy], [yx, yy]]."""
    return xx + yy, xx**2 + yy**2 + 0.5 * (xy + yx) ** 2, -0.5 * (xy - yx) ** 2


@dataclass(frozen=True)
class Relative:
    """Dimensionless invariants and `bins` values of the log-ratio spectrum a direction."""

    bins: int = 10

    name: ClassVar[str] = "relative"
    places: ClassVar[type] = Lattice
    names: ClassVar[tuple[str, ...]] = ("|S|²/σ²", "ω²/σ²", "Δ²|∇ω|²/σ²", "Δ⁴(∇²ω)²/σ²", "Δ²ω∇²ω/σ²")

    def local(self, flow: Flow, lattice: Lattice, target: Target) -> jax.Array:
        """At the agents, (m, m, 5), with σ² = ⟨ω²⟩ and Δ the spacing, each as sign(x) ln(1 + |x|):

        |S|²/σ², ω²/σ², Δ²|∇ω|²/σ², Δ⁴(∇²ω)²/σ², Δ² ω∇²ω/σ².
        """
        ops = flow.operators
        hat, stream = flow.vorticity_hat, flow.vorticity_hat * ops.inverse_k2
        spectra = (hat, -2.0 * ops.kx * ops.ky * stream, (ops.kx**2 - ops.ky**2) * stream)
        spectra += (1j * ops.kx * hat, 1j * ops.ky * hat, -ops.k2 * hat)
        fields = jnp.stack(ops.to_grids(*spectra))
        variance = jnp.mean(fields[0] ** 2) + 1e-12
        omega, normal, shear, along_x, along_y, laplacian = lattice.sample(fields)
        width = ops.spacing**2
        scalars = jnp.stack(
            [
                normal**2 + shear**2,
                omega**2,
                width * (along_x**2 + along_y**2),
                width**2 * laplacian**2,
                width * omega * laplacian,
            ],
            axis=-1,
        )
        scalars = scalars / variance
        return jnp.sign(scalars) * jnp.log1p(jnp.abs(scalars))

    def common(self, flow: Flow, target: Target) -> jax.Array:
        """ln(Z/Z_ref) interpolated in ln k at `bins` equal parts of ln 1 … ln K, (D·bins,)."""
        return self._binned(log_ratio_spectrum(flow.vorticity_hat, target, target.spectrum.shape[0])).ravel()

    def _binned(self, ratio: jax.Array) -> jax.Array:
        """Values of (..., K) at the places of the bins, (..., bins)."""
        weights = jnp.asarray(_bin_weights(ratio.shape[-1], self.bins), ratio.dtype)
        return jnp.clip(ratio @ weights.T, -5.0, 5.0)


@dataclass(frozen=True)
class RelativeTail(Relative):
    """The same with the flatness, and of one size whatever the number of directions."""

    name: ClassVar[str] = "relative_tail"

    def common(self, flow: Flow, target: Target) -> jax.Array:
        """ln(Z/Z_ref) of the mean of both directions in bins, and ln(F/F_ref), (bins + 1,)."""
        ratio = log_ratio_spectrum(flow.vorticity_hat, target, 1)[0]
        return jnp.append(self._binned(ratio), log_flatness(flow.vorticity(), target))


def _bin_weights(carried: int, bins: int) -> np.ndarray:
    """Linear interpolation in ln k from k = 1 … K to `bins` places, (bins, K)."""
    places, known = np.linspace(0.0, np.log(carried), bins), np.log(np.arange(1, carried + 1))
    return np.stack([np.interp(places, known, unit) for unit in np.eye(carried)], axis=1)


OBSERVATIONS = {kind.name: kind for kind in (Paper, Relative, RelativeTail, ShellSpectrum)}


def get_observation(name: str):
    """The observation of that name with its defaults; InputError lists the known ones."""
    if name not in OBSERVATIONS:
        raise InputError(f"Unknown observation {name!r}; known: {', '.join(OBSERVATIONS)}.")
    return OBSERVATIONS[name]()
