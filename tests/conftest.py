"""Strict JAX for every test, set before it is imported: 64-bit on, no silent rank promotion.

Strict dtype promotion stays off: it forbids real × complex, of which spectral solvers are made; tests of
the solvers assert the kind of their results instead.
"""

import ctypes
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")

MOST_BYTES = 1 << 30


@pytest.fixture(autouse=True, scope="session")
def compile_once(tmp_path_factory):
    """What several tests compile alike is compiled once, also after `let_go_of_programs`.

    Each worker has a folder of its own: without a lock one could read what another has half written. Programs
    that tests start have none.
    """
    folder = tmp_path_factory.mktemp("programs")
    if "jax" in sys.modules:
        config = sys.modules["jax"].config
        config.update("jax_compilation_cache_dir", str(folder))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    yield
    shutil.rmtree(folder)


@pytest.fixture(autouse=True, scope="module")
def let_go_of_programs():
    """Between modules: compiled programs that nobody needs any more would come to gigabytes."""
    yield
    if "jax" in sys.modules and resident_bytes() > MOST_BYTES:
        sys.modules["jax"].clear_caches()
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # what glibc has free goes back to the system
        if trim:
            trim(0)


def resident_bytes() -> int:
    """Memory that this process holds; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.is_file() else 0


@pytest.fixture(scope="module")
def quick_compilation():
    """Compile with few optimisations: tests of a contract spend more time compiling than running."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def _literal(value) -> str:
    return f"'{value}'" if isinstance(value, str | Path) else repr(value)


@pytest.fixture(scope="session")
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
