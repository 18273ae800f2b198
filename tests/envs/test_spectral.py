"""Agents in the spectrum: their shells, the rates that they set, what they see."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.reference import read_reference
from subgrid.envs.actions import VortexFields, get_action
from subgrid.envs.closure_env import ClosureEnv
from subgrid.envs.lattice import Lattice
from subgrid.envs.observations import get_observation
from subgrid.envs.spectral import Shells
from subgrid.envs.targets import make_target
from subgrid.sims.closures.flow import Flow
from subgrid.sims.closures.vortex_sparing import Closure as VortexSparing
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.grid import Grid, contract
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.jax_solver import make_operators

pytestmark = pytest.mark.usefixtures("quick_compilation")

N, SHELLS = 32, Shells(6, 15)
RESULTS = Path(__file__).parents[2] / "docs" / "results"


@pytest.fixture(scope="module")
def flow():
    grid = Grid(N, "none")
    hat = contract(np.fft.rfft2(5.0 * random_vorticity(N, seed=0, peak_wavenumber=5.0)), grid)
    return Flow.of(jnp.asarray(hat, jnp.complex64), make_operators(grid, np.dtype(np.float32)))


@pytest.fixture(scope="module")
def target(reference, case):
    return make_target(reference, case, N, 15)


def actions(gain=-1.0, along_x=0.0, along_y=0.0):
    offset = jnp.broadcast_to(jnp.array([[along_x], [along_y]]), SHELLS.shape)
    return jnp.stack([jnp.full(SHELLS.shape, gain), offset], axis=-1)


@pytest.mark.parametrize(("agents", "highest"), [(3, 7), (6, 15), (12, 15), (12, 63)])
def test_rates_pass_through_the_shells(agents, highest):
    shells = Shells(agents, highest)
    assert shells.places[0] == 1.0
    assert shells.places[-1] == pytest.approx(highest)
    assert (np.diff(shells.places) > 0).all()
    constant = shells.interpolate(jnp.full((2, agents), 0.3))
    np.testing.assert_allclose(constant[:, 1:], 0.3, rtol=1e-5)
    np.testing.assert_array_equal(constant[:, 0], 0.0)


def test_every_wavenumber_a_shell_of_its_own():
    shells = Shells(15, 15)
    values = np.random.default_rng(0).normal(size=(2, 15)).astype(np.float32)
    single = int((shells.places == np.round(shells.places)).sum())
    found = shells.sample(shells.interpolate(values)[:, 1:])
    np.testing.assert_allclose(found[:, : min(single, 8)], values[:, : min(single, 8)], atol=1e-5)


def test_agents_that_do_nothing_leave_the_closure(flow, target):
    kind = get_action("shells")
    found = kind.closure(actions(), SHELLS, target)(flow)
    np.testing.assert_allclose(found, kind.form(flow), rtol=1e-5, atol=1e-3)


def test_an_offset_along_x_damps_variation_along_x_alone(flow, target):
    kind = get_action("shells")
    change = kind.closure(actions(along_x=0.5), SHELLS, target)(flow) - kind.form(flow)
    rate = -np.real(np.asarray(change) / np.asarray(flow.vorticity_hat + 1e-9))[:8]
    sigma = float(jnp.sqrt(jnp.mean(flow.vorticity() ** 2)))
    assert rate[3, 5] == pytest.approx(0.5 * sigma * (kind.least + kind.most * (5 / 15) ** 4), rel=0.02)
    np.testing.assert_allclose(rate[1:, 0], 0.0, atol=1e-3)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_gain_pulls_the_spectrum_towards_the_reference(flow, target, factor):
    scaled = Flow.of(
        flow.vorticity_hat * factor * jnp.sqrt(target.variance / jnp.mean(flow.vorticity() ** 2)),
        flow.operators,
    )
    kind = get_action("shells")
    change = kind.closure(actions(gain=1.0), SHELLS, target)(scaled) - kind.form(scaled)
    weight = jnp.where(flow.operators.kx > 0, 2.0, 1.0)
    gained = float(jnp.sum(weight * jnp.real(jnp.conj(scaled.vorticity_hat) * change)))
    assert (gained < 0) == (factor > 1)


def test_without_a_target_there_is_no_feedback(flow):
    kind = get_action("shells")
    found = kind.closure(actions(gain=1.0), SHELLS)(flow)
    np.testing.assert_allclose(found, kind.form(flow), rtol=1e-5, atol=1e-3)


def test_observations_have_one_size_for_grids_and_cases(reference, case):
    shapes = set()
    beta = get_case("k4b20")
    files = {case: reference, beta: read_reference(RESULTS / "k4b20.reference.nc", beta)}
    for chosen, n in ((case, 16), (case, 32), (beta, 16)):
        environment = ClosureEnv(
            chosen, n, agents=5, hold=1, action=get_action("shells"), observation=get_observation("shells")
        )
        params = environment.params(files[chosen], count=2)
        seen, state = environment.reset(jax.random.PRNGKey(0), params)
        shapes.add((seen.local.shape, seen.common.shape))
        assert environment.action_shape == (2, 5, 2)
        assert np.isfinite(seen.local).all()
    assert shapes == {((2, 5, 6), (2,))}
    found = environment.step(jax.random.PRNGKey(0), state, jnp.zeros((2, 5, 2)), params)
    assert np.isfinite(found[2])


def test_the_middle_of_the_bounds_is_the_form_itself(flow):
    kind = get_action("vortex")
    middle = kind.closure(jnp.zeros((4, 4, 3)), Lattice(4, N))(flow)
    drain, returned, weighting = (np.mean(pair) for pair in (kind.drain, kind.returned, kind.weighting))
    constants = {"drain": drain, "returned": returned, "weighting": weighting}
    expected = VortexSparing(**vars(kind.form) | constants)(flow)
    np.testing.assert_allclose(middle, expected, atol=1e-4 * float(jnp.abs(expected).max()))


def test_bad_input_is_refused(case):
    with pytest.raises(InputError, match="no room for 20 shells"):
        Shells(20, 15)
    with pytest.raises(InputError, match="of one kind"):
        ClosureEnv(case, 16, action=get_action("shells"), agents=5)
    with pytest.raises(InputError, match="offsets for 12 shells"):
        ClosureEnv(
            case, 32, action=get_action("shells_beta"), observation=get_observation("shells"), agents=5
        )
    with pytest.raises(InputError, match="bounds of drain"):
        VortexFields((0.5, 0.4), (0.0, 1.0), (0.0, 1.0), VortexSparing())
    with pytest.raises(InputError, match="least drain"):
        VortexFields((-0.5, 0.4), (0.0, 1.0), (0.0, 1.0), VortexSparing())
