"""Actions become the closures that they name."""

import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.envs.actions import Backscatter, Coefficient, get_action
from subgrid.envs.lattice import Lattice
from subgrid.envs.uniform_closure import UniformClosure
from subgrid.sims.closures import get_closure
from subgrid.sims.closures.flow import Flow
from subgrid.sims.turbulence2d.grid import Grid, contract
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.jax_solver import make_operators

pytestmark = pytest.mark.usefixtures("quick_compilation")

N, LATTICE = 32, Lattice(4, 32)


@pytest.fixture(scope="module")
def flow():
    grid = Grid(N, "none")
    hat = contract(np.fft.rfft2(5.0 * random_vorticity(N, seed=0, peak_wavenumber=5.0)), grid)
    return Flow.of(jnp.asarray(hat, jnp.complex64), make_operators(grid, np.dtype(np.float32)))


def close(found, expected):
    return np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def action_of(value, lowest, highest, components=1):
    return jnp.full((4, 4, components), 2 * (value - lowest) / (highest - lowest) - 1)


def test_equal_coefficients_are_leith(flow):
    kind = get_action("leith")
    closure = kind.closure(action_of(0.17**3, kind.lowest, kind.highest), LATTICE)
    assert close(closure(flow), get_closure("leith", constant=0.17)(flow))


def test_equal_coefficients_are_smagorinsky(flow):
    kind = get_action("smagorinsky")
    closure = kind.closure(action_of(0.11**2, kind.lowest, kind.highest), LATTICE)
    assert close(closure(flow), get_closure("smagorinsky", constant=0.11)(flow))


def test_equal_backscatter_is_jansen_and_held(flow):
    kind = Backscatter()
    first = action_of(0.24**4, 0.0, kind.strongest)
    second = action_of(0.8, kind.least, kind.most)
    closure = kind.closure(jnp.concatenate([first, second], -1), LATTICE)
    zero = jnp.zeros(())
    assert close(closure(flow), UniformClosure(zero, zero, jnp.asarray(0.24**4), jnp.asarray(0.8))(flow))


def test_biharmonic_viscosity_takes_enstrophy_wherever_it_is(flow):
    strength = np.random.default_rng(0).uniform(-1, 1, (4, 4, 1)).astype(np.float32)
    none_returned = action_of(0.0, Backscatter().least, Backscatter().most)
    tendency = Backscatter().closure(jnp.concatenate([strength, none_returned], -1), LATTICE)(flow)
    assert float(jnp.sum(jnp.real(jnp.conj(flow.vorticity_hat) * tendency))) < 0


def test_returned_share_one_returns_the_energy(flow):
    closure = UniformClosure(*(jnp.asarray(c) for c in (0.0, 0.0, 0.004, 1.0)))
    weight = jnp.where(flow.operators.kx > 0, 2.0, 1.0) * flow.operators.inverse_k2
    rate = weight * jnp.real(jnp.conj(flow.vorticity_hat) * closure(flow))
    assert abs(float(rate.sum())) < 1e-4 * float(jnp.abs(rate).sum())


def test_actions_outside_the_bounds_count_as_the_bound():
    kind = Coefficient("leith", -0.1, 0.3)
    np.testing.assert_allclose(kind.physical(jnp.array([-7.0, 0.0, 7.0])), [-0.1, 0.1, 0.3], rtol=1e-5)


def test_unknown_names_and_bounds_are_refused():
    with pytest.raises(InputError, match="known: leith"):
        get_action("teapot")
    with pytest.raises(InputError, match="expected lowest < highest"):
        Coefficient("leith", 0.2, 0.1)
