"""Leith closure: Π = ν_e ∇²ω, ν_e = (C_l Δ)³ mean(|∇ω|), one number per instant."""

from dataclasses import dataclass
from typing import ClassVar

from . import eddy_viscosity
from .flow import Array, Flow


@dataclass(frozen=True)
class Closure:
    """`constant` is C_l for the width Δ = 2π/N; Mojgani et al. 2023 use 0.17 and mean, others rms."""

    constant: float = 0.17

    name: ClassVar[str] = "leith"

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        return eddy_viscosity.uniform(flow, self.constant**3 * eddy_viscosity.leith_scale(flow))
