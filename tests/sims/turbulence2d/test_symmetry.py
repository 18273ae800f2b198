"""A step commutes with the symmetries of the equation; a mask that is not symmetric would break them."""

import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d.cases import Case, get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

FREE = Case("free", 0, 0.0, 5e-5, 0.1, "unforced")
BETA = Case("beta", 0, 20.0, 5e-5, 0.1, "unforced")
N = 32


def shift(field):
    return np.roll(field, (3, -5), axis=(0, 1))


def shift_by_forcing_wave(field):
    return np.roll(field, (N // 4, -N // 2), axis=(0, 1))


def rotate(field):
    """ω'(x, y) = ω(y, −x): a quarter turn on periodic points."""
    return np.roll(field[::-1], 1, axis=0).T


def mirror_x(field):
    """ω'(x, y) = −ω(−x, y)."""
    return -np.roll(field[:, ::-1], 1, axis=1)


def mirror_y(field):
    """ω'(x, y) = −ω(x, −y); it leaves ω + βy a mirror image of itself, so β is no obstacle."""
    return -np.roll(field[::-1], 1, axis=0)


SYMMETRIES = [
    (FREE, shift),
    (FREE, rotate),
    (FREE, mirror_x),
    (FREE, mirror_y),
    (BETA, shift),
    (BETA, mirror_y),
    (get_case("k4b0"), shift_by_forcing_wave),
    (get_case("k4b0"), rotate),
]


def after(solver, case, field, dealiasing, closure="dynamic_leith"):
    numerics = Numerics(5e-3, "ifrk4", dealiasing)
    step = solver.make_step(case, N, numerics, get_closure(closure))
    return np.asarray(solver.vorticity(step(solver.initial_state(field, numerics))))


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
@pytest.mark.parametrize(
    ("case", "symmetry"), SYMMETRIES, ids=lambda v: getattr(v, "name", None) or v.__name__
)
def test_step_commutes_with_symmetry(solver, case, symmetry, dealiasing):
    field = 5.0 * random_vorticity(N, seed=9)
    np.testing.assert_allclose(
        after(solver, case, symmetry(field), dealiasing),
        symmetry(after(solver, case, field, dealiasing)),
        atol=1e-12 * np.abs(field).max(),
    )


def test_beta_has_no_east_west_mirror(solver):
    field = random_vorticity(N, seed=9)
    mirrored = after(solver, BETA, mirror_x(field), "two_thirds")
    assert np.abs(mirrored - mirror_x(after(solver, BETA, field, "two_thirds"))).max() > 1e-3
    opposite = Case("opposite", 0, -20.0, 5e-5, 0.1, "")
    np.testing.assert_allclose(
        after(solver, opposite, mirror_x(field), "two_thirds"),
        mirror_x(after(solver, BETA, field, "two_thirds")),
        atol=1e-12,
    )
