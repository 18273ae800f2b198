"""Flows for closures, with NumPy or JAX arrays."""

import importlib

import numpy as np
import pytest

from subgrid.sims.closures import Flow
from subgrid.sims.turbulence2d.grid import Grid, contract


@pytest.fixture(params=["numpy_solver", "jax_solver"])
def make_flow(request):
    """make_flow(vorticity, dealiasing) -> Flow."""
    if request.param == "jax_solver":
        pytest.importorskip("jax")
    solver = importlib.import_module(f"subgrid.sims.turbulence2d.{request.param}")

    def make(vorticity, dealiasing="two_thirds"):
        grid = Grid(vorticity.shape[0], dealiasing)
        operators = solver.make_operators(grid, np.dtype(vorticity.dtype))
        kind = np.result_type(vorticity.dtype, np.complex64)
        hat = operators.xp.asarray(contract(np.fft.rfft2(vorticity), grid), dtype=kind)
        return Flow.of(hat, operators)

    return make
