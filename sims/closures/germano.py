"""The Germano identity in vorticity form, which the dynamic closures take their coefficient from.

    L = (u·∇ω)~ − ũ·∇ω̃          M = Δᵖ (s ∇²ω)~ − (2Δ)ᵖ s̃ ∇²ω̃          c = ⟨LM⟩ / ⟨M²⟩

The test filter (·)~ is the sharp square cut |kx|, |ky| < N/4; s is |S| (p = 2) or |∇ω| (p = 3), s̃ that
of the test-filtered flow. Clipping `pointwise` takes (LM)₊ before averaging, so that c ≥ 0; `none` lets c
be negative.
"""

from collections.abc import Callable
from typing import Literal, get_args

from ...contracts.errors import InputError
from .flow import Array, Flow, gradient, laplacian

Clipping = Literal["pointwise", "none"]


def check_clipping(clipping: str) -> None:
    """Raise InputError unless `clipping` is pointwise or none."""
    if clipping not in get_args(Clipping):
        raise InputError(f"Unknown clipping {clipping!r}; known: {', '.join(get_args(Clipping))}.")


def advection(flow: Flow) -> Array:
    """u·∇ω on the grid, (N, N)."""
    along_x, along_y = gradient(flow)
    return flow.u * along_x + flow.v * along_y


def coefficient(flow: Flow, scale: Callable[[Flow], Array], power: int, clipping: Clipping) -> Array:
    """c = C^p for the width Δ, a number; `scale` gives s of a flow. Zero for a flow at rest (M = 0)."""
    ops = flow.operators
    quarter = ops.ky.shape[0] / 4
    rows = ops.xp.asarray(abs(ops.ky) < quarter, dtype=ops.kx.dtype)
    columns = ops.xp.asarray(abs(ops.kx) < quarter, dtype=ops.kx.dtype)
    coarse = flow.filtered(rows, columns)

    def test_filter(field: Array) -> Array:
        return ops.to_grid(ops.to_spectrum(field) * (rows * columns))

    width = ops.spacing
    resolved = test_filter(advection(flow)) - advection(coarse)
    modelled = width**power * test_filter(scale(flow) * laplacian(flow)) - (2.0 * width) ** power * (
        scale(coarse) * laplacian(coarse)
    )
    products = resolved * modelled
    if clipping == "pointwise":
        products = ops.xp.maximum(products, 0.0)
    squares = ops.xp.mean(modelled**2)
    return ops.xp.mean(products) / ops.xp.where(squares > 0.0, squares, 1.0)
