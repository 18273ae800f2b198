"""The Fortran program: records, restart bit for bit, blow-up, interruption."""

import signal
import subprocess
import time

import numpy as np
import pytest

from subgrid.contracts.les_file import read_output, read_restart, write_field
from subgrid.sims.turbulence2d.initial import random_vorticity

GRID = 32  # of the fixture `settings`
FILE, BLOW_UP, INTERRUPTED = 3, 4, 130


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
def test_a_restart_continues_bit_for_bit(
    subgrid_les, tmp_path, settings, in_two_runs, integrator, dealiasing
):
    numerics = {"integrator": integrator, "dealiasing": dealiasing, "closure": "leith"}
    whole = settings | numerics
    for run in (whole, *in_two_runs(whole)):
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


@pytest.mark.parametrize("existing", ["output_file", "restart_output_file"])
def test_an_existing_output_is_never_overwritten(subgrid_les, tmp_path, settings, existing):
    settings[existing].write_text("precious")
    result = subgrid_les(tmp_path, **settings)
    assert result.returncode == FILE
    assert "exists already" in result.stderr
    assert settings[existing].read_text() == "precious"
    assert len(list(tmp_path.glob("*.nc*"))) == 2


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
