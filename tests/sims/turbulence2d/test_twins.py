"""The JAX and NumPy twins march one turbulent field for 500 steps to a relative difference of 1e-10."""

import itertools

import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d import numpy_solver
from subgrid.sims.turbulence2d.cases import CASES, get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics, smallest_grid

jax_solver = pytest.importorskip("subgrid.sims.turbulence2d.jax_solver")


def smooth_drain(vorticity):
    """A stand-in for a network that both array libraries evaluate alike."""
    return -0.3 * vorticity / (1.0 + 0.01 * vorticity**2)


CLOSURES = {
    "none": {},
    "smagorinsky": {},
    "leith": {},
    "dynamic_smagorinsky": {"clipping": "none"},
    "dynamic_leith": {"clipping": "pointwise"},
    "learned": {"apply": smooth_drain},
}
CHEAP = ("none", "leith", "learned")
ALL = list(itertools.product(CASES, ("ifrk4", "ab2cn"), ("two_thirds", "none"), CLOSURES))
FAST = [c for c in ALL if (c[3] in CHEAP or c[0] == "k4b20") and (c[0] != "k25b0" or c[3] == "none")]


def difference(name, integrator, dealiasing, closure_name, steps=500):
    case = get_case(name)
    n = max(32, smallest_grid(case.forcing_wavenumber, dealiasing))
    numerics = Numerics(1e-3 if integrator == "ifrk4" else 5e-4, integrator, dealiasing)
    closure = get_closure(closure_name, **CLOSURES[closure_name])
    field = 6.0 * random_vorticity(n, seed=3, peak_wavenumber=4)
    ends = []
    for solver in (jax_solver, numpy_solver):
        step = solver.make_step(case, n, numerics, closure)
        ends.append(
            np.asarray(solver.march(step, solver.initial_state(field, numerics), steps).vorticity_hat)
        )
    moved = np.linalg.norm(ends[1] - np.asarray(numpy_solver.initial_state(field, numerics).vorticity_hat))
    assert moved > 0.1 * np.linalg.norm(ends[1])
    return np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(ends[1])


@pytest.mark.parametrize(("case", "integrator", "dealiasing", "closure"), FAST)
def test_twins_agree(case, integrator, dealiasing, closure):
    assert difference(case, integrator, dealiasing, closure) < 1e-10


@pytest.mark.slow
@pytest.mark.parametrize(("case", "integrator", "dealiasing", "closure"), [c for c in ALL if c not in FAST])
def test_the_other_twins_agree(case, integrator, dealiasing, closure):
    assert difference(case, integrator, dealiasing, closure) < 1e-10
