"""Files of columns and sequences through the workflow functions behind `subgrid physics mskf`."""

from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.columns_file import create_training_set, write_inputs
from subgrid.contracts.errors import FileError, InputError
from subgrid.workflows.physics import run_mskf, run_mskf_sequences

OUTPUTS = {
    "qi_kf",
    "exit_code",
    "cldfra_sh",
    "cldfra_dp",
    "cutop",
    "rqscuten",
    "pratec",
    "rqvcuten",
    "qc_kf",
    "rvcuten",
    "cubot",
    "timec_kf",
    "rqicuten",
    "rucuten",
    "rqrcuten",
    "rqccuten",
    "w0avg_out",
    "nca",
    "rthcuten",
}


@pytest.mark.parametrize("precision", ["double", "single"])
def test_reference_file_in_reference_names_out(reference_path, tmp_path: Path, precision):
    from netCDF4 import Dataset

    target = tmp_path / "out.nc"
    message = run_mskf(reference_path, target, mode="match", precision=precision, threads=1)
    assert "311 columns, 127 deep, 105 shallow, 1 held, 78 without convection" in message
    with Dataset(target) as output, Dataset(reference_path) as reference:
        assert set(output.variables) >= OUTPUTS
        assert output.mode == "match"
        assert output["rthcuten"].shape == reference["rthcuten"].shape
        assert np.array_equal(
            np.ma.getmaskarray(output["qc_kf"][:]), np.ma.getmaskarray(reference["qc_kf"][:])
        )
        assert np.array_equal(output["exit_code"][:], reference["exit_code_r8"][:])


def test_existing_output_is_kept(reference_path, tmp_path: Path):
    target = tmp_path / "out.nc"
    target.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        run_mskf(reference_path, target)
    assert target.read_text() == "mine"
    run_mskf(reference_path, target, overwrite=True)
    assert target.stat().st_size > 1000


def test_sequences_keep_their_group(reference_path, tmp_path: Path):
    from netCDF4 import Dataset

    target = tmp_path / "out.nc"
    message = run_mskf_sequences(reference_path, target, mode="match", threads=1)
    assert "6 sequences of 150 steps" in message
    with Dataset(target) as output, Dataset(reference_path) as reference:
        ours, theirs = output["sequences"], reference["sequences"]
        assert ours["rthcuten"].dimensions == ("seq", "step", "lev")
        np.testing.assert_allclose(ours["rainc"][:, -1], theirs["rainc_r8_end"][:], rtol=0, atol=1e-5)
        assert np.array_equal(ours["called"][:], theirs["called"][:])


def test_missing_variables_groups_and_options(reference_path, tmp_path: Path):
    from netCDF4 import Dataset

    bare = tmp_path / "bare.nc"
    with Dataset(bare, "w") as dataset:
        for name, size in (("column", 1), ("lev", 5), ("ilev", 6)):
            dataset.createDimension(name, size)
    with pytest.raises(FileError, match="lacks the variables t, qv"):
        run_mskf(bare, tmp_path / "out.nc")
    with pytest.raises(FileError, match="no group 'sequences'"):
        run_mskf_sequences(bare, tmp_path / "out.nc")
    with pytest.raises(InputError, match="mode"):
        run_mskf(reference_path, tmp_path / "out.nc", mode="fast")
    assert [path.name for path in tmp_path.iterdir()] == ["bare.nc"]


def rearranged(source: Path, target: Path, change) -> Path:
    """A copy whose variables have the dimensions and values `change(name, dimensions, values)`."""
    from netCDF4 import Dataset

    with Dataset(source) as old, Dataset(target, "w") as new:
        old.set_auto_mask(False)
        for name, dimension in old.dimensions.items():
            new.createDimension(name, len(dimension))
        new.createDimension("time", 1)
        for name, variable in old.variables.items():
            dimensions, values = change(name, variable.dimensions, variable[:])
            new.createVariable(name, variable.dtype, dimensions)[:] = values
    return target


def test_dimensions_count_by_name(columns, tmp_path: Path):
    from netCDF4 import Dataset

    source = tmp_path / "in.nc"
    few = {name: values[:7] for name, values in columns.items()}
    with create_training_set(source, 7, columns["t"].shape[1], {}) as output:
        write_inputs(output, slice(None), few)
    turned = rearranged(source, tmp_path / "turned.nc", lambda _, names, values: (names[::-1], values.T))
    for path in (source, turned):
        assert "7 columns" in run_mskf(path, path.with_suffix(".out.nc"), threads=1)
    with Dataset(tmp_path / "in.out.nc") as plain, Dataset(tmp_path / "turned.out.nc") as other:
        assert "3: has a pressure" in plain["status"].reasons
        for name in plain.variables:
            np.testing.assert_array_equal(plain[name][:], other[name][:])
    timed = rearranged(
        source, tmp_path / "timed.nc", lambda _, names, values: (("time", *names), values[None])
    )
    with pytest.raises(
        FileError, match=r"has the dimensions \(time, column, lev\), expected \(column, lev\)"
    ):
        run_mskf(timed, tmp_path / "out.nc")
    with pytest.raises(FileError, match="is, or holds, an input of the same run"):
        run_mskf(source, source, overwrite=True)
