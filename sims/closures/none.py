"""No closure: Π = 0, as in a DNS."""

from dataclasses import dataclass
from typing import ClassVar

from .flow import Flow


@dataclass(frozen=True)
class Closure:
    """Π̂ = 0."""

    name: ClassVar[str] = "none"

    def __call__(self, flow: Flow) -> float:
        """Zero, which broadcasts to (N, K+1)."""
        return 0.0
