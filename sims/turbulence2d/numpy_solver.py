"""The NumPy twin of the solver, for machines without JAX; the names and numbers of jax_solver.py.

    step = make_step(get_case("k4b0"), 64, numerics, closure=get_closure("leith"))
    state = march(step, initial_state(random_vorticity(64, seed=0), numerics), 1000)

docs/physics/turbulence2d.md defines every term. Transforms are pruned to the carried columns and work
arrays are allocated once per step function, so one step function serves one thread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..closures import Flow, none
from .cases import Case
from .grid import Grid, contract, linear_operator
from .initial import check_vorticity
from .numerics import Numerics, Precision, check_grid, check_precision
from .numpy_tendency import Tendency, make_operators, to_grid

__all__ = ["State", "initial_state", "make_operators", "make_step", "march", "to_grid", "vorticity"]


@dataclass(frozen=True)
class State:
    """What a run continues from.

    `vorticity_hat` ω̂ and `previous_advection_hat` Â⁻ (used by `ab2cn` only): (N, K+1), complex,
    dimensionless, the carried columns kx = 0…K of the unnormalised real transform (grid.py). `steps`:
    steps taken; Â⁻ is valid when it is positive. A step never writes into the state that it is given.
    """

    vorticity_hat: np.ndarray
    previous_advection_hat: np.ndarray
    steps: int


Step = Callable[[State], State]


def initial_state(vorticity, numerics: Numerics, precision: Precision = "float64") -> State:
    """State of a vorticity field (N, N) in physical space at step 0; its mean is removed, so are modes
    not carried.

    InputError: a field that is not finite, not square, or odd.
    """
    check_precision(precision)
    field = check_vorticity(vorticity).astype(np.float64)
    grid = Grid(field.shape[-1], numerics.dealiasing)
    spectrum = contract(np.fft.rfft2(field), grid).astype(np.result_type(precision, np.complex64))
    return State(spectrum, np.zeros_like(spectrum), 0)


def vorticity(state: State) -> np.ndarray:
    """ω on the grid, (N, N) as [j, i]."""
    return to_grid(state.vorticity_hat)


def make_step(
    case: Case,
    n: int,
    numerics: Numerics,
    closure: Callable[[Flow], np.ndarray] = none.Closure(),  # noqa: B008 (frozen)
    precision: Precision = "float64",
) -> Step:
    """Return step(state) -> state on an N × N grid; InputError: the grid cannot carry the forcing."""
    check_grid(case, n, numerics)
    check_precision(precision)
    grid = Grid(n, numerics.dealiasing)
    tendency = Tendency(case, grid, numerics, closure, np.dtype(precision))
    maker = {"ifrk4": _make_ifrk4, "ab2cn": _make_ab2cn}[numerics.integrator]
    return maker(case, grid, numerics.dt, tendency)


def _make_ifrk4(case: Case, grid: Grid, dt: float, tendency: Tendency) -> Step:
    """Classical RK4 on e^{−ℒt} ω̂: the linear part is exact."""
    kind = tendency.inputs.dtype
    half = (np.exp(0.5 * dt * linear_operator(grid, case)) * grid.mask).astype(kind)
    slope, stage, halfway = (np.empty(grid.spectral_shape, kind) for _ in range(3))

    def step(state: State) -> State:
        start = state.vorticity_hat
        tendency(start, out=slope)  # a
        new = (dt / 6.0) * slope
        new += start
        new *= half
        np.multiply(slope, 0.5 * dt, out=stage)
        stage.__iadd__(start).__imul__(half)
        tendency(stage, out=slope)  # b
        np.multiply(start, half, out=halfway)
        np.multiply(slope, 0.5 * dt, out=stage)
        stage.__iadd__(halfway)
        slope.__imul__(dt / 3.0)
        new += slope
        tendency(stage, out=slope)  # c
        np.multiply(slope, dt, out=stage)
        stage.__iadd__(halfway).__imul__(half)
        slope.__imul__(dt / 3.0)
        new += slope
        new *= half
        tendency(stage, out=slope)  # d
        slope.__imul__(dt / 6.0)
        new += slope
        return State(new, state.previous_advection_hat, state.steps + 1)

    return step


def _make_ab2cn(case: Case, grid: Grid, dt: float, tendency: Tendency) -> Step:
    """Adams-Bashforth 2 for advection, Crank-Nicolson for viscosity, backward Euler for drag, else Euler."""
    kind = tendency.inputs.dtype
    viscous = 0.5 * dt * case.viscosity * grid.k2
    inverse = grid.mask / (1.0 + dt * case.drag + viscous)
    rossby = 1j * dt * case.beta * grid.kx * grid.inverse_k2
    keep = (inverse * (1.0 - viscous + rossby)).astype(kind)
    gain = (dt * inverse).astype(kind)
    explicit = np.empty(grid.spectral_shape, kind)

    def step(state: State) -> State:
        now = np.empty(grid.spectral_shape, kind)
        flow = tendency.advection(state.vorticity_hat, out=now)
        if state.steps:
            np.multiply(now, 3.0, out=explicit)
            np.subtract(explicit, state.previous_advection_hat, out=explicit)
            explicit.__imul__(0.5)
        else:
            np.copyto(explicit, now)
        tendency.add_sources(flow, explicit)
        explicit.__imul__(gain)
        new = state.vorticity_hat * keep
        new += explicit
        return State(new, now, state.steps + 1)

    return step


def march(step: Step, state: State, steps: int) -> State:
    """Take `steps` steps."""
    for _ in range(steps):
        state = step(state)
    return state
