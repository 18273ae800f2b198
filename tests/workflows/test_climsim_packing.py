"""Packing into a store: any layout, in part, with damage, and after an interruption."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from subgrid.contracts.errors import FileError, InputError
from subgrid.workflows import climsim
from subgrid.workflows.cli import app


def test_packing_needs_its_inputs_and_leaves_nothing_behind(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        climsim.pack(tmp_path / "none", tmp_path / "o.zarr", grid=tmp_path / "grid.nc")
    with pytest.raises(InputError, match="Unknown format 'zip'"):
        climsim.pack(tmp_path, tmp_path / "o.zarr", layout="zip")
    assert not (tmp_path / "o.zarr").exists()


def test_a_store_is_packed_again_in_part(store, tmp_path):
    line = climsim.pack(store, tmp_path / "part.zarr", months="0008-02", stride=5)
    assert "4 time steps × 96 columns; no time step skipped" in line
    part, whole = (climsim.load_part(path, "all") for path in (tmp_path / "part.zarr", store))
    np.testing.assert_array_equal(part.ymd, whole.ymd[::5])
    np.testing.assert_array_equal(part.fields["ptend_u"], whole.fields["ptend_u"][::5])


def test_the_command_packs_and_says_what_it_skipped(store, tmp_path):
    words = ["data", "climsim", str(store), "--format", "store", "--months", "0008-02", "--stride", "8"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "o.zarr"), "--skip-bad"])
    assert done.exit_code == 0, done.output
    assert "2 time steps × 96 columns; no time step skipped" in " ".join(done.output.split())
    again = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "o.zarr")])
    assert isinstance(again.exception, FileError)


def test_packing_real_pairs(tmp_path):
    shared = Path(__file__).resolve().parents[3] / "shared/data/climsim"
    if not shared.is_dir():
        pytest.skip("the shared ClimSim data are not beside the checkout")
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in (shared / "raw_pairs").iterdir():
        (raw / path.name).symlink_to(path)
    grid = shared / "ClimSim_low-res_grid-info.nc"
    line = climsim.pack(raw, tmp_path / "all.zarr", grid=grid, split="val", stride=1)
    assert line.endswith("2 time steps × 384 columns; no time step skipped.")
    (raw / "E3SM-MMF.mlo.0008-02-19-24000.nc").unlink()
    with pytest.raises(FileError, match="--skip-bad"):
        climsim.pack(raw, tmp_path / "half.zarr", grid=grid)
    line = climsim.pack(raw, tmp_path / "half.zarr", grid=grid, skip_bad=True)
    assert "1 time steps × 384 columns; 1 time steps skipped" in line
    assert climsim.load_part(tmp_path / "half.zarr", "all").tod.tolist() == [22800]


class StopError(Exception):
    """What ends a packing in a test."""


def stopped_at(step):
    def progress(done, total, **numbers):
        if done == step:
            raise StopError

    return progress


@pytest.fixture
def damaged(store, tmp_path, write_columns):
    """The store with one bad step."""
    columns = climsim.load_part(store, "all")
    columns.fields["state_t"][2, 5, 30] = np.nan
    return write_columns(tmp_path / "damaged.zarr", columns)


def test_a_stopped_packing_goes_on_after_its_complete_chunks(damaged, tmp_path):
    out, seen = tmp_path / "o.zarr", []
    with pytest.raises(StopError):
        climsim.pack(damaged, out, skip_bad=True, progress=stopped_at(10))
    assert not out.exists()
    partial = tmp_path / ".o.partial.zarr"
    with (partial / "packing.jsonl").open("a") as journal:
        journal.write('{"stamps": [[802')  # what an abrupt end leaves
    line = climsim.pack(damaged, out, skip_bad=True, progress=lambda done, total: seen.append(done))
    assert seen == list(range(9, 16))
    assert line.startswith(f"{out}: 15 time steps × 96 columns; 1 time steps skipped")
    assert not partial.exists()
    assert not list(out.glob("*.jsonl"))
    climsim.pack(damaged, tmp_path / "at_once.zarr", skip_bad=True)
    found, expected = (climsim.load_part(tmp_path / name, "all") for name in ("o.zarr", "at_once.zarr"))
    for name, field in expected.fields.items():
        np.testing.assert_array_equal(found.fields[name], field, err_msg=name)
    np.testing.assert_array_equal(found.ymd, expected.ymd)


def test_another_packing_does_not_go_on_with_what_was_stopped(store, tmp_path):
    out = tmp_path / "o.zarr"
    with pytest.raises(StopError):
        climsim.pack(store, out, progress=stopped_at(3))
    assert not list(tmp_path.iterdir())  # no complete chunk
    with pytest.raises(StopError):
        climsim.pack(store, out, progress=stopped_at(6))
    with pytest.raises(FileError, match=r"unfinished packing with stride None, this one has 2; finish"):
        climsim.pack(store, out, stride=2)
