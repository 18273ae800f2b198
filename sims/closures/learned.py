"""Learned closure: a callable turns ω on the grid into Π on the grid, wherever it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from .flow import Array, Flow


@dataclass(frozen=True)
class Closure:
    """`apply` maps vorticity (N, N) to tendency (N, N): any callable for a NumPy host, a traceable one
    for JAX.

    It may compute in another precision; its result is cast to the solver's.
    """

    apply: Callable[[Array], Array]

    name: ClassVar[str] = "learned"

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1), on carried modes."""
        ops = flow.operators
        vorticity = flow.vorticity()
        tendency = ops.xp.asarray(self.apply(vorticity), dtype=vorticity.dtype)
        return ops.mask * ops.to_spectrum(tendency)
