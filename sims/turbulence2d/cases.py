"""The cases of Mojgani et al. 2023 (arXiv 2312.00907), dimensionless, on a square of side 2π."""

from dataclasses import dataclass

from ...contracts.errors import InputError


@dataclass(frozen=True)
class Case:
    """Physical constants of a run; docs/physics/turbulence2d.md has the equation.

    `forcing_wavenumber` k_f: F = −k_f [cos(k_f x) + cos(k_f y)], 0 switches the forcing off. `beta`:
    gradient of the planetary vorticity along y. `viscosity` ν and linear `drag` r damp.
    """

    name: str
    forcing_wavenumber: int
    beta: float
    viscosity: float
    drag: float
    description: str


CASES = {
    case.name: case
    for case in (
        Case("k4b0", 4, 0.0, 5e-5, 0.1, "isotropic, large vortices"),
        Case("k4b20", 4, 20.0, 5e-5, 0.1, "zonal jets along x"),
        Case("k25b0", 25, 0.0, 5e-5, 0.1, "inverse cascade, rare strong vortices"),
    )
}


def get_case(name: str) -> Case:
    """Return the case of that name; InputError lists the known ones."""
    try:
        return CASES[name]
    except KeyError:
        raise InputError(f"Unknown turbulence case {name!r}; known cases: {', '.join(CASES)}.") from None
