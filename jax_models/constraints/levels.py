"""Hybrid levels as constants of an exported program: pressure and layer mass from surface pressure."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ...contracts.variables import GRAVITY


@dataclass(frozen=True)
class HybridLevels:
    """hyam, hybm: nlev, hyai, hybi: nlev + 1 coefficients, P0 in Pa; hashable, hence static in a module."""

    hyam: tuple[float, ...]
    hybm: tuple[float, ...]
    hyai: tuple[float, ...]
    hybi: tuple[float, ...]
    P0: float = 1e5

    @classmethod
    def of(cls, grid) -> "HybridLevels":
        """From any object with the attributes hyam, hybm, hyai, hybi and P0."""
        parts = (tuple(map(float, getattr(grid, name))) for name in ("hyam", "hybm", "hyai", "hybi"))
        return cls(*parts, P0=float(grid.P0))

    def pressure(self, ps):
        """Midpoint pressure [Pa]: ps (batch, 1) to (batch, nlev)."""
        return _constant(np.multiply(self.hyam, self.P0), ps) + _constant(self.hybm, ps) * ps

    def mass(self, ps):
        """Layer mass Δp/g [kg m-2]: ps (batch, 1) to (batch, nlev)."""
        a, b = np.diff(self.hyai) * self.P0 / GRAVITY, np.diff(self.hybi) / GRAVITY
        return _constant(a, ps) + _constant(b, ps) * ps


def _constant(values, like):
    return jnp.asarray(np.asarray(values), dtype=like.dtype)[None]
