"""Agents on an m × m lattice over the periodic square, and the field that interpolates their values.

Agent (j, i) sits at the grid point (y, x) = (2πj/m, 2πi/m). The field is the periodic cubic spline through
the agents' values, evaluated at the true grid points 2πj/N: continuous in its second derivative, exact for a
constant, linear in the values, so two small matrix products with W, (N, m). With m = N every grid point is an
agent and W is the identity.
"""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import CubicSpline

from ..contracts.errors import InputError


@dataclass(frozen=True)
class Lattice:
    """`agents` m per side of an N × N grid; m divides N."""

    agents: int
    n: int

    def __post_init__(self):
        if self.agents < 1 or self.n % self.agents:
            raise InputError(
                f"A lattice of {self.agents} agents a side does not fit a grid of {self.n} points; take a "
                "divisor of the grid."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(m, m)."""
        return self.agents, self.agents

    @property
    def stride(self) -> int:
        """Grid points between neighbouring agents."""
        return self.n // self.agents

    @cached_property
    def weights(self) -> np.ndarray:
        """W, (N, m)."""
        if self.agents == 1:
            return np.ones((self.n, 1))
        if self.agents == self.n:
            return np.eye(self.n)
        knots = np.linspace(0.0, 2.0 * np.pi, self.agents + 1)
        values = np.eye(self.agents)[np.r_[: self.agents, 0]]
        points = 2.0 * np.pi / self.n * np.arange(self.n)
        return CubicSpline(knots, values, bc_type="periodic")(points)

    def sample(self, field: jax.Array) -> jax.Array:
        """Values at the agents, (..., m, m), of a field (..., N, N)."""
        return field[..., :: self.stride, :: self.stride]

    def interpolate(self, values: jax.Array) -> jax.Array:
        """Field (N, N) through the agents' values (m, m)."""
        if self.agents == self.n:
            return values
        weights = jnp.asarray(self.weights, values.dtype)
        highest = jax.lax.Precision.HIGHEST
        return jnp.einsum("ya,ab,xb->yx", weights, values, weights, precision=highest)
