"""Numerical choices of a run, the check that a grid carries the forcing, and a time step that is stable."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ...contracts.errors import InputError
from .cases import Case

Integrator = Literal["ifrk4", "ab2cn"]
Dealiasing = Literal["two_thirds", "none"]
Precision = Literal["float32", "float64"]


@dataclass(frozen=True)
class Numerics:
    """Time step `dt` (dimensionless time), time integrator and dealiasing rule."""

    dt: float
    integrator: Integrator = "ifrk4"
    dealiasing: Dealiasing = "two_thirds"

    def __post_init__(self):
        if not (math.isfinite(self.dt) and self.dt > 0.0):
            raise InputError(f"The time step dt is {self.dt}; it must be a positive number.")
        check_choice("integrator", self.integrator, get_args(Integrator))
        check_choice("dealiasing", self.dealiasing, get_args(Dealiasing))


def check_choice(what: str, found: str, known: tuple[str, ...]) -> None:
    """Raise InputError that lists the known values unless `found` is one of them."""
    if found not in known:
        raise InputError(f"Unknown {what} {found!r}; known: {', '.join(known)}.")


def check_precision(precision: str) -> None:
    """Raise InputError unless `precision` is float32 or float64."""
    check_choice("precision", precision, get_args(Precision))


def carried_wavenumber(n: int, dealiasing: Dealiasing) -> int:
    """Largest carried wavenumber K of each direction: ⌊(N−1)/3⌋ with dealiasing, N/2 − 1 without."""
    check_choice("dealiasing", dealiasing, get_args(Dealiasing))
    return (n - 1) // 3 if dealiasing == "two_thirds" else n // 2 - 1


def smallest_grid(wavenumber: int, dealiasing: Dealiasing) -> int:
    """Smallest even N (≥ 4) that carries `wavenumber`: N ≥ 3k + 1 with dealiasing, N > 2k without."""
    least = 3 * wavenumber + 1 if dealiasing == "two_thirds" else 2 * wavenumber + 2
    return max(4, least + least % 2)


def check_points(n: int) -> None:
    """Raise InputError unless `n` is an even integer of at least 4."""
    if int(n) != n or n < 4 or n % 2:
        raise InputError(f"The grid has N = {n} points a side; N must be even and at least 4.")


def check_grid(case: Case, n: int, numerics: Numerics) -> None:
    """Raise InputError when an N × N grid cannot carry the forcing of `case`, or N is odd or too small."""
    check_points(n)
    carried = carried_wavenumber(n, numerics.dealiasing)
    if case.forcing_wavenumber > carried:
        least = {rule: smallest_grid(case.forcing_wavenumber, rule) for rule in get_args(Dealiasing)}
        raise InputError(
            f"Case {case.name} is forced at wavenumber {case.forcing_wavenumber}, but N = {n} with "
            f"dealiasing {numerics.dealiasing} carries wavenumbers up to {carried}; the smallest grid is "
            f"N = {least['two_thirds']} with dealiasing two_thirds and N = {least['none']} with none."
        )


RUNGE_KUTTA_LIMIT = 2.0 * math.sqrt(2.0)
"""Of the classical scheme: the largest dt λ at which an oscillation of frequency λ does not grow."""


def longest_step(n: int, dealiasing: Dealiasing, speed: float) -> float:
    """2√2 / (K (|u| + |v|)), the longest time step with which `ifrk4` carries the shortest waves."""
    return RUNGE_KUTTA_LIMIT / (carried_wavenumber(n, dealiasing) * speed)


def check_advection(n: int, numerics: Numerics, speed: float) -> None:
    """Raise InputError when the time step of `ifrk4` is too long for `speed` = max(|u| + |v|); `stable_dt`
    says what limits `ab2cn`."""
    longest = longest_step(n, numerics.dealiasing, speed)
    courant = RUNGE_KUTTA_LIMIT * numerics.dt / longest
    if numerics.integrator == "ifrk4" and numerics.dt > longest:
        # Two digits, cut: rounded up, the step would be refused again.
        digit = 10.0 ** (math.floor(math.log10(longest)) - 1)
        raise InputError(
            f"With dt = {numerics.dt:g} on N = {n}, dt K (|u| + |v|) reaches {courant:.2f} in the fastest "
            f"state (|u| + |v| = {speed:.3g}), but ifrk4 is stable up to {RUNGE_KUTTA_LIMIT:.2f}; take a "
            f"time step of at most {math.floor(longest / digit) * digit:.2g}."
        )


def stable_dt(case: Case, n: int, integrator: Integrator, dealiasing: Dealiasing = "two_thirds") -> float:
    """Default time step of a case on an N × N grid, stable on the attractor without a closure.

    - `ifrk4`: 4e-4 at K = 341 (N = 1024, dealiased) is stable in all cases. Advection limits dt·u·K, so
      dt ∝ 1/K, and not above 5e-3, which resolves the turnover of the strongest vortices (|ω| ≈ 100).
    - `ab2cn`: 5e-5 at K = 341 (the β case blows up at 1e-4). AB2 amplifies a wave of frequency λ at the
      rate λ⁴Δt³/4, viscosity damps it at νk²; with λ = uk the limit is dt ∝ K^(−2/3). Not above 5e-4, and
      with β not above r/β², for forward Euler amplifies the gravest Rossby wave at the rate β²Δt/2 and
      drag damps at r.
    """
    check_points(n)
    check_choice("integrator", integrator, get_args(Integrator))
    coarser = 341 / carried_wavenumber(n, dealiasing)
    if integrator == "ifrk4":
        return min(5e-3, 4e-4 * coarser)
    dt = min(5e-4, 5e-5 * coarser ** (2 / 3))
    return min(dt, case.drag / case.beta**2) if case.beta and case.drag else dt
