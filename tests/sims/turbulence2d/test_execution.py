"""What must not change the numbers: jit, vmap, splitting a run, a restart; and what float32 may change."""

import subprocess
import sys

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

N = 32
CASE = get_case("k4b20")


@pytest.fixture(params=["ifrk4", "ab2cn"])
def numerics(request):
    return Numerics(1e-3, request.param)


def test_a_split_run_through_numpy_arrays_continues_bit_for_bit(solver, numerics):
    step = solver.make_step(CASE, N, numerics, get_closure("leith"))
    start = solver.initial_state(4 * random_vorticity(N, seed=0), numerics)
    straight = solver.march(step, start, 20)
    half = solver.march(step, start, 10)
    restored = solver.State(
        vorticity_hat=np.array(half.vorticity_hat),
        previous_advection_hat=np.array(half.previous_advection_hat),
        steps=np.array(half.steps) if solver.__name__.endswith("jax_solver") else int(half.steps),
    )
    again = solver.march(solver.make_step(CASE, N, numerics, get_closure("leith")), restored, 10)
    np.testing.assert_array_equal(np.asarray(again.vorticity_hat), np.asarray(straight.vorticity_hat))
    assert int(again.steps) == 20


def test_a_step_leaves_its_input_alone(solver, numerics):
    step = solver.make_step(CASE, N, numerics, get_closure("dynamic_smagorinsky"))
    state = solver.march(step, solver.initial_state(random_vorticity(N, seed=0), numerics), 2)
    before = np.array(state.vorticity_hat), np.array(state.previous_advection_hat)
    first, second = step(state), step(state)
    np.testing.assert_array_equal(np.asarray(state.vorticity_hat), before[0])
    np.testing.assert_array_equal(np.asarray(state.previous_advection_hat), before[1])
    np.testing.assert_array_equal(np.asarray(first.vorticity_hat), np.asarray(second.vorticity_hat))


def test_float32_stays_close_to_float64(solver, numerics):
    field = 4 * random_vorticity(N, seed=0, peak_wavenumber=4)
    ends = []
    for precision in ("float32", "float64"):
        step = solver.make_step(CASE, N, numerics, get_closure("leith"), precision)
        ends.append(solver.march(step, solver.initial_state(field, numerics, precision), 200))
    single, double = (np.asarray(solver.vorticity(s)) for s in ends)
    assert single.dtype == np.float32
    assert ends[0].vorticity_hat.dtype == np.complex64
    assert double.dtype == np.float64
    difference = np.linalg.norm(single - double) / np.linalg.norm(double)
    assert 1e-9 < difference < 1e-4


def test_ensemble_equals_the_loop_over_its_members(numerics):
    jax_solver = pytest.importorskip("subgrid.sims.turbulence2d.jax_solver")
    fields = np.stack([4 * random_vorticity(N, seed) for seed in range(3)])
    step = jax_solver.make_step(CASE, N, numerics, get_closure("dynamic_leith"))
    together = jax_solver.march(step, jax_solver.initial_state(fields, numerics), 10)
    alone = [jax_solver.march(step, jax_solver.initial_state(f, numerics), 10) for f in fields]
    expected = np.stack([np.asarray(jax_solver.vorticity(s)) for s in alone])
    np.testing.assert_allclose(np.asarray(jax_solver.vorticity(together)), expected, atol=1e-12)
    np.testing.assert_array_equal(np.asarray(together.steps), [10, 10, 10])


def test_jit_equals_eager(numerics):
    jax = pytest.importorskip("jax")
    jax_solver = pytest.importorskip("subgrid.sims.turbulence2d.jax_solver")
    step = jax_solver.make_step(CASE, N, numerics, get_closure("smagorinsky"))
    state = jax_solver.initial_state(4 * random_vorticity(N, seed=0), numerics)
    with jax.disable_jit():
        eager = np.asarray(step(state).vorticity_hat)
    np.testing.assert_allclose(
        np.asarray(jax.jit(step)(state).vorticity_hat), eager, atol=1e-14 * np.abs(eager).max()
    )


def test_a_run_can_be_differentiated(numerics):
    jax = pytest.importorskip("jax")
    jax_solver = pytest.importorskip("subgrid.sims.turbulence2d.jax_solver")
    state = jax_solver.initial_state(random_vorticity(16, seed=0, peak_wavenumber=3), numerics)

    def enstrophy_after(constant):
        step = jax_solver.make_step(CASE, 16, numerics, get_closure("leith", constant=constant))
        field = jax_solver.vorticity(jax_solver.march.__wrapped__(step, state, 3))
        return 0.5 * (field**2).mean()

    slope = float(jax.grad(enstrophy_after)(0.2))
    reference = float((enstrophy_after(0.2 + 1e-4) - enstrophy_after(0.2 - 1e-4)) / 2e-4)
    assert slope < 0.0
    assert slope == pytest.approx(reference, rel=1e-4)


def test_float64_without_the_64_bit_mode_is_refused():
    jax = pytest.importorskip("jax")
    jax_solver = pytest.importorskip("subgrid.sims.turbulence2d.jax_solver")
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(InputError, match="jax_enable_x64"):
            jax_solver.initial_state(random_vorticity(N, seed=0), Numerics(1e-3))
    finally:
        jax.config.update("jax_enable_x64", True)


def test_numpy_twin_runs_without_jax():
    code = (
        "import sys; sys.modules['jax'] = None\n"
        "from subgrid.sims.turbulence2d import numpy_solver as s, cases, initial, numerics\n"
        "from subgrid.sims.closures import get_closure\n"
        "n = numerics.Numerics(1e-3)\n"
        "step = s.make_step(cases.get_case('k4b0'), 16, n, get_closure('dynamic_leith'))\n"
        "print(s.march(step, s.initial_state(initial.random_vorticity(16, 0), n), 2).steps)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2", done.stderr
