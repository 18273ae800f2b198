"""Packed files and stores with the faults that people meet: file, variable, found and expected are named."""

import netCDF4
import numpy as np
import pytest
import tensorstore as ts

from subgrid.contracts.errors import FileError
from subgrid.contracts.variables import RAW_INPUTS, RAW_TARGETS, variable
from subgrid.jax_models.data.grid import FIELDS, read_grid
from subgrid.jax_models.data.source import read_columns
from subgrid.jax_models.data.store import open_array, read_header, write_store
from subgrid.workflows import climsim


@pytest.fixture
def packed(tmp_path, mock):
    """Two mock steps in the packed layout, CDF-5, so that truncation reads as zeros."""
    path, columns = tmp_path / "packed.nc", mock.at(np.array([0, 1]))
    with netCDF4.Dataset(str(path), "w", format="NETCDF3_64BIT_DATA") as dataset:
        for name, size in (("time", 2), ("lev", 60), ("ilev", 61), ("ncol", 384), ("one", 1)):
            dataset.createDimension(name, size)
        for key in ("ymd", "tod"):
            dataset.createVariable(key, "i4", ("time",))[...] = getattr(columns, key)
        for name in FIELDS:
            values = np.atleast_1d(getattr(columns.grid, name))
            dims = {384: "ncol", 60: "lev", 61: "ilev", 1: "one"}[values.size]
            dataset.createVariable(name, "f8", (dims,))[...] = values
        for name in (*RAW_INPUTS, *RAW_TARGETS):
            profile, field = variable(name).is_profile, columns.fields[name]
            dims = ("time", "lev", "ncol") if profile else ("time", "ncol")
            dataset.createVariable(name, "f4", dims)[...] = np.moveaxis(field, -1, 1) if profile else field
    return path


def change(path, name, action):
    with netCDF4.Dataset(str(path), "a") as dataset:
        dataset.set_auto_mask(False)
        dataset[name][...] = action(dataset[name][...])


def put_nan(path):
    def one(values):
        values[1, 30, 5] = np.nan
        return values

    change(path, "state_q0001", one)


def grams(path):
    change(path, "state_q0001", lambda v: 1000 * v)


def hectopascal(path):
    change(path, "state_ps", lambda v: v / 100)


def rename(path):
    with netCDF4.Dataset(str(path), "a") as dataset:
        dataset.renameVariable("ptend_t", "dtdt")


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def swap_levels(path):
    """The layout of other tools: columns before levels."""
    with netCDF4.Dataset(str(path), "a") as dataset:
        dataset.renameVariable("state_t", "old_t")
        dataset.createVariable("state_t", "f4", ("time", "ncol", "lev"))[...] = 250.0


def thirteenth_month(path):
    change(path, "ymd", lambda v: v // 10000 * 10000 + 1301)


def one_step_twice(path):
    for name in ("ymd", "tod"):
        change(path, name, lambda v: v[[0, 0]])


BAD = {
    one_step_twice: r"packed\.nc: found 1 time steps more than once, the first dated 0\d{7}, .* s; expected",
    thirteenth_month: r"packed\.nc: time step 0 is dated 0\d{3}1301, .* s; expected YYYYMMDD",
    put_nan: r"packed\.nc: state_q0001 has 1 values that are not finite; expected none",
    grams: r"packed\.nc: state_q0001 peaks at .*, expected about 0\.0195 kg/kg; is it in other units",
    hectopascal: r"packed\.nc: state_ps peaks at .*, expected about 1\.03e\+05 Pa; is it in other units",
    rename: r"packed\.nc: no variable 'ptend_t'",
    truncate: r"packed\.nc has \d+ bytes, its header asks for \d+: truncated",
    swap_levels: r"packed\.nc: state_t has dimensions \('time', 'ncol', 'lev'\), expected",
}


@pytest.mark.parametrize("damage", BAD, ids=lambda f: f.__name__)
def test_a_bad_packed_file_is_named(packed, damage):
    assert read_columns(packed).steps == 2
    damage(packed)
    with pytest.raises(FileError, match=BAD[damage]):
        read_columns(packed)


def test_a_grid_file_that_is_none_is_named(tmp_path):
    (tmp_path / "grid.nc").write_text("no grid")
    with pytest.raises(FileError, match=r"Grid file .*grid\.nc is not readable as NetCDF"):
        read_grid(tmp_path / "grid.nc")


def test_other_levels_are_refused(packed, tmp_path):
    other = tmp_path / "other.nc"
    with netCDF4.Dataset(str(packed)) as old, netCDF4.Dataset(str(other), "w") as new:
        for name, dimension in old.dimensions.items():
            new.createDimension(name, 72 if name == "lev" else dimension.size)
        for name, stored in old.variables.items():
            copy = new.createVariable(name, stored.dtype, stored.dimensions)
            if "lev" not in stored.dimensions:
                copy[...] = stored[...]
    with pytest.raises(FileError, match=r"other\.nc: state_t has 72 levels, expected 60"):
        read_columns(other, ("state_t",))


def test_bad_steps_of_a_packed_file_are_skipped_with_a_count(packed, tmp_path):
    put_nan(packed)
    with pytest.raises(FileError, match=r"state_q0001 has 1 values .*--skip-bad"):
        climsim.pack(packed, tmp_path / "o.zarr")
    line = climsim.pack(packed, tmp_path / "o.zarr", skip_bad=True)
    assert "1 time steps × 384 columns; 1 time steps skipped: " in line
    assert line.endswith("expected none.")
    assert read_columns(tmp_path / "o.zarr").tod.tolist() == [0]


def test_a_store_that_was_spoilt_is_named(tmp_path, mock):
    path = tmp_path / "c.zarr"
    steps = [(int(mock.ymd[0]), int(mock.tod[0]), {n: f[0] for n, f in mock.fields.items()})]
    write_store(path, steps, mock.grid, capacity=1)
    array = open_array(path, "cam_out_PRECC", read_header(path))
    writable = ts.open(array.spec(), write=True).result()
    writable[0, 3].write(np.float32(np.nan)).result()
    with pytest.raises(FileError, match=r"c\.zarr: cam_out_PRECC has 1 values that are not finite"):
        read_columns(path)
    (path / "state_t" / "zarr.json").write_text("{")
    with pytest.raises(FileError, match=r"the array of 'state_t' cannot be opened"):
        read_columns(path)
