"""An LES in a Python host: the JAX or the NumPy solver with a closure by name or from a bundle."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from ...contracts.bundle import Bundle
from ...contracts.errors import BlowUpError, FileError
from ...contracts.les_file import BLOWN_UP, COMPLETE, INTERRUPTED, LesWriter, Restart
from ...sims.closures import get_closure
from ...sims.turbulence2d.grid import Grid, contract, expand
from ..progress import Progress
from .setup import LesSetup

IDENTITY = ("grid", "integrator", "dealiasing")


def build_closure(setup: LesSetup):
    """The closure object of the host: a formula by name, or a bundle behind `learned`."""
    if setup.bundle is None:
        constant = {} if setup.closure_constant is None else {"constant": setup.closure_constant}
        return get_closure(setup.closure, **constant)
    return get_closure("learned", apply=_bundle_apply(setup))


def _bundle_apply(setup: LesSetup) -> Callable:
    """`vorticity (n, n) -> tendency (n, n)`, through JAX or, without JAX, through the bridge."""
    bundle, expected = Bundle.open(setup.bundle), (setup.grid, setup.grid)
    if (len(bundle.inputs), len(bundle.outputs)) != (1, 1):
        raise FileError(
            f"{setup.bundle} maps {len(bundle.inputs)} inputs to {len(bundle.outputs)} outputs, expected a "
            "turbulence closure, which maps the vorticity to its tendency; give a bundle of `subgrid train "
            "closure`."
        )
    shape = bundle.inputs[0].shape
    if shape != expected:
        raise FileError(
            f"{setup.bundle} works on a grid of {shape}, the run has {expected}; "
            f"use --grid {shape[0]} or a bundle exported for this grid."
        )

    if setup.host == "jax":
        from ...jax_models.bundle_model import load

        model = load(setup.bundle)
    else:
        from ...fortran_bridge.bundle_runner import BundleModel

        model = BundleModel(setup.bundle, device=setup.device)

    def apply(vorticity):
        (tendency,) = model(vorticity[None].astype(np.float32))
        return tendency[0].astype(vorticity.dtype)

    return apply


def run(
    setup: LesSetup, start: np.ndarray | Restart, writer: LesWriter, progress: Progress
) -> tuple[dict, Restart]:
    """March and write the records; return closing attributes and the restart of the last finite state.

    A blow-up or an interruption ends the march; the attribute `state` says so and nothing is raised.
    """
    solver = import_module(f"...sims.turbulence2d.{setup.host}_solver", __package__)
    step = solver.make_step(setup.flow, setup.grid, setup.numerics, build_closure(setup))
    state, done = _begin(solver, setup, start)
    clock = _Clock.of(start, setup.numerics.dt)
    last, status, began = done + setup.steps, COMPLETE, time.perf_counter()
    extra = {}
    if done == 0:
        writer.append(0.0, np.asarray(solver.vorticity(state)))
    try:
        while done < last:
            count = min(setup.save_every - done % setup.save_every, last - done)
            with np.errstate(over="ignore", invalid="ignore"):  # a blow-up is told below, in one sentence
                ahead = solver.march(step, state, count)
            field = np.asarray(solver.vorticity(ahead))
            if not np.isfinite(field).all():
                status, extra = BLOWN_UP, {"blow_up_time": clock.time(done)}
                break
            state, done = ahead, done + count
            writer.append(clock.time(done), field)
            progress(done, last, enstrophy=0.5 * float((field**2).mean()))
    except KeyboardInterrupt:
        status = INTERRUPTED
    closing = {"state": status, "steps_done": done, "wall_seconds": time.perf_counter() - began, **extra}
    return closing, _restart(setup, state, done, clock.time(done))


@dataclass(frozen=True)
class _Clock:
    """Time of a step: step dt as long as dt is the same since the start, else counted from the restart."""

    origin_step: int
    origin_time: float
    dt: float

    @classmethod
    def of(cls, start: np.ndarray | Restart, dt: float) -> "_Clock":
        if not isinstance(start, Restart) or _same_dt(start, dt):
            return cls(0, 0.0, dt)
        return cls(int(start.attributes["step"]), float(start.attributes["time"]), dt)

    def time(self, step: int) -> float:
        return self.origin_time + (step - self.origin_step) * self.dt


def _same_dt(start: Restart, dt: float) -> bool:
    moment = float(start.attributes["time"])
    return abs(moment - int(start.attributes["step"]) * dt) <= 1e-12 * abs(moment)


def _begin(solver, setup: LesSetup, start):
    if not isinstance(start, Restart):
        return solver.initial_state(start, setup.numerics), 0
    expected = {"grid": setup.grid, "integrator": setup.integrator, "dealiasing": setup.dealiasing}
    for name in IDENTITY:
        if start.attributes[name] != expected[name]:
            raise FileError(
                f"the restart was written with {name} = {start.attributes[name]}, "
                f"the run has {expected[name]}; continue with the same {name}."
            )
    dt = setup.numerics.dt
    if setup.integrator == "ab2cn" and start.attributes["has_previous"] and not _same_dt(start, dt):
        raise FileError(
            f"the restart of t = {start.attributes['time']:.6g} was written "
            f"with another dt than {dt:g}; ab2cn uses the advection of the step before, "
            "so continue with the same dt."
        )
    grid, steps = Grid(setup.grid, setup.dealiasing), int(start.attributes["step"])
    fresh = solver.initial_state(np.zeros((setup.grid, setup.grid)), setup.numerics)
    stored = solver.State(
        contract(start.vorticity_hat, grid),
        contract(start.previous_advection_hat, grid),
        np.int32(steps if start.attributes["has_previous"] else 0),
    )
    # The solver's own arrays (NumPy or JAX) with the stored values, bit for bit.
    return type(fresh)(
        **{name: _like(getattr(fresh, name), value) for name, value in vars(stored).items()}
    ), steps


def _like(array, values):
    return array + values if np.ndim(array) == 0 else array.__array_namespace__().asarray(values)


def _restart(setup: LesSetup, state, done: int, moment: float) -> Restart:
    return Restart(
        expand(np.asarray(state.vorticity_hat), setup.grid),
        expand(np.asarray(state.previous_advection_hat), setup.grid),
        {
            "step": done,
            "time": moment,
            "has_previous": int(state.steps > 0),
            "grid": setup.grid,
            "integrator": setup.integrator,
            "dealiasing": setup.dealiasing,
            "host": setup.host,
        },
    )


def blow_up(closing: dict, output) -> BlowUpError:
    """The error that tells of a blow-up after its output was kept."""
    moment = closing["blow_up_time"]
    return BlowUpError(
        f"the simulation blew up after t = {moment:.6g}; the output up to then is in {output}; "
        "use a smaller --dt, a finer --grid or another --closure.",
        time=moment,
    )
