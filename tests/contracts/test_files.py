"""An output exists whole under its name, or not at all."""

import errno
from pathlib import Path

import pytest

from subgrid.contracts import files
from subgrid.contracts.errors import FileError
from subgrid.contracts.files import require_absent, writing


def write_and_fail(path, error, *, folder=False, **options):
    """Half an output, then `error`."""
    with writing(path, **options) as temporary:
        if folder:
            temporary.mkdir()
        (temporary / "half" if folder else temporary).write_text("half")
        raise error


def test_a_file_appears_only_at_the_end(tmp_path):
    path = tmp_path / "flow.nc"
    with writing(path) as temporary:
        temporary.write_text("x")
        assert temporary.suffix == ".nc"
        assert not path.exists()
    assert path.read_text() == "x"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(tmp_path / "a", KeyboardInterrupt())
    with pytest.raises(ZeroDivisionError):
        write_and_fail(tmp_path / "b", ZeroDivisionError(), folder=True)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_kept_unless_told(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(FileError, match=r"report\.html already exists.*--overwrite"), writing(path):
        pytest.fail("the work must not begin")
    assert path.read_text() == "old"
    with writing(path, overwrite=True) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_an_input_and_a_protected_file_are_never_replaced(tmp_path):
    path = tmp_path / "reference.nc"
    path.write_text("precious")
    link = tmp_path / "link.nc"
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(FileError, match="is, or holds, an input of the same run"):
            require_absent(name, overwrite=True, inputs=["elsewhere", path])
    path.chmod(0o444)
    with pytest.raises(FileError, match="write-protected"), writing(path, overwrite=True):
        pytest.fail("the work must not begin")
    assert path.read_text() == "precious"


def test_a_failed_overwrite_keeps_the_old_output(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_and_fail(path, ZeroDivisionError(), overwrite=True)
    assert path.read_text() == "old"


def test_a_directory_replaces_a_full_one(tmp_path):
    path = tmp_path / "m.bundle"
    for content in ("1", "2"):
        with writing(path, overwrite=True) as temporary:
            temporary.mkdir()
            (temporary / "manifest.txt").write_text("a bundle")
            (temporary / f"file{content}").write_text(content)
    assert {file.name for file in path.iterdir()} == {"file2", "manifest.txt"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_of_other_things_is_never_replaced(tmp_path, monkeypatch):
    (tmp_path / "thesis.tex").write_text("precious")
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, Path(), Path(".."), Path("/")):
        with pytest.raises(FileError):
            require_absent(folder, overwrite=True)
    with pytest.raises(FileError, match="is, or holds, an input"):
        require_absent(tmp_path, overwrite=True, inputs=[tmp_path / "thesis.tex"])
    (tmp_path / "empty").mkdir()
    require_absent(tmp_path / "empty", overwrite=True)


def test_an_output_that_appears_meanwhile_is_kept(tmp_path):
    def write_too_late(path):
        with writing(path) as temporary:
            temporary.write_text("mine")
            path.write_text("theirs")

    with pytest.raises(FileError, match="already exists"):
        write_too_late(tmp_path / "x")
    assert (tmp_path / "x").read_text() == "theirs"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere does not exist; create it"):
        require_absent(tmp_path / "nowhere" / "x")


def test_a_writer_that_writes_nothing_is_found_out(tmp_path):
    with pytest.raises(FileError, match="Nothing was written"), writing(tmp_path / "x"):
        pass


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_in_one_sentence(tmp_path, code):
    with pytest.raises(FileError, match="the disk is full; free some space"):
        write_and_fail(tmp_path / "x", OSError(code, "no space"))
    assert list(tmp_path.iterdir()) == []


def test_a_netcdf_error_on_a_full_disk_is_a_full_disk(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 0})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FileError, match="the disk is full"), writing(tmp_path / "x"):
        raise RuntimeError("NetCDF: HDF error")


def test_another_error_is_not_called_a_full_disk(tmp_path):
    with pytest.raises(RuntimeError, match="HDF error"), writing(tmp_path / "x"):
        raise RuntimeError("NetCDF: HDF error")
