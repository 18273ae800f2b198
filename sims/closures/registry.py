"""Closures by name."""

from ...contracts.errors import InputError
from . import dynamic_leith, dynamic_smagorinsky, learned, leith, none, smagorinsky, vortex_sparing

CLOSURES = {
    module.Closure.name: module.Closure
    for module in (
        none,
        smagorinsky,
        leith,
        dynamic_smagorinsky,
        dynamic_leith,
        learned,
        vortex_sparing,
    )
}


def get_closure(name: str, **constants):
    """Build the closure of that name, e.g. get_closure("leith", constant=0.2); InputError lists the known."""
    if name not in CLOSURES:
        raise InputError(f"Unknown closure {name!r}; known closures: {', '.join(CLOSURES)}.")
    known = CLOSURES[name].__dataclass_fields__
    for constant in constants:
        if constant not in known:
            raise InputError(
                f"Closure {name} has no constant {constant!r}; it has: {', '.join(known) or 'none'}."
            )
    if name == "learned" and "apply" not in constants:
        raise InputError(
            "Closure learned needs `apply`, a callable that maps vorticity (N, N) to tendency (N, N)."
        )
    return CLOSURES[name](**constants)
