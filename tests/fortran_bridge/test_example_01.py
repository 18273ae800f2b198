"""Example 1: the Fortran and the Python program print the numbers that the README promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from subgrid.fortran_bridge.plugins import find_plugin

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "01_fortran_inference"


def promised() -> np.ndarray:
    """The table of the README, (column, level), Pa."""
    rows = re.findall(r"^((?: +\d+\.\d{3}){5})$", (EXAMPLE / "README.md").read_text(), flags=re.M)
    return np.array([row.split() for row in rows], dtype=float)


def printed(*command) -> np.ndarray:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    environment["SUBGRID_PJRT_PLUGIN_CPU"] = str(find_plugin("cpu"))
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return np.array([line.split() for line in done.stdout.splitlines()], dtype=float)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("example") / "saturation.bundle"
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    subprocess.run(
        [sys.executable, EXAMPLE / "export.py", path], check=True, capture_output=True, env=environment
    )
    return path


def test_fortran_program(bundle):
    programs = sorted(ROOT.glob("_build/*/bin/example_01_infer"), key=lambda path: path.stat().st_mtime)
    if not programs:
        pytest.skip("example_01_infer is not built: run make build")
    np.testing.assert_allclose(printed(programs[-1], bundle), promised(), rtol=1e-5)


def test_python_twin(bundle):
    np.testing.assert_allclose(printed(sys.executable, EXAMPLE / "infer.py", bundle), promised(), rtol=1e-5)


def test_first_number_is_boltons():
    assert promised().shape == (3, 5)
    assert promised()[0, 0] == 611.2
