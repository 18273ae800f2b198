"""Shared libraries are found where they are named or built, and a missing one comes with a remedy."""

import os

import pytest

from subgrid.contracts.errors import SetupError
from subgrid.contracts.native_library import NativeLibrary

LIBRARY = NativeLibrary("libexample.so", "SUBGRID_EXAMPLE_LIBRARY", "example")


@pytest.fixture(autouse=True)
def unnamed(monkeypatch):
    monkeypatch.delenv(LIBRARY.variable, raising=False)


def test_the_library_that_is_named_is_taken(monkeypatch, tmp_path):
    (tmp_path / LIBRARY.name).write_bytes(b"not a library")
    for named in (tmp_path, tmp_path / LIBRARY.name):
        monkeypatch.setenv(LIBRARY.variable, str(named))
        assert LIBRARY.find() == tmp_path / LIBRARY.name
    with pytest.raises(SetupError, match="cannot be loaded"):
        LIBRARY.load()
    monkeypatch.setenv(LIBRARY.variable, str(tmp_path / "nowhere"))
    with pytest.raises(SetupError, match="that SUBGRID_EXAMPLE_LIBRARY names, is not there"):
        LIBRARY.find()


def test_a_library_that_is_not_built_comes_with_a_remedy(tmp_path):
    with pytest.raises(SetupError, match="is not built: run 'make build'"):
        LIBRARY.find(tmp_path)


def test_the_release_build_is_taken_before_a_newer_one(tmp_path):
    builds = [tmp_path / "_build" / name / "lib" / LIBRARY.name for name in ("debug", "release")]
    for build in builds:
        build.parent.mkdir(parents=True)
        build.write_bytes(b"")
    newer = builds[1].stat().st_mtime + 10
    os.utime(builds[0], (newer, newer))
    assert LIBRARY.find(tmp_path) == builds[1]
    builds[1].unlink()
    assert LIBRARY.find(tmp_path) == builds[0]
