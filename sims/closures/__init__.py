"""Turbulence closures, one per file; every file exports `Closure`, whose instances map a `Flow` to Π̂."""

from .flow import Flow, Operators
from .registry import CLOSURES, get_closure

__all__ = ["CLOSURES", "Flow", "Operators", "get_closure"]
