"""What must work without JAX, and what must not be imported at the door."""

import subprocess
import sys

import pytest

WITHOUT_JAX = (
    "subgrid.contracts.bundle",
    "subgrid.contracts.bundle_writer",
    "subgrid.contracts.les_file",
    "subgrid.contracts.reference",
    "subgrid.contracts.variables",
    "subgrid.fortran_bridge.bundle_runner",
    "subgrid.fortran_bridge.library",
    "subgrid.fortran_bridge.plugins",
    "subgrid.sims.closures",
    "subgrid.sims.convection.mskf",
    "subgrid.sims.turbulence2d.cases",
    "subgrid.sims.turbulence2d.numpy_solver",
)
HEAVY = ("jax", "flax", "optax", "matplotlib", "netCDF4", "scipy", "xarray")


def python(code: str) -> subprocess.CompletedProcess:
    """Run `code` in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


# None in sys.modules makes every later import of that name fail, as if JAX were not installed.
BLOCK = "import sys; sys.modules.update(dict.fromkeys(['jax', 'jaxlib', 'flax', 'optax'])); "


def test_the_block_blocks():
    outcome = python(BLOCK + "import subgrid.sims.turbulence2d.jax_solver")
    assert outcome.returncode != 0
    assert "jax" in outcome.stderr


@pytest.mark.parametrize("module", WITHOUT_JAX)
def test_ground_bridge_and_numpy_solver_need_no_jax(module):
    outcome = python(BLOCK + f"import {module}")
    assert outcome.returncode == 0, outcome.stderr


def test_numpy_solver_steps_without_jax():
    outcome = python(
        BLOCK
        + """
from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d import numpy_solver
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics
numerics = Numerics(dt=1e-3)
step = numpy_solver.make_step(get_case("k4b0"), 16, numerics, get_closure("leith"))
print(step(numpy_solver.initial_state(random_vorticity(16, seed=0), numerics)).steps)
"""
    )
    assert outcome.stdout.strip() == "1", outcome.stderr


def test_the_command_line_opens_without_heavy_imports():
    outcome = python(f"import sys, subgrid.workflows.cli; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert outcome.stdout.strip() == "[]", outcome.stdout + outcome.stderr
