import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d.cases import Case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

FREE = Case("free", 4, 0.0, 1e-3, 0.0, "no drag, no beta")
FULL = Case("full", 4, 5.0, 1e-3, 0.1, "drag and beta")


def end(solver, case, integrator, dealiasing, steps, time=0.4):
    numerics = Numerics(time / steps, integrator, dealiasing)
    state = solver.initial_state(random_vorticity(32, seed=4, peak_wavenumber=4), numerics)
    step = solver.make_step(
        case, 32, numerics, get_closure("smagorinsky" if integrator == "ifrk4" else "none")
    )
    return np.asarray(solver.march(step, state, steps).vorticity_hat)


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
@pytest.mark.parametrize(
    ("case", "integrator", "order", "steps"),
    [(FULL, "ifrk4", 4, 10), (FREE, "ab2cn", 2, 80), (FULL, "ab2cn", 1, 80)],
    ids=["ifrk4", "ab2cn-free", "ab2cn-full"],
)
def test_order_of_convergence(solver, case, integrator, order, steps, dealiasing):
    coarse, middle, fine = (end(solver, case, integrator, dealiasing, m * steps) for m in (1, 2, 4))
    ratio = np.linalg.norm(coarse - middle) / np.linalg.norm(middle - fine)
    assert np.log2(ratio) == pytest.approx(order, abs=0.25)
