"""A small store of mock columns for the ClimSim pipeline; settings of the Fortran program."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.les_file import write_field
from subgrid.jax_models.data.columns import ColumnSet
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.store import write_store
from subgrid.sims.turbulence2d.initial import random_vorticity


@pytest.fixture(scope="session")
def write_columns() -> Callable[..., Path]:
    """`write_columns(path, columns)`: the columns as a store; returns its path."""

    def write(path: Path, columns: ColumnSet) -> Path:
        names = tuple(columns.fields)
        steps = (
            (int(columns.ymd[i]), int(columns.tod[i]), {name: columns.fields[name][i] for name in names})
            for i in range(columns.steps)
        )
        write_store(path, steps, columns.grid, capacity=columns.steps, names=names)
        return path

    return write


@pytest.fixture(scope="session")
def store(tmp_path_factory, write_columns) -> Path:
    """Two steps on each of eight days that do not follow each other."""
    columns = mock_columns(16, ncol=96, seed=3)
    ymd, tod = 80201 + np.arange(16) // 2 * 2, 40000 + 1200 * (np.arange(16) % 2)
    dated = ColumnSet(columns.fields, ymd, tod, columns.grid)
    return write_columns(tmp_path_factory.mktemp("climsim") / "mock.zarr", dated)


@pytest.fixture
def settings(tmp_path) -> dict:
    """A short run of the Fortran program on 32 points, from a random start."""
    write_field(tmp_path / "start.nc", random_vorticity(32, seed=3))
    return {
        "n": 32,
        "forcing_wavenumber": 4,
        "beta": 20.0,
        "viscosity": 5e-5,
        "drag": 0.1,
        "dt": 2e-3,
        "steps": 20,
        "save_every": 5,
        "initial_file": tmp_path / "start.nc",
        "output_file": tmp_path / "output.nc",
        "restart_output_file": tmp_path / "restart.nc",
    }


@pytest.fixture
def in_two_runs(tmp_path) -> Callable[[dict], tuple[dict, dict]]:
    """`in_two_runs(settings)`: the first half of the run, and what goes on from its restart file."""

    def split(whole: dict) -> tuple[dict, dict]:
        first = whole | {
            "steps": whole["steps"] // 2,
            "output_file": tmp_path / "first.nc",
            "restart_output_file": tmp_path / "middle.nc",
        }
        second = first | {
            "initial_file": None,
            "restart_file": tmp_path / "middle.nc",
            "output_file": tmp_path / "second.nc",
            "restart_output_file": tmp_path / "end.nc",
        }
        return first, second

    return split
