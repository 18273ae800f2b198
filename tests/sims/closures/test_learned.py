import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d import numpy_solver
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.grid import Grid, contract
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics


def test_tendency_is_the_masked_transform_of_what_apply_returns(make_flow):
    weights = np.random.default_rng(0).standard_normal((32, 32))
    flow = make_flow(random_vorticity(32, seed=0))
    pi_hat = np.asarray(get_closure("learned", apply=lambda omega: omega * weights)(flow))
    expected = contract(np.fft.rfft2(np.asarray(flow.vorticity()) * weights), Grid(32))
    np.testing.assert_allclose(pi_hat, expected, atol=1e-11)


def test_apply_sees_the_vorticity_as_y_slow_x_fast_and_its_mean_is_dropped(make_flow):
    x = Grid(16).x
    field = np.sin(2 * x)[None, :] + np.zeros((16, 1))
    seen = []

    def apply(omega):
        seen.append(np.asarray(omega))
        return 0.0 * omega + 5.0

    pi_hat = np.asarray(get_closure("learned", apply=apply)(make_flow(field)))
    np.testing.assert_allclose(seen[0], field, atol=1e-14)
    np.testing.assert_allclose(pi_hat, 0.0, atol=1e-12)


@pytest.mark.parametrize("integrator", ["ifrk4", "ab2cn"])
def test_a_float32_network_leaves_the_solver_in_float64(integrator):
    numerics = Numerics(1e-3, integrator)
    closure = get_closure("learned", apply=lambda omega: -0.1 * omega.astype(np.float32))
    step = numpy_solver.make_step(get_case("k4b0"), 32, numerics, closure)
    state = numpy_solver.march(step, numpy_solver.initial_state(random_vorticity(32, 0), numerics), 3)
    assert state.vorticity_hat.dtype == np.complex128
