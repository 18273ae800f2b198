"""What the Fortran program refuses: one sentence, its exit code, and nothing left behind."""

import os
import subprocess

import numpy as np
import pytest

from subgrid.contracts.les_file import write_field
from subgrid.sims.turbulence2d.initial import random_vorticity

GRID = 32  # of the fixture `settings`
INPUT, FILE, SET_UP = 2, 3, 5


def assert_refused(result, folder, code: int, *words: str):
    assert result.returncode == code, (result.returncode, result.stderr)
    assert result.stderr.startswith("subgrid_les: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
    assert not list(folder.glob("output.nc*"))
    assert not list(folder.glob("restart.nc*"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 31}, ("n = 31", "even")),
        ({"n": 64}, ("shape", "(32, 32)", "(64, 64)")),
        ({"forcing_wavenumber": 25}, ("25", "76")),
        ({"forcing_wavenumber": -1}, ("-1", "negative")),
        ({"dt": 0.0}, ("dt", "positive")),
        ({"dt": -1.0}, ("dt", "positive")),
        ({"viscosity": -1.0}, ("viscosity",)),
        ({"steps": 0}, ("steps = 0",)),
        ({"save_every": 0}, ("save_every = 0",)),
        ({"integrator": "euler"}, ("'euler'", "ifrk4")),
        ({"dealiasing": "half"}, ("'half'", "two_thirds")),
        ({"closure": "magic"}, ("'magic'", "smagorinsky")),
        ({"closure": "leith", "closure_constant": -0.1}, ("-0.1",)),
        ({"closure": "learned"}, ("bundle",)),
        ({"bundle": "some.bundle"}, ("closure = 'learned'",)),
        ({"initial_file": None}, ("exactly one",)),
        ({"restart_file": "middle.nc"}, ("exactly one",)),
        ({"output_file": None}, ("output_file",)),
        ({"grid_points": 32}, ("grid_points",)),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_bad_settings_are_refused(subgrid_les, tmp_path, settings, change, words):
    assert_refused(subgrid_les(tmp_path, **(settings | change)), tmp_path, INPUT, *words)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_field_that_is_not_finite_is_refused(subgrid_les, tmp_path, settings, value):
    field = random_vorticity(GRID, seed=3)
    field[5, 7] = value
    write_field(tmp_path / "start.nc", field)
    assert_refused(
        subgrid_les(tmp_path, **settings), tmp_path, INPUT, "1 values that are not finite", "start.nc"
    )


def test_missing_and_foreign_files_are_refused(subgrid_les, tmp_path, settings):
    (tmp_path / "notes.txt").write_text("no NetCDF")
    for name in ("absent.nc", "notes.txt"):
        result = subgrid_les(tmp_path, **(settings | {"initial_file": tmp_path / name}))
        assert_refused(result, tmp_path, FILE, name)
    restart = settings | {"initial_file": None, "restart_file": tmp_path / "start.nc"}
    assert_refused(subgrid_les(tmp_path, **restart), tmp_path, FILE, "start.nc", "restart")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("grid", {"n": 64}),
        ("integrator", {"integrator": "ab2cn"}),
        ("dealiasing", {"dealiasing": "none"}),
    ],
)
def test_a_restart_of_other_numerics_is_refused(subgrid_les, tmp_path, settings, name, change):
    assert subgrid_les(tmp_path, **(settings | {"output_file": tmp_path / "first.nc"})).returncode == 0
    (tmp_path / "restart.nc").rename(tmp_path / "middle.nc")
    again = settings | change | {"initial_file": None, "restart_file": tmp_path / "middle.nc"}
    assert_refused(subgrid_les(tmp_path, **again), tmp_path, INPUT, name, "middle.nc")


def test_a_folder_that_does_not_exist_is_refused(subgrid_les, tmp_path, settings):
    result = subgrid_les(tmp_path, **(settings | {"output_file": tmp_path / "nowhere" / "output.nc"}))
    assert_refused(result, tmp_path, FILE, "nowhere", "folder")


@pytest.mark.parametrize("kilobytes", [8, 40, 120])
def test_a_full_disk_leaves_nothing_behind(subgrid_les, tmp_path, settings, kilobytes):
    """A limit on the size of files stands in for a full disk: it strikes at the header, a record, the end."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
    try:
        result = subgrid_les(tmp_path, **(settings | {"steps": 200}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_refused(result, tmp_path, FILE, "output.nc", "disk")


def test_a_plugin_that_is_missing_is_a_matter_of_set_up(subgrid_les, tmp_path, settings):
    run = settings | {"closure": "learned", "bundle": tmp_path, "plugin": tmp_path / "no_plugin.so"}
    assert_refused(subgrid_les(tmp_path, **run), tmp_path, SET_UP, "no_plugin.so")


def test_a_settings_file_that_is_missing_is_refused(subgrid_les, tmp_path, settings, monkeypatch):
    run = subprocess.run
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **options: run([command[0], os.fspath(tmp_path / "no.nml")], **options),
    )
    assert_refused(subgrid_les(tmp_path, **settings), tmp_path, FILE, "no.nml")
