"""Images of attractor states keep what symmetries keep, and the flow commutes with them."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.envs.initial_states import images, initial_states, largest_speed, reflect, rotate, translate
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.jax_solver import initial_state, make_step, march, vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

pytestmark = pytest.mark.usefixtures("quick_compilation")

N = 16
NUMERICS = Numerics(dt=0.01, dealiasing="none")


def after(case, field):
    """The field after 20 steps (float32: the symmetries are tested to its rounding)."""
    step = make_step(case, N, NUMERICS, precision="float32")
    return np.asarray(vorticity(march(step, initial_state(field, NUMERICS, "float32"), 20)))


@pytest.mark.parametrize(
    "symmetry",
    [rotate, lambda f: reflect(f, 4), lambda f: translate(f, np.pi / 2, np.pi)],
    ids=["rotation", "reflection", "translation"],
)
def test_flow_commutes_with_the_symmetry(case, symmetry):
    field = 3.0 * random_vorticity(N, seed=1, peak_wavenumber=3.0)
    np.testing.assert_allclose(symmetry(after(case, field)), after(case, symmetry(field)), atol=2e-4)


def test_a_translation_that_the_forcing_lacks_is_no_symmetry(case):
    field = 3.0 * random_vorticity(N, seed=1, peak_wavenumber=3.0)
    moved = translate(after(case, field), np.pi / 4, 0.0)
    assert np.abs(moved - after(case, translate(field, np.pi / 4, 0.0))).max() > 0.1


def test_four_rotations_are_none():
    field = random_vorticity(N, seed=2)
    np.testing.assert_allclose(rotate(rotate(rotate(rotate(field)))), field)


def test_images_keep_the_distribution_and_differ(case):
    field = random_vorticity(N, seed=3, peak_wavenumber=3.0)[None]
    found = images(field, case, 6, seed=0)
    np.testing.assert_allclose(found[0], field[0])
    np.testing.assert_allclose((found**2).mean((1, 2)), (field**2).mean(), rtol=1e-10)
    assert len(np.unique(np.round(found[:, 0, 0], 8))) > 2


def test_no_image_comes_twice_before_all_are_used():
    field = random_vorticity(N, seed=3, peak_wavenumber=3.0)[None]
    found = images(field, get_case("k4b20"), 17, seed=0)  # 4 × 4 translations leave the forcing alone
    assert len(np.unique(np.round(found[:16], 6), axis=0)) == 16
    np.testing.assert_allclose(found[16], found[:16][np.abs(found[:16] - found[16]).max((1, 2)).argmin()])


def test_held_out_states_are_not_for_training(reference, case):
    training = initial_states(reference, case, N, held_out=False, count=6)
    testing = initial_states(reference, case, N, held_out=True, count=2)
    distance = np.abs(training[:, None] - testing[None]).max((-1, -2))
    assert distance.min() > 1.0


def test_a_grid_finer_than_the_states_is_refused(reference, case):
    with pytest.raises(InputError, match="too few for N = 256"):
        initial_states(reference, case, 256, held_out=False)


def test_largest_speed_of_a_known_flow():
    # ψ = cos x + 2 cos y: u = −∂ψ/∂y = 2 sin y, v = ∂ψ/∂x = −sin x, ω = ∇²ψ.
    y, x = np.meshgrid(*[2.0 * np.pi / N * np.arange(N)] * 2, indexing="ij")
    assert largest_speed(-(np.cos(x) + 2.0 * np.cos(y))[None]) == pytest.approx(3.0, rel=1e-12)
