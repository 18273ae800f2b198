import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.turbulence2d import numpy_solver
from subgrid.sims.turbulence2d.cases import CASES, Case, get_case
from subgrid.sims.turbulence2d.grid import Grid
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import (
    Numerics,
    check_advection,
    check_grid,
    smallest_grid,
    stable_dt,
)


def test_unknown_case_lists_the_known_ones():
    with pytest.raises(InputError, match="k4b0, k4b20, k25b0"):
        get_case("k5b0")


@pytest.mark.parametrize(("n", "dealiasing"), [(50, "none"), (48, "none"), (74, "two_thirds"), (32, "none")])
def test_grid_that_cannot_carry_the_forcing(n, dealiasing):
    with pytest.raises(InputError, match=r"forced at wavenumber 25.*N = 76 with.*N = 52 with"):
        check_grid(get_case("k25b0"), n, Numerics(1e-3, dealiasing=dealiasing))


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_smallest_grid_is_just_enough(case, dealiasing):
    numerics = Numerics(1e-3, dealiasing=dealiasing)
    n = smallest_grid(case.forcing_wavenumber, dealiasing)
    check_grid(case, n, numerics)
    with pytest.raises(InputError):
        check_grid(case, n - 2, numerics)


@pytest.mark.parametrize("n", [33, 2, 0, -4, 32.5])
def test_odd_or_tiny_grid(n):
    with pytest.raises(InputError, match="even"):
        check_grid(get_case("k4b0"), n, Numerics(1e-3))


@pytest.mark.parametrize("dt", [0.0, -1e-3, np.nan, np.inf])
def test_time_step_must_be_positive(dt):
    with pytest.raises(InputError, match="dt"):
        Numerics(dt)


def test_unknown_choices_list_the_known_ones(solver):
    with pytest.raises(InputError, match="ifrk4, ab2cn"):
        Numerics(1e-3, integrator="rk3")
    with pytest.raises(InputError, match="two_thirds, none"):
        Numerics(1e-3, dealiasing="3/2")
    with pytest.raises(InputError, match="float32, float64"):
        solver.make_step(get_case("k4b0"), 32, Numerics(1e-3), precision="bfloat16")


def test_bad_initial_fields(solver):
    numerics = Numerics(1e-3)
    field = random_vorticity(16, seed=0)
    field[3, 5] = np.nan
    with pytest.raises(InputError, match=r"1 values that are not finite, the first at index \(3, 5\)"):
        solver.initial_state(field, numerics)
    with pytest.raises(InputError, match=r"shape \(16, 8\)"):
        solver.initial_state(np.zeros((16, 8)), numerics)


def test_carried_modes_are_symmetric():
    for dealiasing, carried in (("two_thirds", 21), ("none", 31)):
        grid = Grid(64, dealiasing)
        assert grid.carried == carried
        rows = np.rint(grid.ky[grid.row_mask > 0]).astype(int)
        assert sorted(rows) == list(range(-carried, carried + 1))


def peak_after(solver, case, integrator, dealiasing, n, steps):
    numerics = Numerics(stable_dt(case, n, integrator, dealiasing), integrator, dealiasing)
    state = solver.initial_state(5.0 * random_vorticity(n, seed=1, peak_wavenumber=4), numerics)
    return np.abs(solver.vorticity(solver.march(solver.make_step(case, n, numerics), state, steps))).max()


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
@pytest.mark.parametrize("integrator", ["ifrk4", "ab2cn"])
@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_default_time_step_is_stable(case, integrator, dealiasing):
    n = smallest_grid(max(10, case.forcing_wavenumber), dealiasing)
    assert 5.0 < peak_after(numpy_solver, case, integrator, dealiasing, n, 400) < 200.0


@pytest.mark.slow
@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
@pytest.mark.parametrize("integrator", ["ifrk4", "ab2cn"])
@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_default_time_step_is_stable_on_the_attractor(case, integrator, dealiasing):
    time, n = 15.0, 64 if case.forcing_wavenumber < 10 else 96
    steps = round(time / stable_dt(case, n, integrator, dealiasing))
    assert 5.0 < peak_after(numpy_solver, case, integrator, dealiasing, n, steps) < 300.0


@pytest.mark.parametrize(("courant", "stable"), [(2.6, True), (3.2, False)])
def test_advection_limit_is_where_short_waves_start_to_grow(courant, stable):
    # u = A sin y carries short waves along x at up to A; nothing else acts on them.
    n, amplitude, calm = 32, 10.0, Case("calm", 0, 0.0, 0.0, 0.0, "inviscid, unforced")
    numerics = Numerics(courant / (15 * amplitude), "ifrk4", "none")
    y, x = np.meshgrid(*[2.0 * np.pi / n * np.arange(n)] * 2, indexing="ij")
    field = -amplitude * np.cos(y) + 1e-3 * np.cos(15 * x)
    state = numpy_solver.initial_state(field, numerics)
    step = numpy_solver.make_step(calm, n, numerics)
    with np.errstate(all="ignore"):
        end = numpy_solver.vorticity(numpy_solver.march(step, state, 400))
    # Short waves may take up enstrophy from the shear, but the whole is conserved unless steps amplify it.
    assert (np.mean(end**2) < 1.001 * np.mean(field**2)) == stable
    if stable:
        check_advection(n, numerics, amplitude)
    else:
        with pytest.raises(InputError, match=r"reaches 3\.20 .* at most 0\.018\."):
            check_advection(n, numerics, amplitude)
    check_advection(n, Numerics(numerics.dt, "ab2cn", "none"), amplitude)
