"""The JAX twin of the solver: pure functions on a pytree state, for one flow or an ensemble, on CPU or GPU.

    case, numerics = get_case("k4b0"), Numerics(dt=5e-3)
    state = initial_state(random_vorticity(64, seed=0), numerics)
    step = make_step(case, 64, numerics, closure=get_closure("leith"))
    state = march(step, state, 1000)
    field = vorticity(state)

docs/physics/turbulence2d.md defines every term; numpy_solver.py has the same names and the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ...contracts.errors import InputError
from ..closures import Flow, Operators, none
from . import transforms
from .cases import Case
from .grid import Grid, contract, forcing_hat, linear_operator
from .initial import check_vorticity
from .numerics import Numerics, Precision, check_grid, check_precision


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """What a run continues from; leading axes, the same in every field, make an ensemble.

    `vorticity_hat` ω̂ and `previous_advection_hat` Â⁻ (used by `ab2cn` only): (..., N, K+1), complex,
    dimensionless, the carried columns kx = 0…K of the unnormalised real transform (grid.py). `steps`:
    (...), int32, steps taken; Â⁻ is valid when it is positive. All three turn into NumPy arrays and back
    without change.
    """

    vorticity_hat: jax.Array
    previous_advection_hat: jax.Array
    steps: jax.Array


Step = Callable[[State], State]

STACKED_GRID = 64
"""Up to this N a CPU transforms several fields at once, to save launches; larger stacks leave its cache.
An accelerator always does."""


def _real_kind(precision: Precision) -> np.dtype:
    check_precision(precision)
    if precision == "float64" and not jax.config.jax_enable_x64:
        raise InputError(
            "Precision float64 needs the 64-bit mode of JAX, which is off; call "
            'jax.config.update("jax_enable_x64", True) before the first array, or take precision float32.'
        )
    return np.dtype(precision)


def initial_state(vorticity, numerics: Numerics, precision: Precision = "float64") -> State:
    """State of a vorticity field (..., N, N) in physical space at step 0; its mean is removed, so are
    modes not carried.

    InputError: a field that is not finite, not square, or odd.
    """
    field = check_vorticity(vorticity).astype(np.float64)
    kind = np.result_type(_real_kind(precision), np.complex64)
    grid = Grid(field.shape[-1], numerics.dealiasing)
    spectrum = contract(np.fft.rfft2(field), grid).astype(kind)
    return State(
        vorticity_hat=jnp.asarray(spectrum),
        previous_advection_hat=jnp.zeros_like(spectrum),
        steps=jnp.zeros(field.shape[:-2], dtype=jnp.int32),
    )


def vorticity(state: State) -> jax.Array:
    """ω on the grid, (..., N, N) as [j, i]."""
    return transforms.to_grid(state.vorticity_hat)


def make_operators(grid: Grid, kind: np.dtype) -> Operators:
    """Transforms and wavenumbers that a closure sees, in the real kind `kind`."""
    to_spectrum = partial(transforms.to_spectrum, columns=grid.carried + 1)

    def each(transform):
        if grid.n <= STACKED_GRID or jax.default_backend() != "cpu":
            return lambda *arrays: tuple(transform(jnp.stack(arrays)))
        return lambda *arrays: tuple(map(transform, arrays))

    return Operators(
        xp=jnp,
        to_grid=transforms.to_grid,
        to_spectrum=to_spectrum,
        to_grids=each(transforms.to_grid),
        to_spectra=each(to_spectrum),
        kx=jnp.asarray(grid.kx, dtype=kind),
        ky=jnp.asarray(grid.ky, dtype=kind),
        k2=jnp.asarray(grid.k2, dtype=kind),
        inverse_k2=jnp.asarray(grid.inverse_k2, dtype=kind),
        mask=jnp.asarray(grid.mask, dtype=kind),
        spacing=float(grid.spacing),
    )


def _basdevant(flow: Flow) -> jax.Array:
    """Â = (kx² − ky²) (uv)^ + kx ky (v² − u²)^: with the two transforms of u and v, four in all."""
    ops, u, v = flow.operators, flow.u, flow.v
    cross, difference = ops.to_spectra(u * v, (v - u) * (v + u))
    return ops.mask * ((ops.kx**2 - ops.ky**2) * cross + ops.kx * ops.ky * difference)


def _skew_symmetric(flow: Flow) -> jax.Array:
    """Â of −½ [∇·(uω) + u·∇ω], which conserves enstrophy in spite of aliasing."""
    ops, u, v = flow.operators, flow.u, flow.v
    hat = flow.vorticity_hat
    omega, along_x, along_y = ops.to_grids(hat, 1j * ops.kx * hat, 1j * ops.ky * hat)
    flux_x, flux_y, transport = ops.to_spectra(u * omega, v * omega, u * along_x + v * along_y)
    return -0.5 * ops.mask * (1j * ops.kx * flux_x + 1j * ops.ky * flux_y + transport)


ADVECTION = {"two_thirds": _basdevant, "none": _skew_symmetric}


def make_step(
    case: Case,
    n: int,
    numerics: Numerics,
    closure: Callable[[Flow], jax.Array] = none.Closure(),  # noqa: B008 (frozen)
    precision: Precision = "float64",
) -> Step:
    """Return the pure function step(state) -> state of one time step on an N × N grid.

    It takes a state of one flow; `march` maps it over an ensemble. InputError: the grid cannot carry the
    forcing.
    """
    check_grid(case, n, numerics)
    grid = Grid(n, numerics.dealiasing)
    maker = {"ifrk4": _make_ifrk4, "ab2cn": _make_ab2cn}[numerics.integrator]
    return maker(case, grid, numerics, closure, _real_kind(precision))


def _make_ifrk4(case: Case, grid: Grid, numerics: Numerics, closure, kind: np.dtype) -> Step:
    """Classical RK4 on e^{−ℒt} ω̂: the linear part is exact."""
    dt, ops, advection = numerics.dt, make_operators(grid, kind), ADVECTION[numerics.dealiasing]
    half_factor = np.exp(0.5 * dt * linear_operator(grid, case)) * grid.mask
    half = jnp.asarray(half_factor, dtype=np.result_type(kind, np.complex64) if case.beta else kind)
    forcing = jnp.asarray(forcing_hat(grid, case), dtype=kind)

    def tendency(vorticity_hat: jax.Array) -> jax.Array:
        flow = Flow.of(vorticity_hat, ops)
        return advection(flow) + forcing + closure(flow)

    def step(state: State) -> State:
        start = state.vorticity_hat
        a = tendency(start)
        b = tendency(half * (start + 0.5 * dt * a))
        c = tendency(half * start + 0.5 * dt * b)
        d = tendency(half * (half * start + dt * c))
        new = half * (half * (start + dt / 6.0 * a) + dt / 3.0 * (b + c)) + dt / 6.0 * d
        return State(new, state.previous_advection_hat, state.steps + 1)

    return step


def _make_ab2cn(case: Case, grid: Grid, numerics: Numerics, closure, kind: np.dtype) -> Step:
    """Adams-Bashforth 2 for advection, Crank-Nicolson for viscosity, backward Euler for drag, else Euler."""
    dt, ops, advection = numerics.dt, make_operators(grid, kind), ADVECTION[numerics.dealiasing]
    viscous = 0.5 * dt * case.viscosity * grid.k2
    inverse = grid.mask / (1.0 + dt * case.drag + viscous)
    keep_factor = inverse * (1.0 - viscous)
    if case.beta:
        keep_factor = keep_factor + inverse * (1j * dt * case.beta * grid.kx * grid.inverse_k2)
    keep = jnp.asarray(keep_factor, dtype=np.result_type(kind, np.complex64) if case.beta else kind)
    gain = jnp.asarray(dt * inverse, dtype=kind)
    forcing = jnp.asarray(forcing_hat(grid, case), dtype=kind)

    def step(state: State) -> State:
        started = state.steps > 0
        newer = jnp.where(started, 1.5, 1.0).astype(kind)
        older = jnp.where(started, 0.5, 0.0).astype(kind)
        flow = Flow.of(state.vorticity_hat, ops)
        now = advection(flow)
        explicit = newer * now - older * state.previous_advection_hat + forcing + closure(flow)
        return State(keep * state.vorticity_hat + gain * explicit, now, state.steps + 1)

    return step


@partial(jax.jit, static_argnames=("step", "steps"))
def march(step: Step, state: State, steps: int) -> State:
    """Take `steps` steps in one compiled loop; a state with leading axes marches as an ensemble.

    Compiles once for each `step` function, number of steps and shape of the state.
    """
    for _ in range(state.steps.ndim):
        step = jax.vmap(step)
    return jax.lax.scan(lambda carry, _: (step(carry), None), state, length=steps)[0]
