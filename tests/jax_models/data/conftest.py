"""The shared real data, and raw files made from mock columns."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.variables import RAW_INPUTS, STATE, STEP_S, SURFACE_OUT, variable
from subgrid.jax_models.data.grid import FIELDS
from subgrid.jax_models.data.mock import mock_columns

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "climsim"


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not (SHARED / "climsim_lowres_real_60steps.nc").is_file():
        pytest.skip("the shared ClimSim data are not beside the checkout")
    return SHARED


def write_half(path: Path, fields: dict, ymd: int, tod: int) -> None:
    """One CDF-5 file in ClimSim's layout; fields (ncol[, nlev])."""
    with netCDF4.Dataset(str(path), "w", format="NETCDF3_64BIT_DATA") as dataset:
        dataset.createDimension("ncol", next(iter(fields.values())).shape[0])
        dataset.createDimension("lev", max(f.shape[1] for f in fields.values() if f.ndim == 2))
        for key, value in (("ymd", ymd), ("tod", tod)):
            dataset.createVariable(key, "i4")[...] = value
        for name, field in fields.items():
            dims = ("lev", "ncol") if field.ndim == 2 else ("ncol",)
            dataset.createVariable(name, "f8", dims)[...] = field.T


@pytest.fixture(scope="session")
def mock():
    return mock_columns(4, ncol=384, seed=5)


@pytest.fixture
def raw_folder(tmp_path, mock) -> Path:
    folder = tmp_path / "raw" / "0008-02"
    folder.mkdir(parents=True)
    for i in range(mock.steps):
        ymd, tod = int(mock.ymd[i]), int(mock.tod[i])
        stamp = f"{ymd // 10000:04d}-{ymd // 100 % 100:02d}-{ymd % 100:02d}-{tod:05d}"
        before = {n: mock.fields[n][i].astype(np.float64) for n in RAW_INPUTS}
        after = {n: before[n] + STEP_S * mock.fields[n.replace("state", "ptend")][i] for n in STATE}
        after |= {n: mock.fields[n][i].astype(np.float64) for n in SURFACE_OUT}
        assert all(variable(n).is_profile == (f.ndim == 2) for n, f in before.items())
        write_half(folder / f"E3SM-MMF.mli.{stamp}.nc", before, ymd, tod)
        write_half(folder / f"E3SM-MMF.mlo.{stamp}.nc", after, ymd, tod)
    return folder.parent


@pytest.fixture
def grid_file(tmp_path, mock) -> Path:
    """A grid-info file of the mock columns."""
    path = tmp_path / "grid.nc"
    with netCDF4.Dataset(str(path), "w") as dataset:
        for size in (1, 60, 61, 384):
            dataset.createDimension(f"n{size}", size)
        for name in FIELDS:
            values = np.atleast_1d(getattr(mock.grid, name))
            dataset.createVariable(name, "f8", (f"n{values.size}",))[...] = values
    return path
