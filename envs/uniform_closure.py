"""Eddy viscosity and backscatter with constants that are arrays, so that one ensemble tries many of them.

    Π̂ = −(c_s Δ² rms|S| + c_l Δ³ mean|∇ω|) k² ω̂ − c_4 Δ⁴ rms|S| (k⁴ − b κ² k²) ω̂,   κ² = Σ k²|ω̂|² / Σ |ω̂|²

c_s = C_s² is Smagorinsky's, c_l = C_l³ Leith's, c_4 = C_4⁴ a biharmonic viscosity that returns the share b of
the energy which it takes by a negative Laplacian one (after Jansen & Held 2014). All zero: no closure.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ..sims.closures.eddy_viscosity import leith_scale, smagorinsky_scale
from ..sims.closures.flow import Array, Flow


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class UniformClosure:
    """`smagorinsky` c_s, `leith` c_l, `biharmonic` c_4, `returned` b: numbers, or (E,) for `jax.vmap`."""

    smagorinsky: Array
    leith: Array
    biharmonic: Array
    returned: Array

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        ops, hat = flow.operators, flow.vorticity_hat
        scale = smagorinsky_scale(flow)
        laplacian = self.smagorinsky * scale + self.leith * leith_scale(flow)
        square = jnp.real(hat) ** 2 + jnp.imag(hat) ** 2
        weight = jnp.where(ops.kx > 0, 2.0, 1.0) * square
        wavenumber_squared = jnp.sum(weight * ops.k2) / (jnp.sum(weight) + 1e-20)
        fourth = self.biharmonic * ops.spacing**2 * scale
        damping = laplacian * ops.k2 + fourth * (ops.k2**2 - self.returned * wavenumber_squared * ops.k2)
        return -damping * hat


def constants(
    smagorinsky: float = 0.0, leith: float = 0.0, biharmonic: float = 0.0, returned: float = 0.0
) -> tuple[float, float, float, float]:
    """(c_s, c_l, c_4, b) of the usual constants C_s, C_l, C_4 and b."""
    return smagorinsky**2, leith**3, biharmonic**4, returned


def stack(members: list[tuple[float, float, float, float]]) -> UniformClosure:
    """One closure with arrays (E,) of several `constants`."""
    columns = np.asarray(members, np.float32).T
    return UniformClosure(*(jnp.asarray(column) for column in columns))
