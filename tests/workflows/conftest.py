"""A small store of mock columns for the ClimSim pipeline."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from subgrid.jax_models.data.columns import ColumnSet
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.store import write_store


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
