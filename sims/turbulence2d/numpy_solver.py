"""The NumPy twin of the solver, for hosts and machines without JAX; the same names and numbers as
jax_solver.py.

    step = make_step(get_case("k4b0"), 64, numerics, closure=get_closure("leith"))
    state = march(step, initial_state(random_vorticity(64, seed=0), numerics), 1000)

docs/physics/turbulence2d.md defines every term. Transforms are pruned to the carried columns and work
arrays are allocated once per step function, so one step function serves one thread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..closures import Flow, Operators, none
from .cases import Case
from .grid import Grid, contract, forcing_hat, linear_operator
from .initial import check_vorticity
from .numerics import Numerics, Precision, check_grid, check_precision


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


def to_grid(spectrum: np.ndarray) -> np.ndarray:
    """Field (N, N) of a spectrum (N, K+1)."""
    n = spectrum.shape[-2]
    return np.fft.irfft(np.fft.ifft(spectrum, axis=-2), n=n, axis=-1)


def vorticity(state: State) -> np.ndarray:
    """ω on the grid, (N, N) as [j, i]."""
    return to_grid(state.vorticity_hat)


def make_operators(grid: Grid, kind: np.dtype) -> Operators:
    """Transforms and wavenumbers that a closure sees, in the real kind `kind`."""
    columns = grid.carried + 1
    return Operators(
        xp=np,
        to_grid=to_grid,
        to_spectrum=lambda field: np.fft.fft(np.fft.rfft(field, axis=-1)[..., :columns], axis=-2),
        kx=grid.kx.astype(kind),
        ky=grid.ky.astype(kind),
        k2=grid.k2.astype(kind),
        inverse_k2=grid.inverse_k2.astype(kind),
        mask=grid.mask.astype(kind),
        spacing=float(grid.spacing),
    )


class _Basdevant:
    """Â = (kx² − ky²) (uv)^ + kx ky (v² − u²)^ from û = i ky ω̂/k² and v̂ = −i kx ω̂/k²."""

    @staticmethod
    def inputs(grid: Grid) -> list[np.ndarray]:
        return [1j * grid.ky * grid.inverse_k2, -1j * grid.kx * grid.inverse_k2]

    @staticmethod
    def outputs(grid: Grid) -> list[np.ndarray]:
        return [(grid.kx**2 - grid.ky**2) * grid.mask, grid.kx * grid.ky * grid.mask]

    @staticmethod
    def multiply(fields: np.ndarray, products: np.ndarray, scratch: np.ndarray) -> None:
        u, v = fields
        np.multiply(u, v, out=products[0])
        np.add(v, u, out=scratch)
        np.subtract(v, u, out=products[1])
        products[1] *= scratch


class _SkewSymmetric:
    """Â of −½ [∇·(uω) + u·∇ω], which conserves enstrophy in spite of aliasing."""

    @staticmethod
    def inputs(grid: Grid) -> list[np.ndarray]:
        gradient = [grid.mask, 1j * grid.kx * grid.mask, 1j * grid.ky * grid.mask]
        return _Basdevant.inputs(grid) + gradient

    @staticmethod
    def outputs(grid: Grid) -> list[np.ndarray]:
        return [-0.5j * grid.kx * grid.mask, -0.5j * grid.ky * grid.mask, -0.5 * grid.mask]

    @staticmethod
    def multiply(fields: np.ndarray, products: np.ndarray, scratch: np.ndarray) -> None:
        u, v, omega, along_x, along_y = fields
        np.multiply(u, omega, out=products[0])
        np.multiply(v, omega, out=products[1])
        np.multiply(u, along_x, out=products[2])
        np.multiply(v, along_y, out=scratch)
        products[2] += scratch


ADVECTION = {"two_thirds": _Basdevant, "none": _SkewSymmetric}


class _Tendency:
    """ω̂ → Â, F̂ and Π̂ with work arrays that live as long as the step function."""

    def __init__(self, case: Case, grid: Grid, numerics: Numerics, closure, kind: np.dtype):
        form = ADVECTION[numerics.dealiasing]
        complex_kind = np.result_type(kind, np.complex64)
        self.multiply, self.closure, self.operators = form.multiply, closure, make_operators(grid, kind)
        self.n, columns = grid.n, grid.carried + 1
        self.inputs = np.stack(form.inputs(grid)).astype(complex_kind)
        self.outputs = np.stack(form.outputs(grid)).astype(complex_kind)
        half = self.n // 2 + 1
        self.input_hat = np.zeros(
            (len(self.inputs), self.n, half), complex_kind
        )  # columns beyond K stay zero
        self.output_hat = np.empty((len(self.outputs), self.n, half), complex_kind)
        self.input_carried = self.input_hat[:, :, :columns]
        self.output_carried = self.output_hat[:, :, :columns]
        self.fields = np.empty((len(self.inputs), self.n, self.n), kind)
        self.products = np.empty((len(self.outputs), self.n, self.n), kind)
        self.scratch = np.empty((self.n, self.n), kind)
        forcing = forcing_hat(grid, case)
        self.forced = np.nonzero(forcing)
        self.forcing = forcing[self.forced].astype(kind)

    def advection(self, vorticity_hat: np.ndarray, out: np.ndarray) -> Flow:
        """Write Â into `out` and return the flow, whose arrays are valid until the next call."""
        np.multiply(self.inputs, vorticity_hat, out=self.input_carried)
        np.fft.ifft(self.input_carried, axis=1, out=self.input_carried)
        np.fft.irfft(self.input_hat, n=self.n, axis=2, out=self.fields)
        self.multiply(self.fields, self.products, self.scratch)
        np.fft.rfft(self.products, axis=2, out=self.output_hat)
        np.fft.fft(self.output_carried, axis=1, out=self.output_carried)
        np.multiply(self.output_carried, self.outputs, out=self.output_carried)
        np.sum(self.output_carried, axis=0, out=out)
        return Flow(vorticity_hat, self.fields[0], self.fields[1], self.operators)

    def add_sources(self, flow: Flow, out: np.ndarray) -> None:
        """Add F̂ + Π̂ to `out`."""
        out[self.forced] += self.forcing
        out += self.closure(flow)

    def __call__(self, vorticity_hat: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write 𝒩 = Â + F̂ + Π̂ into `out` and return it."""
        self.add_sources(self.advection(vorticity_hat, out), out)
        return out


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
    tendency = _Tendency(case, grid, numerics, closure, np.dtype(precision))
    maker = {"ifrk4": _make_ifrk4, "ab2cn": _make_ab2cn}[numerics.integrator]
    return maker(case, grid, numerics.dt, tendency)


def _make_ifrk4(case: Case, grid: Grid, dt: float, tendency: _Tendency) -> Step:
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


def _make_ab2cn(case: Case, grid: Grid, dt: float, tendency: _Tendency) -> Step:
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
