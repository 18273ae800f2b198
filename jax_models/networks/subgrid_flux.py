"""A subgrid vorticity flux whose coefficients are learned functions of local flow invariants.

With Δ the filter width, S the strain and |S| its norm, σ = rms(ω):

    s = (1 + a₁) b₁ + a₂ b₂ + a₃ b₃ + a₄ b₄  Π = −∇·s
    b₁ = (Δ²/12) ∂ₖu ∂ₖω                      the gradient model GM2 (Clark et al. 1979)
    b₂ = ½ (Δ²/12)² ∂ₖ∂ₗu ∂ₖ∂ₗω               its next term (GM4)
    b₃ = −Δ² |S| ∇ω                           eddy viscosity
    b₄ = Δ⁴ |S| ∇∇²ω                          biharmonic eddy viscosity, for transfer near the cut-off
    (a₁, …, a₄) = MLP(invariants)             zero before training: the network learns the residual to GM2

The coefficients see the flow only through scalars that translation, rotation and mirroring leave alone, as
ratios to σ, so the closure has these symmetries and the right dimensions whatever its weights. s·∇ω > 0
is local backscatter of enstrophy; `limit_backscatter` scales it down where it would exceed a share κ of the
forward transfer, which bounds the enstrophy that the closure can inject (GM2 alone is unstable in 2D).
"""

from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

INVARIANTS = 7


@dataclass(frozen=True)
class FluxConfig:
    """Width Δ of the filter, hidden layers of the MLP, and the share κ of backscatter that is let through."""

    filter_width: float
    hidden: tuple[int, ...] = (16, 16)
    backscatter_share: float = 0.5


@dataclass(frozen=True)
class _Gradients:
    """Derivatives on the grid, each (batch, n, n); w is the vorticity, `laplacian_x` is ∂∇²ω/∂x."""

    u_x: jax.Array
    u_y: jax.Array
    v_x: jax.Array
    w: jax.Array
    w_x: jax.Array
    w_y: jax.Array
    w_xx: jax.Array
    w_xy: jax.Array
    w_yy: jax.Array
    u_xx: jax.Array
    u_xy: jax.Array
    u_yy: jax.Array
    v_xx: jax.Array
    laplacian_x: jax.Array
    laplacian_y: jax.Array


class SubgridFlux(nnx.Module):
    """Vorticity (batch, n, n) -> subgrid tendency (batch, n, n), both dimensionless, on any even n."""

    def __init__(self, config: FluxConfig, *, rngs: nnx.Rngs):
        self.config = config
        sizes = (INVARIANTS, *config.hidden)
        self.layers = nnx.List(nnx.Linear(before, after, rngs=rngs) for before, after in pairwise(sizes))
        self.readout = nnx.Linear(sizes[-1], 4, kernel_init=nnx.initializers.zeros, rngs=rngs)

    def __call__(self, vorticity: jax.Array) -> jax.Array:
        """Tendency as the LES receives it, backscatter limited."""
        flow = gradients(vorticity)
        flux = limit_backscatter(self.flux(flow), (flow.w_x, flow.w_y), self.config.backscatter_share)
        return divergence_tendency(flux)

    def unlimited(self, vorticity: jax.Array) -> jax.Array:
        """Tendency before the limiter: what the regression fits."""
        return divergence_tendency(self.flux(gradients(vorticity)))

    def flux(self, flow: _Gradients) -> tuple[jax.Array, jax.Array]:
        """Both components of s, (batch, n, n)."""
        gm2, gm4, viscous, biharmonic = flux_basis(flow, self.config.filter_width)
        hidden = invariants(flow, gm2, gm4, self.config.filter_width)
        for layer in self.layers:
            hidden = nnx.relu(layer(hidden))
        a = self.readout(hidden)
        return tuple(
            (1 + a[..., 0]) * b1 + a[..., 1] * b2 + a[..., 2] * b3 + a[..., 3] * b4
            for b1, b2, b3, b4 in zip(gm2, gm4, viscous, biharmonic, strict=True)
        )


def gradients(vorticity: jax.Array) -> _Gradients:
    """Spectral derivatives of ω and of u = −∂ψ/∂y, v = ∂ψ/∂x, ∇²ψ = ω."""
    n = vorticity.shape[-1]
    kx, ky = _wavenumbers(n, vorticity.dtype)
    hat = jnp.fft.rfft2(vorticity)
    psi = -hat / jnp.where(kx**2 + ky**2 > 0, kx**2 + ky**2, 1)
    u, v = -1j * ky * psi, 1j * kx * psi
    spectra = jnp.stack(
        [
            *(1j * kx * u, 1j * ky * u, 1j * kx * v),
            *(hat, 1j * kx * hat, 1j * ky * hat),
            *(-(kx**2) * hat, -kx * ky * hat, -(ky**2) * hat),
            *(-(kx**2) * u, -kx * ky * u, -(ky**2) * u, -(kx**2) * v),
            *(-1j * kx * (kx**2 + ky**2) * hat, -1j * ky * (kx**2 + ky**2) * hat),
        ]
    )
    return _Gradients(*jnp.fft.irfft2(spectra, s=(n, n)))


