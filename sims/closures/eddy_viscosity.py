"""Eddy viscosity as a vorticity tendency Π̂, uniform or varying in space."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from .flow import Array, Flow, gradient_norm, mean_square_vorticity, strain


def smagorinsky_scale(flow: Flow) -> Array:
    """Δ² rms(|S|), a number: the eddy viscosity that a coefficient c = C_s² multiplies.

    ⟨|S|²⟩ = ⟨2 S_ij S_ij⟩ = ⟨ω²⟩ for an incompressible periodic flow, so no transform is needed.
    """
    return flow.operators.spacing**2 * flow.operators.xp.sqrt(mean_square_vorticity(flow))


def leith_scale(flow: Flow) -> Array:
    """Δ³ mean(|∇ω|), a number: the eddy viscosity that a coefficient c = C_l³ multiplies."""
    return flow.operators.spacing**3 * flow.operators.xp.mean(gradient_norm(flow))


def uniform(flow: Flow, viscosity: Array) -> Array:
    """Π̂ = −ν_e k² ω̂ of one number ν_e."""
    return -viscosity * (flow.operators.k2 * flow.vorticity_hat)


def varying(flow: Flow, viscosity: Array) -> Array:
    """Π̂ of a field ν_e(x), (N, N), through the stress τ_ij = −2 ν_e S_ij (it has no other sign than
    ν_e's).

    Π̂ = −[kx ky (τ11 − τ22)^ − (kx² − ky²) τ12^], with τ22 = −τ11; it is ν_e ∇²ω when ν_e is uniform.
    """
    ops = flow.operators
    s11, s12 = strain(flow)
    tau11_hat, tau12_hat = ops.to_spectra(-2.0 * viscosity * s11, -2.0 * viscosity * s12)
    return -ops.mask * (2.0 * ops.kx * ops.ky * tau11_hat - (ops.kx**2 - ops.ky**2) * tau12_hat)


@dataclass(frozen=True, eq=False)
class LocalEddyViscosity:
    """ν_e(x) = c(x) · scale: `coefficient` c is a field (N, N), `scale` one of the two functions above.

    c = C_l³ with `leith_scale`, c = C_s² with `smagorinsky_scale`; c may be negative (backscatter). Under
    JAX the coefficient may be traced, so an environment may build this closure inside a jitted function
    at every action.
    """

    coefficient: Array
    scale: Callable[[Flow], Array] = leith_scale

    name: ClassVar[str] = "local_eddy_viscosity"

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        return varying(flow, self.coefficient * self.scale(flow))
