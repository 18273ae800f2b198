"""Smagorinsky closure: Π = ν_e ∇²ω, ν_e = (C_s Δ)² rms(|S|), one number per instant."""

from dataclasses import dataclass
from typing import ClassVar

from . import eddy_viscosity
from .flow import Array, Flow


@dataclass(frozen=True)
class Closure:
    """`constant` is C_s for the width Δ = 2π/N; Mojgani et al. 2023 use 0.11."""

    constant: float = 0.11

    name: ClassVar[str] = "smagorinsky"

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        return eddy_viscosity.uniform(flow, self.constant**2 * eddy_viscosity.smagorinsky_scale(flow))
