"""The Fortran program: restart bit for bit, refusals with one sentence, blow-up, interruption, full disk."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest

from subgrid.contracts.les_file import read_output, read_restart, write_field
from subgrid.sims.turbulence2d.initial import random_vorticity

GRID = 32
SETTINGS = {
    "n": GRID,
    "forcing_wavenumber": 4,
    "beta": 20.0,
    "viscosity": 5e-5,
    "drag": 0.1,
    "dt": 2e-3,
    "steps": 20,
    "save_every": 5,
}
INPUT, FILE, BLOW_UP, SET_UP, INTERRUPTED = 2, 3, 4, 5, 130


@pytest.fixture
def settings(tmp_path) -> dict:
    write_field(tmp_path / "start.nc", random_vorticity(GRID, seed=3))
    return SETTINGS | {
        "initial_file": tmp_path / "start.nc",
        "output_file": tmp_path / "output.nc",
        "restart_output_file": tmp_path / "restart.nc",
    }


def assert_refused(result, folder, code: int, *words: str):
    assert result.returncode == code, (result.returncode, result.stderr)
    assert result.stderr.startswith("subgrid_les: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
    assert not list(folder.glob("output.nc*"))
    assert not list(folder.glob("restart.nc*"))


def test_the_output_holds_the_records_and_tells_its_settings(subgrid_les, tmp_path, settings):
    result = subgrid_les(tmp_path, **(settings | {"steps": 12}), closure="leith", closure_constant=0.2)
    assert result.returncode == 0, result.stderr
    output = read_output(tmp_path / "output.nc")
    np.testing.assert_allclose(output.time, [0.0, 0.01, 0.02, 0.024], rtol=1e-14)
    carried = output.vorticity[0]
    spectrum = np.fft.rfft2(carried)
    cut = (GRID - 1) // 3
    assert np.abs(spectrum[:, cut + 1 :]).max() < 1e-12 * np.abs(spectrum).max()
    expected = {
        "Conventions": "CF-1.10",
        "host": "fortran",
        "state": "complete",
        "steps_done": 12,
        "grid": GRID,
        "closure": "leith",
        "closure_constant": 0.2,
        "integrator": "ifrk4",
        "dealiasing": "two_thirds",
        "beta": 20.0,
        "dt": 2e-3,
    }
    assert {name: output.attributes[name] for name in expected} == expected
    last = result.stdout.splitlines()[-1].split()
    assert last[0] == "done"
    assert float(last[1]) >= float(last[2]) > 0.0
    assert output.attributes["wall_seconds"] == pytest.approx(float(last[1]), abs=1e-5)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
@pytest.mark.parametrize("integrator", ["ifrk4", "ab2cn"])
def test_a_restart_continues_bit_for_bit(subgrid_les, tmp_path, settings, integrator, dealiasing):
    numerics = {"integrator": integrator, "dealiasing": dealiasing, "closure": "leith"}
    whole = settings | numerics
    first = whole | {
        "steps": 10,
        "output_file": tmp_path / "first.nc",
        "restart_output_file": tmp_path / "middle.nc",
    }
    second = first | {
        "initial_file": None,
        "restart_file": tmp_path / "middle.nc",
        "output_file": tmp_path / "second.nc",
        "restart_output_file": tmp_path / "end.nc",
    }
    for run in (whole, first, second):
        result = subgrid_les(tmp_path, **run)
        assert result.returncode == 0, result.stderr
    one, two = read_output(tmp_path / "output.nc"), read_output(tmp_path / "second.nc")
    np.testing.assert_array_equal(one.time[-2:], two.time)
    np.testing.assert_array_equal(one.vorticity[-2:], two.vorticity)
    straight, joined = read_restart(tmp_path / "restart.nc"), read_restart(tmp_path / "end.nc")
    np.testing.assert_array_equal(straight.vorticity_hat, joined.vorticity_hat)
    np.testing.assert_array_equal(straight.previous_advection_hat, joined.previous_advection_hat)
    assert straight.attributes == joined.attributes
    assert straight.attributes["step"] == 20
    assert straight.attributes["has_previous"] == (integrator == "ab2cn")
    assert np.abs(straight.previous_advection_hat).max() > 0 or integrator == "ifrk4"


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


@pytest.mark.parametrize("existing", ["output_file", "restart_output_file"])
def test_an_existing_output_is_never_overwritten(subgrid_les, tmp_path, settings, existing):
    settings[existing].write_text("precious")
    result = subgrid_les(tmp_path, **settings)
    assert result.returncode == FILE
    assert "exists already" in result.stderr
    assert settings[existing].read_text() == "precious"
    assert len(list(tmp_path.glob("*.nc*"))) == 2


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


def test_a_blow_up_keeps_the_output_up_to_then(subgrid_les, tmp_path, settings):
    write_field(tmp_path / "start.nc", 50.0 * random_vorticity(GRID, seed=3))
    run = settings | {"dt": 0.05, "steps": 5000, "save_every": 2, "closure": "none"}
    result = subgrid_les(tmp_path, **run)
    assert result.returncode == BLOW_UP
    assert "blew up" in result.stderr
    output = read_output(tmp_path / "output.nc")
    assert output.attributes["state"] == "blown_up"
    assert np.isfinite(output.vorticity).all()
    assert output.attributes["blow_up_time"] == output.time[-1]
    assert output.attributes["steps_done"] == round(output.time[-1] / 0.05)
    restart = read_restart(tmp_path / "restart.nc")
    assert restart.attributes["time"] == output.time[-1]
    assert np.isfinite(restart.vorticity_hat).all()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_output_and_restart(subgrid_les, tmp_path, settings, number, monkeypatch):
    """The run is long; the signal is sent when it has told of its first progress."""
    started = []

    def interrupt(command, **_):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            started.append(process.stdout.readline())
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    monkeypatch.setattr(subprocess, "run", interrupt)
    began = time.monotonic()
    result = subgrid_les(tmp_path, **(settings | {"steps": 100_000_000, "save_every": 100_000_000}))
    assert time.monotonic() - began < 30
    assert started[0].startswith("progress ")
    assert result.returncode == INTERRUPTED
    output, restart = read_output(tmp_path / "output.nc"), read_restart(tmp_path / "restart.nc")
    assert output.attributes["state"] == "interrupted"
    assert output.attributes["steps_done"] == restart.attributes["step"] > 0
    assert output.time[-1] == restart.attributes["time"]


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
