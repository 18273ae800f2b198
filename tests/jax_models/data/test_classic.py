"""The size that a classic header asks for is the size that the library writes, in all three formats."""

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError
from subgrid.jax_models.data.classic import ClassicFile, require_whole


@pytest.fixture(params=["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def file(request, tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(str(path), "w", format=request.param) as dataset:
        dataset.title = "seven77"
        dataset.createDimension("time", None)
        dataset.createDimension("x", 5)
        dataset.createVariable("fixed", "f8", ("x",))[...] = 1.0
        dataset["fixed"].units = "K"
        dataset.createVariable("byte", "i1", ("x",))[...] = 1
        dataset.createVariable("moving", "f4", ("time", "x"))[...] = np.ones((3, 5))
        dataset.createVariable("stamp", "i4", ("time",))[...] = np.arange(3)
    return path


def test_whole_files_pass_and_one_lost_byte_is_seen(file):
    require_whole(file)
    content = file.read_bytes()
    for kept in (len(content) - 1, len(content) // 2, 60, 10):
        file.write_bytes(content[:kept])
        with pytest.raises(FileError, match="truncated"):
            require_whole(file)


def test_variables_are_those_of_the_library(file):
    with ClassicFile(file) as ours, netCDF4.Dataset(str(file)) as theirs:
        assert set(ours.variables) == set(theirs.variables)
        for name in ("fixed", "byte"):
            assert ours.variables[name].dimensions == theirs[name].dimensions
            np.testing.assert_array_equal(ours.variables[name][...], theirs[name][...])
        with pytest.raises(FileError, match="unlimited"):
            ours.variables["moving"][...]


def test_other_formats_pass(tmp_path):
    path = tmp_path / "h.nc"
    with netCDF4.Dataset(str(path), "w") as dataset:
        dataset.createDimension("x", 2)
    require_whole(path)


def test_real_files_are_whole_and_read_as_the_library_reads_them(real_data):
    for path in (real_data / "raw_pairs").glob("*.nc"):
        require_whole(path)
        with ClassicFile(path) as ours, netCDF4.Dataset(str(path)) as theirs:
            theirs.set_auto_mask(False)
            for name in theirs.variables:
                np.testing.assert_array_equal(ours.variables[name][...], theirs[name][...], err_msg=name)