def _wavenumbers(n: int, dtype) -> tuple[jax.Array, jax.Array]:
    """kx (1, 1, n/2+1) and ky (1, n, 1)."""
    kx = jnp.arange(n // 2 + 1, dtype=dtype)[None, None, :]
    ky = jnp.fft.fftfreq(n, 1 / n).astype(dtype)[None, :, None]
    # An odd derivative of the Nyquist mode is not real: drop it.
    return jnp.where(kx == n // 2, 0, kx), jnp.where(jnp.abs(ky) == n // 2, 0, ky)


def flux_basis(flow: _Gradients, width: float):
    """The vectors b₁, b₂, b₃, b₄; v_y = −u_x, v_xy = −u_xx and v_yy = −u_xy by incompressibility."""
    c = width**2 / 12
    gm2 = c * (flow.u_x * flow.w_x + flow.u_y * flow.w_y), c * (flow.v_x * flow.w_x - flow.u_x * flow.w_y)
    gm4 = (
        0.5 * c**2 * (flow.u_xx * flow.w_xx + 2 * flow.u_xy * flow.w_xy + flow.u_yy * flow.w_yy),
        0.5 * c**2 * (flow.v_xx * flow.w_xx - 2 * flow.u_xx * flow.w_xy - flow.u_xy * flow.w_yy),
    )
    strain = jnp.sqrt(_strain_squared(flow) + 1e-12)
    viscous = -(width**2) * strain * flow.w_x, -(width**2) * strain * flow.w_y
    biharmonic = width**4 * strain * flow.laplacian_x, width**4 * strain * flow.laplacian_y
    return gm2, gm4, viscous, biharmonic


def _strain_squared(flow: _Gradients) -> jax.Array:
    """|S|² = 4 (S11² + S12²)."""
    return 4 * flow.u_x**2 + (flow.u_y + flow.v_x) ** 2


def invariants(flow: _Gradients, gm2, gm4, width: float) -> jax.Array:
    """Dimensionless scalars (batch, n, n, 7), compressed by log(1 + |·|) with the sign kept."""
    sigma2 = jnp.mean(flow.w**2, axis=(-2, -1), keepdims=True) + 1e-12
    scale = width**2 / sigma2
    scale3 = 12 / sigma2**1.5
    laplacian = flow.w_xx + flow.w_yy
    scalars = jnp.stack(
        [
            _strain_squared(flow) / sigma2,
            flow.w**2 / sigma2,
            scale * (flow.w_x**2 + flow.w_y**2),
            scale * width**2 * laplacian**2,
            scale * flow.w * laplacian,
            scale3 * (gm2[0] * flow.w_x + gm2[1] * flow.w_y),
            scale3 * (gm4[0] * flow.w_x + gm4[1] * flow.w_y),
        ],
        axis=-1,
    )
    return jnp.sign(scalars) * jnp.log1p(jnp.abs(scalars))


def limit_backscatter(flux, gradient, share: float):
    """Scale the up-gradient part of the flux so that ⟨(s·∇ω)₊⟩ ≤ κ ⟨(s·∇ω)₋⟩."""
    transfer = flux[0] * gradient[0] + flux[1] * gradient[1]
    backward = jnp.mean(jnp.maximum(transfer, 0), axis=(-2, -1), keepdims=True)
    forward = jnp.mean(jnp.maximum(-transfer, 0), axis=(-2, -1), keepdims=True)
    kept = jnp.minimum(1, share * forward / (backward + 1e-12))
    steepness = gradient[0] ** 2 + gradient[1] ** 2 + 1e-12
    excess = (1 - kept) * jnp.maximum(transfer, 0) / steepness
    return flux[0] - excess * gradient[0], flux[1] - excess * gradient[1]


def divergence_tendency(flux) -> jax.Array:
    """Π = −∂s_x/∂x − ∂s_y/∂y on the grid."""
    n = flux[0].shape[-1]
    kx, ky = _wavenumbers(n, flux[0].dtype)
    hat = -1j * (kx * jnp.fft.rfft2(flux[0]) + ky * jnp.fft.rfft2(flux[1]))
    return jnp.fft.irfft2(hat, s=(n, n))
