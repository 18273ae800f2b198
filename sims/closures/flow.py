"""What a closure sees of a flow: one source for NumPy and JAX, which pass namespace and transforms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Array = Any


@dataclass(frozen=True, eq=False)
class Operators:
    """Array namespace, transforms and wavenumbers of one grid, in the precision of the solver.

    `to_grid`: spectrum (N, K+1) → field (N, N). `to_spectrum`: field (N, N) → spectrum (N, K+1), not
    masked. `to_grids` and `to_spectra` do so for several arrays, which may be cheaper than one by one.
    `kx` (1, K+1), `ky` (N, 1), `k2` and `inverse_k2` (N, K+1, the latter 0 on modes not carried), `mask`
    (N, K+1), 1 on carried modes but the mean.
    `spacing` is Δ = 2π/N.
    """

    xp: Any
    to_grid: Callable[[Array], Array]
    to_spectrum: Callable[[Array], Array]
    to_grids: Callable[..., tuple[Array, ...]]
    to_spectra: Callable[..., tuple[Array, ...]]
    kx: Array
    ky: Array
    k2: Array
    inverse_k2: Array
    mask: Array
    spacing: float


@dataclass(frozen=True, eq=False)
class Flow:
    """An instant of a flow: ω̂ (N, K+1) on carried modes, velocity (u, v) on the grid, (N, N) each."""

    vorticity_hat: Array
    u: Array
    v: Array
    operators: Operators

    @classmethod
    def of(cls, vorticity_hat: Array, operators: Operators) -> "Flow":
        """The flow of a vorticity: û = i ky ω̂/k², v̂ = −i kx ω̂/k²."""
        stream = operators.inverse_k2 * vorticity_hat
        u, v = operators.to_grids(1j * operators.ky * stream, -1j * operators.kx * stream)
        return cls(vorticity_hat, u, v, operators)

    def vorticity(self) -> Array:
        """ω on the grid, (N, N)."""
        return self.operators.to_grid(self.vorticity_hat)

    def filtered(self, row_mask: Array, column_mask: Array) -> "Flow":
        """The flow of the vorticity that two masks of 0 and 1, (N, 1) and (1, K+1), leave."""
        return Flow.of(self.vorticity_hat * (row_mask * column_mask), self.operators)


def gradient(flow: Flow) -> tuple[Array, Array]:
    """(∂ω/∂x, ∂ω/∂y) on the grid."""
    ops = flow.operators
    return ops.to_grids(1j * ops.kx * flow.vorticity_hat, 1j * ops.ky * flow.vorticity_hat)


def gradient_norm(flow: Flow) -> Array:
    """|∇ω| on the grid."""
    along_x, along_y = gradient(flow)
    return flow.operators.xp.sqrt(along_x**2 + along_y**2)


def laplacian(flow: Flow) -> Array:
    """∇²ω on the grid."""
    return flow.operators.to_grid(-flow.operators.k2 * flow.vorticity_hat)


def strain(flow: Flow) -> tuple[Array, Array]:
    """(S11, S12) on the grid: S11 = ∂u/∂x = −S22, S12 = ½(∂u/∂y + ∂v/∂x)."""
    ops = flow.operators
    stream = flow.vorticity_hat * ops.inverse_k2
    return ops.to_grids(-ops.kx * ops.ky * stream, 0.5 * (ops.kx**2 - ops.ky**2) * stream)


def strain_norm(flow: Flow) -> Array:
    """|S| = 2 √(S11² + S12²) on the grid."""
    s11, s12 = strain(flow)
    return 2.0 * flow.operators.xp.sqrt(s11**2 + s12**2)


def mean_square_vorticity(flow: Flow) -> Array:
    """⟨ω²⟩ by Parseval, a number (twice the enstrophy): columns kx > 0 stand for their conjugates too."""
    xp = flow.operators.xp
    squares = xp.real(flow.vorticity_hat) ** 2 + xp.imag(flow.vorticity_hat) ** 2
    points = float(squares.shape[0]) ** 2
    return (2.0 * xp.sum(squares) - xp.sum(squares[:, 0])) / points**2
