"""Vortex-sparing closure: a steep drain that leaves vortices alone and returns the energy that it takes.

    Π = −σ D½[c h D½ω] + A Lˡ[b w ω],   D½ = (kΔ/π)ᵖ √(1 + e cos 2θ),  Lˡ = (kΔ/π)ˡ,  k² cos 2θ = kx² − ky²
    h = 1 / (1 + d [a q² + o (q² − s²)₊]),   w = d [q² / (1 + m q²)]^(n/2),   d = 1 / (1 + (q/q_c)⁸),
    q = ω/σ,  s = |S|/σ,  σ² = ⟨ω²⟩

A is such that the second term with b = 1 returns all the energy that the first takes; so b is the returned
share, and closures with b ≤ 1 never give energy to a flow that they drain. Why this form
(docs/experiments/rl.md): of a flow cut sharply to the modes of an LES, what is missing damps the last octave
alone, conserves energy, and does not damp places with |ω| > 2σ. p = 2, l = 2 and a = o = n = e = 0 make it
that of Jansen and Held (2014) with c = π⁴ C_4⁴.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from ...contracts.errors import InputError
from .flow import Array, Flow, mean_square_vorticity

SMALLEST = 1e-6
"""Added to q², so that a negative n leaves points without vorticity finite."""


@dataclass(frozen=True, eq=False)
class Closure:
    """Dimensionless constants; c, b and n may be fields (N, N), and traced arrays under JAX.

    `drain` c ≥ 0: damping rate of the shortest wave along an axis, in σ. `returned` b. `weighting` n: how
    much more of the energy strong vorticity gets. `steepness` p. `return_exponent` l. `sparing` a ≥ 0 and
    `core_sparing` o ≥ 0: strong vorticity, and where it exceeds the strain, is drained less. `saturation`
    m ≥ 0: w grows no more where q² exceeds 1/m, lest one vortex take all that is returned. `anisotropy` e in
    −1 … 1: positive drains variation along x more. `ceiling` q_c > 0: what exceeds it is not spared and gets
    nothing, lest a vortex grow until the time step cannot carry it.

    The defaults suit k4b0 at N = 32, 64 and 128.
    """

    drain: Array = 0.34
    returned: Array = 1.18
    weighting: Array = 0.0
    steepness: float = 3.5
    return_exponent: float = 2.1
    sparing: float = 0.0
    core_sparing: float = 0.56
    saturation: float = 0.0
    anisotropy: float = 0.0
    ceiling: float = math.inf

    name: ClassVar[str] = "vortex_sparing"

    def __post_init__(self):
        for constant in ("sparing", "core_sparing", "saturation"):
            value = getattr(self, constant)
            if not value >= 0.0:
                raise InputError(f"Closure vortex_sparing has {constant} = {value}; it must not be negative.")
        if not self.ceiling > 0.0:
            raise InputError(f"Closure vortex_sparing has ceiling = {self.ceiling}; it must be positive.")
        if not -1.0 <= self.anisotropy <= 1.0:
            raise InputError(
                f"Closure vortex_sparing has anisotropy = {self.anisotropy}; it must lie within −1 … 1."
            )

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        ops = flow.operators
        xp, half = ops.xp, self.half_drain(flow)
        sigma = xp.sqrt(mean_square_vorticity(flow))
        omega, rough, strain_squared = _fields(flow, half)
        unit = xp.where(sigma > 0.0, sigma, 1.0)
        q2, s2 = (omega / unit) ** 2, strain_squared / unit**2
        below = 1.0 / (1.0 + (q2 / self.ceiling**2) ** 4)
        spared = 1.0 / (1.0 + below * (self.sparing * q2 + self.core_sparing * xp.maximum(q2 - s2, 0.0)))
        weight = below * ((q2 + SMALLEST) / (1.0 + self.saturation * q2)) ** (0.5 * self.weighting)
        taken, given, unshared = ops.to_spectra(
            self.drain * spared * rough, self.returned * weight * omega, weight * omega
        )
        drained = -sigma * half * taken
        low = ops.mask * self._scaled_wavenumber(flow) ** self.return_exponent
        gained = energy_rate(flow, low * unshared)
        return drained - energy_rate(flow, drained) / xp.where(gained > 0.0, gained, 1.0) * (low * given)

    def half_drain(self, flow: Flow) -> Array:
        """D½, (N, K+1): square root of the drain's symbol, 0 on modes not carried."""
        ops = flow.operators
        cosine = (ops.kx**2 - ops.ky**2) * ops.inverse_k2
        return (
            ops.mask
            * self._scaled_wavenumber(flow) ** self.steepness
            * ops.xp.sqrt(1.0 + self.anisotropy * cosine)
        )

    @staticmethod
    def _scaled_wavenumber(flow: Flow) -> Array:
        """kΔ/π, 1 for the shortest wave along an axis."""
        ops = flow.operators
        return ops.xp.sqrt(ops.k2) * (ops.spacing / math.pi)


def _fields(flow: Flow, half: Array) -> tuple[Array, Array, Array]:
    """ω, D½ω and |S|² on the grid."""
    ops, hat = flow.operators, flow.vorticity_hat
    stream = hat * ops.inverse_k2
    omega, rough, normal, shear = ops.to_grids(
        hat, half * hat, -2.0 * ops.kx * ops.ky * stream, (ops.kx**2 - ops.ky**2) * stream
    )
    return omega, rough, normal**2 + shear**2


def energy_rate(flow: Flow, tendency_hat: Array) -> Array:
    """⟨−ψ Π⟩ N⁴/2 of a vorticity tendency Π̂: the energy that it gives, in units that cancel in ratios."""
    ops = flow.operators
    products = ops.xp.real(ops.xp.conj(flow.vorticity_hat) * tendency_hat) * ops.inverse_k2
    return ops.xp.sum(products) - 0.5 * ops.xp.sum(products[:, 0])
