"""Energy and enstrophy budgets of forced runs: d/dt = injection − loss to viscosity and drag."""

import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d import numpy_solver
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.grid import Grid, forcing_hat
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

CASE = get_case("k4b0")


class Terms:
    """Reads the terms of both budgets from a state; row 0 is the enstrophy ½⟨ω²⟩, row 1 the energy ½⟨u²⟩."""

    def __init__(self, n, inner):
        self.grid, self.inner = Grid(n), inner
        self.forcing = forcing_hat(self.grid, CASE)

    def stock(self, hat):
        return 0.5 * np.array([self.inner(hat, hat), self.inner(self.grid.inverse_k2 * hat, hat)])

    def rate(self, hat, tendency):
        return np.array([self.inner(hat, tendency), self.inner(self.grid.inverse_k2 * hat, tendency)])

    def injection(self, hat):
        return self.rate(hat, self.forcing)

    def loss(self, hat):
        return self.rate(hat, (CASE.viscosity * self.grid.k2 + CASE.drag) * hat)


def averages(n, inner, spin_up, samples, closure, every=1):
    """Mean injection, mean loss, and mean rate of change of the stocks over a run."""
    numerics = Numerics(4e-3)
    step = numpy_solver.make_step(CASE, n, numerics, closure)
    state = numpy_solver.initial_state(4 * random_vorticity(n, seed=0, peak_wavenumber=4), numerics)
    state = numpy_solver.march(step, state, spin_up)
    terms = Terms(n, inner)
    first = terms.stock(state.vorticity_hat)
    gains, losses = [], []
    for _ in range(samples + 1):
        gains.append(terms.injection(state.vorticity_hat))
        losses.append(terms.loss(state.vorticity_hat))
        last, state = state, numpy_solver.march(step, state, every)
    time = samples * every * numerics.dt
    weights = np.full((samples + 1, 1), 1.0 / samples)
    weights[[0, -1]] *= 0.5
    change = (terms.stock(last.vorticity_hat) - first) / time
    return (weights * gains).sum(0), (weights * losses).sum(0), change


def test_budgets_close_over_a_short_run(inner):
    gain, loss, change = averages(32, inner, 0, 500, get_closure("none"))
    assert np.all(np.abs(change) > 1e-3 * loss)
    assert np.all(np.abs(change - (gain - loss)) < 2e-5 * np.maximum(np.abs(gain), loss))


@pytest.mark.slow
def test_long_run_is_stationary(inner):
    gain, loss, change = averages(32, inner, 15_000, 10_000, get_closure("none"), every=5)
    np.testing.assert_allclose(gain, loss, rtol=0.05)
    assert np.all(np.abs(change) < 0.05 * loss)
    assert np.all(gain > 0.0)
