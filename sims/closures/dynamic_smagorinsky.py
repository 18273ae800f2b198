"""Dynamic Smagorinsky closure: Π = c Δ² rms(|S|) ∇²ω with c = C_s² from the Germano identity."""

from dataclasses import dataclass
from typing import ClassVar

from . import eddy_viscosity, germano
from .flow import Array, Flow, strain_norm


@dataclass(frozen=True)
class Closure:
    """`clipping` is `pointwise` (c ≥ 0) or `none` (c, and so ν_e, may be negative)."""

    clipping: germano.Clipping = "pointwise"

    name: ClassVar[str] = "dynamic_smagorinsky"

    def __post_init__(self):
        germano.check_clipping(self.clipping)

    def coefficient(self, flow: Flow) -> Array:
        """c = C_s², a number."""
        return germano.coefficient(flow, strain_norm, 2, self.clipping)

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        return eddy_viscosity.uniform(flow, self.coefficient(flow) * eddy_viscosity.smagorinsky_scale(flow))
