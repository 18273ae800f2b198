"""Flows without advection: the linear part is exact in space, and exact or of known order in time."""

import numpy as np
import pytest

from subgrid.sims.turbulence2d.cases import Case
from subgrid.sims.turbulence2d.grid import Grid
from subgrid.sims.turbulence2d.initial import taylor_green
from subgrid.sims.turbulence2d.numerics import Numerics

DECAY = Case("decay", 0, 0.0, 2e-3, 0.1, "unforced")


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_decaying_taylor_green_is_exact(solver, dealiasing):
    n, wavenumber, steps = 32, 4, 50
    numerics = Numerics(0.02, "ifrk4", dealiasing)
    start = taylor_green(n, wavenumber, amplitude=7.0)
    state = solver.march(solver.make_step(DECAY, n, numerics), solver.initial_state(start, numerics), steps)
    decay = np.exp(-(2 * DECAY.viscosity * wavenumber**2 + DECAY.drag) * steps * numerics.dt)
    np.testing.assert_allclose(np.asarray(solver.vorticity(state)), decay * start, atol=1e-13 * 7.0)


@pytest.mark.parametrize(("drag", "order"), [(0.0, 2), (0.3, 1)])
def test_decay_under_ab2cn_has_the_order_of_its_parts(solver, drag, order):
    case, wavenumber, time = Case("decay", 0, 0.0, 0.05, drag, "unforced"), 3, 1.0
    start = taylor_green(16, wavenumber)
    errors = []
    for steps in (20, 40):
        numerics = Numerics(time / steps, "ab2cn")
        state = solver.march(
            solver.make_step(case, 16, numerics), solver.initial_state(start, numerics), steps
        )
        exact = np.exp(-(2 * case.viscosity * wavenumber**2 + drag) * time) * start
        errors.append(np.abs(np.asarray(solver.vorticity(state)) - exact).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(("kx", "ky"), [(1, 0), (3, -2), (2, 5)])
def test_rossby_wave_moves_west_at_its_frequency(solver, kx, ky):
    # ω ∝ cos(kx x + ky y + β kx/k² t), i.e. phase speed −β/k² along x.
    case, n, steps = Case("wave", 0, 20.0, 0.0, 0.0, "inviscid"), 32, 37
    numerics = Numerics(0.05, "ifrk4")
    x = Grid(n).x
    phase = kx * x[None, :] + ky * x[:, None]
    state = solver.initial_state(np.cos(phase), numerics)
    state = solver.march(solver.make_step(case, n, numerics), state, steps)
    turned = phase + case.beta * kx / (kx**2 + ky**2) * steps * numerics.dt
    np.testing.assert_allclose(np.asarray(solver.vorticity(state)), np.cos(turned), atol=1e-12)


@pytest.mark.parametrize("integrator", ["ifrk4", "ab2cn"])
def test_steady_forcing_drives_the_laminar_flow(solver, integrator):
    # From rest, F stays parallel to ω until instability: ω̂ = F̂ (1 − e^{ℒt})/(−ℒ).
    case, n, time, steps = Case("laminar", 4, 0.0, 0.02, 0.1, "stable"), 32, 0.5, 500
    numerics = Numerics(time / steps, integrator)
    state = solver.march(
        solver.make_step(case, n, numerics), solver.initial_state(np.zeros((n, n)), numerics), steps
    )
    x, k = Grid(n).x, case.forcing_wavenumber
    damping = case.viscosity * k**2 + case.drag
    shape = -k * (np.cos(k * x)[None, :] + np.cos(k * x)[:, None])
    exact = shape * (1 - np.exp(-damping * time)) / damping
    tolerance = {"ifrk4": 1e-12, "ab2cn": 1e-3}[integrator]
    np.testing.assert_allclose(
        np.asarray(solver.vorticity(state)), exact, atol=tolerance * np.abs(exact).max()
    )
