"""One check for all closures: shapes, kinds, finite values, carried modes, sign, jit, bad names."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.closures import CLOSURES, get_closure
from subgrid.sims.turbulence2d.grid import Grid
from subgrid.sims.turbulence2d.initial import random_vorticity

CONSTANTS = {name: {} for name in CLOSURES} | {"learned": {"apply": lambda vorticity: -0.1 * vorticity}}
ACTIVE = [name for name in CLOSURES if name != "none"]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
@pytest.mark.parametrize("name", CLOSURES)
def test_closure_does_not_smoke(make_flow, name, dealiasing, precision):
    closure = get_closure(name, **CONSTANTS[name])
    assert closure.name == name
    flow = make_flow(5.0 * random_vorticity(32, seed=2).astype(precision), dealiasing)
    grid = Grid(32, dealiasing)
    pi_hat = np.asarray(
        closure(flow) + np.zeros(grid.spectral_shape, np.result_type(precision, np.complex64))
    )
    assert pi_hat.shape == grid.spectral_shape
    assert pi_hat.dtype == np.result_type(precision, np.complex64)
    assert np.isfinite(pi_hat).all()
    assert np.all(pi_hat[grid.mask == 0.0] == 0.0)
    assert np.any(pi_hat != 0.0) == (name != "none")


@pytest.mark.parametrize("name", ACTIVE)
def test_closure_of_a_flow_at_rest_is_zero(make_flow, name):
    pi_hat = np.asarray(get_closure(name, **CONSTANTS[name])(make_flow(np.zeros((16, 16)))))
    np.testing.assert_array_equal(pi_hat, 0.0)


@pytest.mark.parametrize("name", ACTIVE)
def test_closure_drains_enstrophy(make_flow, name):
    flow = make_flow(5.0 * random_vorticity(32, seed=2))
    pi_hat = np.asarray(get_closure(name, **CONSTANTS[name])(flow))
    terms = np.real(np.conj(np.asarray(flow.vorticity_hat)) * pi_hat)
    assert 2.0 * terms.sum() - terms[:, 0].sum() < 0.0


@pytest.mark.parametrize("name", ACTIVE)
def test_jit_equals_eager(name):
    jax = pytest.importorskip("jax")
    from subgrid.sims.closures import Flow
    from subgrid.sims.turbulence2d import jax_solver

    operators = jax_solver.make_operators(Grid(32), np.dtype("float64"))
    hat = jax_solver.initial_state(random_vorticity(32, 2), jax_solver.Numerics(1.0)).vorticity_hat
    closure = get_closure(name, **CONSTANTS[name])
    eager = np.asarray(closure(Flow.of(hat, operators)))
    jitted = np.asarray(jax.jit(lambda h: closure(Flow.of(h, operators)))(hat))
    np.testing.assert_allclose(jitted, eager, atol=1e-13 * np.abs(eager).max())


def test_unknown_names_list_the_known_ones():
    with pytest.raises(
        InputError, match="none, smagorinsky, leith, dynamic_smagorinsky, dynamic_leith, learned"
    ):
        get_closure("smag")
    with pytest.raises(InputError, match="no constant 'cs'; it has: constant"):
        get_closure("smagorinsky", cs=0.1)
    with pytest.raises(InputError, match="pointwise, none"):
        get_closure("dynamic_leith", clipping="global")
    with pytest.raises(InputError, match="apply"):
        get_closure("learned")
