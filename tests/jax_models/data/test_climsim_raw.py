"""Raw pairs: right numbers, and one clear sentence for each way in which a file can be bad."""

import shutil

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.variables import RAW_INPUTS, RAW_TARGETS
from subgrid.jax_models.data.climsim_packed import read_packed
from subgrid.jax_models.data.climsim_raw import Skipped, find_pairs, read_pair, read_steps
from subgrid.jax_models.data.grid import read_grid
from subgrid.jax_models.data.splits import Choice, official_split


def halves(folder, which):
    return sorted(folder.rglob(f"E3SM-MMF.{which}.*.nc"))


def change(path, name, action):
    with netCDF4.Dataset(str(path), "a") as dataset:
        dataset.set_auto_mask(False)
        dataset[name][...] = action(dataset[name][...])


def test_fields_and_tendencies_come_back(raw_folder, mock):
    pairs = find_pairs(raw_folder)
    assert [p.tod for p in pairs] == [0, 1200, 2400, 3600]
    fields = read_pair(pairs[2])
    assert set(fields) == {*RAW_INPUTS, *RAW_TARGETS}
    for name, field in fields.items():
        scale = np.abs(mock.fields[name]).max()
        # float64 differences of states keep tendencies to 1e-10 of the state per step.
        np.testing.assert_allclose(field, mock.fields[name][2], rtol=1e-5, atol=1e-5 * scale, err_msg=name)


def test_pairs_rewritten_as_netcdf4_read_the_same(raw_folder):
    expected = read_pair(find_pairs(raw_folder)[0])
    for path in (halves(raw_folder, "mli")[0], halves(raw_folder, "mlo")[0]):
        with netCDF4.Dataset(str(path)) as old:
            fields = {name: (v.dimensions, np.asarray(v[...])) for name, v in old.variables.items()}
        with netCDF4.Dataset(str(path), "w") as new:
            new.createDimension("ncol", 384)
            new.createDimension("lev", 60)
            for name, (dimensions, values) in fields.items():
                new.createVariable(name, values.dtype, dimensions)[...] = values
    for name, field in read_pair(find_pairs(raw_folder)[0]).items():
        np.testing.assert_array_equal(field, expected[name], err_msg=name)


def test_stride_start_months_and_splits(raw_folder):
    assert [p.tod for p in find_pairs(raw_folder, Choice(stride=3))] == [0, 3600]
    assert [p.tod for p in find_pairs(raw_folder, Choice(stride=2), start=1)] == [1200, 3600]
    assert len(find_pairs(raw_folder, Choice(months="0008-0[12]"))) == 4
    assert len(find_pairs(raw_folder, Choice(official_split("val"), stride=1))) == 4
    with pytest.raises(FileError, match="no E3SM-MMF"):
        find_pairs(raw_folder, Choice(official_split("train")))
    with pytest.raises(InputError, match="regular expression"):
        find_pairs(raw_folder, Choice(months="["))
    with pytest.raises(FileError, match="not a directory"):
        find_pairs(raw_folder / "none")


def lose_half(folder):
    halves(folder, "mlo")[1].unlink()


