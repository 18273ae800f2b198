"""Strict JAX for every test, set before it is imported: 64-bit on, no silent rank promotion.

Strict dtype promotion stays off: it forbids real × complex, of which spectral solvers are made; tests of
the solvers assert the kind of their results instead.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")


@pytest.fixture(scope="module")
def quick_compilation():
    """Compile with few optimisations: tests of a contract spend more time compiling than running."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def _literal(value) -> str:
    return f"'{value}'" if isinstance(value, str | Path) else repr(value)


@pytest.fixture
def subgrid_les() -> Callable[..., subprocess.CompletedProcess]:
    """`run(folder, **settings)`: run the Fortran program on a namelist `&les` that it writes there."""
    named = os.environ.get("SUBGRID_LES")
    program = Path(named) if named else Path(__file__).parents[1] / "_build/release/bin/subgrid_les"
    if not program.is_file():
        pytest.skip(f"the Fortran program is not built ({program}): type `make build` or set SUBGRID_LES")

    def run(folder: Path, **settings) -> subprocess.CompletedProcess:
        lines = [f"  {key} = {_literal(value)}" for key, value in settings.items() if value is not None]
        namelist = folder / "les.nml"
        namelist.write_text("\n".join(["&les", *lines, "/", ""]))
        return subprocess.run([program, namelist], capture_output=True, text=True, check=False)

    return run
