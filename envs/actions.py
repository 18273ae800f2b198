"""Actions: one coefficient an agent, c = C_l³ (`leith`) or C_s² (`smagorinsky`), and its field of viscosity.

    ν_e(x) = c(x) · scale,  scale = Δ³ mean|∇ω| or Δ² rms|S|,  a number of the instant

c may be negative (backscatter). The policy acts in w = (c − middle)/half-width of the bounds, −1 … 1.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from ..contracts.errors import InputError
from ..sims.closures.eddy_viscosity import LocalEddyViscosity, leith_scale, smagorinsky_scale
from .lattice import Lattice

SCALES = {"leith": leith_scale, "smagorinsky": smagorinsky_scale}
BOUNDS = {"leith": (-0.02, 0.04), "smagorinsky": (-0.04, 0.08)}


@dataclass(frozen=True)
class Coefficient:
    """Coefficient of the viscosity `scale`, within `lowest` … `highest`, dimensionless."""

    scale: str = "leith"
    lowest: float = -0.02
    highest: float = 0.04

    def __post_init__(self):
        if self.scale not in SCALES:
            raise InputError(f"Unknown viscosity scale {self.scale!r}; known: {', '.join(SCALES)}.")
        if not self.lowest < self.highest:
            raise InputError(
                f"The bounds of the action are {self.lowest} and {self.highest}; expected lowest < highest."
            )

    @classmethod
    def of(cls, scale: str) -> "Coefficient":
        """The coefficient of a scale with bounds that suit it."""
        return cls(scale, *BOUNDS.get(scale, (0.0, 1.0)))

    def physical(self, action: jax.Array) -> jax.Array:
        """c of an action in −1 … 1; what lies outside counts as the bound."""
        clipped = jnp.clip(action, -1.0, 1.0)
        return self.lowest + 0.5 * (clipped + 1.0) * (self.highest - self.lowest)

    def closure(self, action: jax.Array, lattice: Lattice) -> LocalEddyViscosity:
        """The closure of actions (m, m), held until the next ones."""
        return LocalEddyViscosity(lattice.interpolate(self.physical(action)), SCALES[self.scale])