def truncate(folder):
    path = halves(folder, "mli")[1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def fewer_levels(folder):
    source = halves(folder, "mli")[1]
    with netCDF4.Dataset(str(source)) as old:
        stamp = int(old["ymd"][...]), int(old["tod"][...])
        fields = {n: np.asarray(old[n][...]) for n in RAW_INPUTS}
    with netCDF4.Dataset(str(source), "w", format="NETCDF3_64BIT_DATA") as new:
        new.createDimension("ncol", 384)
        new.createDimension("lev", 59)
        for key, value in zip(("ymd", "tod"), stamp, strict=True):
            new.createVariable(key, "i4")[...] = value
        for name, field in fields.items():
            new.createVariable(name, "f8", ("lev", "ncol")[2 - field.ndim :])[...] = (
                field[:59] if field.ndim == 2 else field
            )


def rename(folder):
    with netCDF4.Dataset(str(halves(folder, "mli")[1]), "a") as dataset:
        dataset.renameVariable("state_q0002", "state_qliq")


def put_nan(folder):
    change(halves(folder, "mlo")[1], "cam_out_PRECC", lambda v: np.where(np.arange(v.size) == 7, np.nan, v))


def grams(folder):
    change(halves(folder, "mli")[1], "state_q0001", lambda v: 1000 * v)


def kilowatts(folder):
    change(halves(folder, "mli")[1], "pbuf_SOLIN", lambda v: v / 1000)


def wrong_time(folder):
    change(halves(folder, "mlo")[1], "tod", lambda v: 5)


BAD = {
    lose_half: r"mli\.0008-02-01-01200\.nc: its mlo half is missing",
    truncate: r"mli\.0008-02-01-01200\.nc .*truncated",
    fewer_levels: "has 59 levels, expected 60",
    rename: "no variable 'state_q0002'",
    put_nan: "cam_out_PRECC has 1 values that are not finite",
    grams: "state_q0001 peaks at .* in other units",
    kilowatts: "pbuf_SOLIN peaks at .* in other units",
    wrong_time: "tod inside the file is 5, its name says 1200",
}


@pytest.mark.parametrize("damage", BAD, ids=lambda f: f.__name__)
def test_bad_files_are_named_and_can_be_skipped(raw_folder, damage):
    damage(raw_folder)
    with pytest.raises(FileError, match=BAD[damage]):
        list(read_steps(find_pairs(raw_folder)))
    skipped = Skipped()
    good = [p.tod for p, _ in read_steps(find_pairs(raw_folder, skipped=skipped), skipped=skipped)]
    assert good == [0, 2400, 3600]
    assert skipped.summary().startswith("1 time steps skipped: ")


def test_a_file_that_is_there_twice_is_refused(raw_folder):
    (raw_folder / "copies").mkdir()
    shutil.copy(halves(raw_folder, "mli")[1], raw_folder / "copies")
    with pytest.raises(
        FileError, match=r"mli.*\.nc and .*copies.* are the same half of one time step; keep one"
    ):
        find_pairs(raw_folder)


def test_real_pairs_are_the_packed_steps(real_data):
    pairs = find_pairs(real_data / "raw_pairs")
    packed = read_packed(real_data / "climsim_lowres_real_60steps.nc")
    assert len(pairs) == 2
    for pair in pairs:
        (step,) = np.flatnonzero((packed.ymd == pair.ymd) & (packed.tod == pair.tod))
        fields = read_pair(pair)
        for name in RAW_TARGETS:
            scale = np.abs(fields[name]).max()
            np.testing.assert_allclose(
                packed.fields[name][step], fields[name], atol=2e-4 * scale, err_msg=name
            )


def test_real_pressure_is_hybrid_and_fractions_sum_to_one(real_data):
    grid = read_grid(real_data / "ClimSim_low-res_grid-info.nc")
    path = find_pairs(real_data / "raw_pairs")[0].inputs
    with netCDF4.Dataset(str(path)) as raw:
        pressure = grid.midpoint_pressure(np.asarray(raw["state_ps"][...]))
        np.testing.assert_allclose(raw["state_pmid"][...].T, pressure, rtol=5e-16)
        total = sum(np.asarray(raw[f"cam_in_{n}FRAC"][...]) for n in ("ICE", "LAND", "OCN"))
        np.testing.assert_allclose(total, 1, rtol=1e-14)


def test_a_copy_under_another_name_is_noticed(raw_folder):
    source = halves(raw_folder, "mli")[0]
    shutil.copy(source, source.with_name("E3SM-MMF.mli.0008-02-01-01200.nc"))
    with pytest.raises(FileError, match="tod inside the file is 0"):
        list(read_steps(find_pairs(raw_folder)))
