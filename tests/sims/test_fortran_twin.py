"""The Fortran twin marches 500 steps beside the NumPy and JAX solvers from one turbulent field."""

from functools import cache
from importlib import import_module

import numpy as np
import pytest

from subgrid.contracts.les_file import read_output, read_restart, write_field
from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.grid import Grid, contract
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

STEPS = 500
TOLERANCE = 1e-10
DT = {"ifrk4": 2e-3, "ab2cn": 5e-4}
INTEGRATORS = tuple(DT)
CLOSURES = ("none", "smagorinsky", "leith")
GRIDS = {"k4b0": 64, "k4b20": 64, "k25b0": 96}
UNDEALIASED_GRID = 64


@cache
def turbulent_field(case: str, n: int) -> np.ndarray:
    """A field of all scales: random phases, then 200 steps of the flow itself."""
    solver = import_module("subgrid.sims.turbulence2d.numpy_solver")
    numerics = Numerics(dt=DT["ifrk4"])
    step = solver.make_step(get_case(case), n, numerics, get_closure("leith"))
    state = solver.march(step, solver.initial_state(3.0 * random_vorticity(n, seed=1), numerics), 200)
    return solver.vorticity(state)


def march(solver_name: str, case: str, start: np.ndarray, numerics: Numerics, closure: str) -> np.ndarray:
    solver = import_module(f"subgrid.sims.turbulence2d.{solver_name}_solver")
    step = solver.make_step(get_case(case), start.shape[0], numerics, get_closure(closure))
    return np.asarray(solver.vorticity(solver.march(step, solver.initial_state(start, numerics), STEPS)))


def assert_twins(subgrid_les, folder, solver_name, case, integrator, dealiasing, closure):
    flow, numerics = get_case(case), Numerics(DT[integrator], integrator, dealiasing)
    grid = GRIDS[case] if dealiasing == "two_thirds" else UNDEALIASED_GRID
    start = turbulent_field(case if grid == GRIDS[case] else "k4b0", grid)
    write_field(folder / "start.nc", start)
    result = subgrid_les(
        folder,
        n=grid,
        forcing_wavenumber=flow.forcing_wavenumber,
        beta=flow.beta,
        viscosity=flow.viscosity,
        drag=flow.drag,
        dt=numerics.dt,
        steps=STEPS,
        save_every=STEPS,
        integrator=integrator,
        dealiasing=dealiasing,
        closure=closure,
        initial_file=folder / "start.nc",
        output_file=folder / "output.nc",
    )
    assert result.returncode == 0, result.stderr
    output = read_output(folder / "output.nc")
    expected = march(solver_name, case, start, numerics, closure)
    assert np.abs(expected - start).max() > 0.1 * np.abs(start).max()  # the flow did move
    difference = np.linalg.norm(output.vorticity[-1] - expected) / np.linalg.norm(expected)
    assert difference <= TOLERANCE
    assert output.time[-1] == pytest.approx(STEPS * numerics.dt)


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("case", GRIDS)
def test_fortran_agrees_with_numpy(subgrid_les, tmp_path, case, integrator, closure):
    assert_twins(subgrid_les, tmp_path, "numpy", case, integrator, "two_thirds", closure)


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_fortran_agrees_with_numpy_without_dealiasing(subgrid_les, tmp_path, integrator, closure):
    assert_twins(subgrid_les, tmp_path, "numpy", "k4b20", integrator, "none", closure)


@pytest.mark.slow
@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("case", ["k4b0", "k25b0"])
def test_fortran_agrees_with_numpy_without_dealiasing_in_every_case(
    subgrid_les, tmp_path, case, integrator, closure
):
    assert_twins(subgrid_les, tmp_path, "numpy", case, integrator, "none", closure)


@pytest.mark.parametrize(("integrator", "dealiasing"), [("ifrk4", "two_thirds"), ("ab2cn", "none")])
def test_fortran_agrees_with_jax(subgrid_les, tmp_path, integrator, dealiasing):
    assert_twins(subgrid_les, tmp_path, "jax", "k4b20", integrator, dealiasing, "leith")


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_numpy_continues_what_fortran_began(subgrid_les, tmp_path, integrator):
    """The restart files of the hosts are one format, the advection of the step before included."""
    flow, numerics = get_case("k4b20"), Numerics(DT[integrator], integrator)
    start = turbulent_field("k4b20", 64)
    write_field(tmp_path / "start.nc", start)
    result = subgrid_les(
        tmp_path,
        n=64,
        forcing_wavenumber=flow.forcing_wavenumber,
        beta=flow.beta,
        viscosity=flow.viscosity,
        drag=flow.drag,
        dt=numerics.dt,
        steps=STEPS // 2,
        save_every=STEPS,
        integrator=integrator,
        initial_file=tmp_path / "start.nc",
        output_file=tmp_path / "output.nc",
        restart_output_file=tmp_path / "restart.nc",
    )
    assert result.returncode == 0, result.stderr
    restart = read_restart(tmp_path / "restart.nc")
    solver = import_module("subgrid.sims.turbulence2d.numpy_solver")
    grid = Grid(64, numerics.dealiasing)
    state = solver.State(
        contract(restart.vorticity_hat, grid),
        contract(restart.previous_advection_hat, grid),
        int(restart.attributes["step"]),
    )
    step = solver.make_step(flow, 64, numerics, get_closure("none"))
    continued = solver.vorticity(solver.march(step, state, STEPS // 2))
    expected = march("numpy", "k4b20", start, numerics, "none")
    assert np.linalg.norm(continued - expected) <= TOLERANCE * np.linalg.norm(expected)
