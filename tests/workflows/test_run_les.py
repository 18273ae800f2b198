"""`subgrid run les`: the same run in three hosts, restarts, interruptions, blow-ups and refusals."""

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import BlowUpError, FileError, InputError
from subgrid.contracts.les_file import read_output, read_restart, write_field
from subgrid.workflows.les.runner import restart_path, run_les
from subgrid.workflows.les.setup import LesSetup

PYTHON_HOSTS = ("numpy", "jax")


def setup(**changes):
    """A run of 40 steps on 32² points, saved every 10 steps."""
    return LesSetup(
        **{"grid": 32, "time": 0.2, "dt": 0.005, "save_interval": 0.05, "host": "numpy"} | changes
    )


@pytest.mark.parametrize("closure", ["none", "leith", "dynamic_smagorinsky"])
def test_numpy_and_jax_hosts_agree(tmp_path, closure):
    fields = {}
    for host in PYTHON_HOSTS:
        run_les(setup(host=host, closure=closure), tmp_path / f"{host}.nc")
        fields[host] = read_output(tmp_path / f"{host}.nc").vorticity
    assert fields["numpy"].shape == (5, 32, 32)
    np.testing.assert_allclose(fields["jax"], fields["numpy"], atol=1e-11 * np.abs(fields["numpy"]).max())


@pytest.mark.usefixtures("subgrid_les")
def test_fortran_host_agrees_with_numpy(tmp_path):
    for host in ("fortran", "numpy"):
        run_les(setup(host=host, closure="smagorinsky"), tmp_path / f"{host}.nc")
    fortran, numpy = (read_output(tmp_path / f"{host}.nc") for host in ("fortran", "numpy"))
    np.testing.assert_allclose(fortran.time, numpy.time)
    np.testing.assert_allclose(fortran.vorticity, numpy.vorticity, atol=1e-11 * np.abs(numpy.vorticity).max())
    assert set(numpy.attributes) - set(fortran.attributes) == set()


@pytest.mark.parametrize("integrator", ["ifrk4", "ab2cn"])
@pytest.mark.parametrize("host", PYTHON_HOSTS)
def test_restart_continues_bit_for_bit(tmp_path, host, integrator):
    run_les(setup(host=host, integrator=integrator, time=0.4), tmp_path / "whole.nc")
    half = setup(host=host, integrator=integrator)
    run_les(half, tmp_path / "first.nc")
    run_les(half, tmp_path / "second.nc", restart=restart_path(tmp_path / "first.nc"))
    whole, second = read_output(tmp_path / "whole.nc"), read_output(tmp_path / "second.nc")
    np.testing.assert_array_equal(second.vorticity[-1], whole.vorticity[-1])
    np.testing.assert_allclose(second.time, whole.time[-4:])
    a, b = (read_restart(restart_path(tmp_path / f"{name}.nc")) for name in ("whole", "second"))
    np.testing.assert_array_equal(a.vorticity_hat, b.vorticity_hat)
    assert a.attributes["step"] == b.attributes["step"] == 80


@pytest.mark.parametrize("host", PYTHON_HOSTS)
def test_time_goes_on_from_a_restart_with_another_step(tmp_path, host):
    run_les(setup(host=host), tmp_path / "first.nc")
    coarse = setup(host=host, dt=0.01, time=0.1)
    run_les(coarse, tmp_path / "second.nc", restart=restart_path(tmp_path / "first.nc"))
    np.testing.assert_allclose(read_output(tmp_path / "second.nc").time, [0.25, 0.3])
    assert read_restart(restart_path(tmp_path / "second.nc")).attributes["time"] == pytest.approx(0.3)


@pytest.mark.parametrize("host", PYTHON_HOSTS)
def test_adams_bashforth_refuses_a_restart_with_another_step(tmp_path, host):
    run_les(setup(host=host, integrator="ab2cn"), tmp_path / "first.nc")
    coarse = setup(host=host, integrator="ab2cn", dt=0.01)
    with pytest.raises(FileError, match="continue with the same dt"):
        run_les(coarse, tmp_path / "second.nc", restart=restart_path(tmp_path / "first.nc"))
    assert not (tmp_path / "second.nc").exists()


def test_interrupted_run_resumes(tmp_path):
    def interrupt(done, total, **_):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(
        KeyboardInterrupt, match=r"part.nc holds 20 steps; go on with --restart .*part.restart"
    ):
        run_les(setup(), tmp_path / "part.nc", progress=interrupt)
    assert read_output(tmp_path / "part.nc").attributes["state"] == "interrupted"
    run_les(setup(time=0.1), tmp_path / "rest.nc", restart=restart_path(tmp_path / "part.nc"))
    run_les(setup(), tmp_path / "whole.nc")
    np.testing.assert_array_equal(
        read_output(tmp_path / "rest.nc").vorticity[-1], read_output(tmp_path / "whole.nc").vorticity[-1]
    )


def test_output_is_self_describing(tmp_path):
    run_les(setup(closure="leith", closure_constant=0.2), tmp_path / "run.nc")
    with netCDF4.Dataset(tmp_path / "run.nc") as dataset:
        assert dataset.Conventions == "CF-1.10"
        assert all(
            {"units", "long_name"} <= set(variable.ncattrs()) for variable in dataset.variables.values()
        )
        assert (dataset.closure, dataset.closure_constant, dataset.state) == ("leith", 0.2, "complete")
        assert {"git_revision", "created", "numpy", "dt", "beta", "seed"} <= set(dataset.ncattrs())


@pytest.mark.parametrize("host", PYTHON_HOSTS)
def test_blow_up_keeps_what_came_before_and_names_the_time(tmp_path, host):
    wild = setup(host=host, dt=0.4, time=200.0, save_interval=0.4)
    with pytest.raises(BlowUpError, match="blew up after t = ") as caught:
        run_les(wild, tmp_path / "run.nc")
    output = read_output(tmp_path / "run.nc")
    assert output.attributes["state"] == "blown_up"
    assert output.time[-1] == pytest.approx(caught.value.time)
    assert np.isfinite(output.vorticity).all()


def test_initial_states_are_resampled_and_chosen_by_seed(tmp_path):
    x = 2 * np.pi * np.arange(48) / 48
    write_field(tmp_path / "start.nc", np.cos(3 * x)[None, :] * np.cos(2 * x)[:, None])
    run_les(setup(initial=tmp_path / "start.nc"), tmp_path / "run.nc")
    coarse = 2 * np.pi * np.arange(32) / 32
    expected = np.cos(3 * coarse)[None, :] * np.cos(2 * coarse)[:, None]
    np.testing.assert_allclose(read_output(tmp_path / "run.nc").vorticity[0], expected, atol=1e-12)
    with pytest.raises(InputError, match="holds 1 states; expected 0 to 0"):
        run_les(setup(initial=tmp_path / "start.nc", seed=3), tmp_path / "other.nc")


def test_not_finite_initial_field_is_refused(tmp_path):
    field = np.ones((32, 32))
    field[3, 4] = np.nan
    write_field(tmp_path / "start.nc", field)
    with pytest.raises(InputError, match="1 values that are not finite"):
        run_les(setup(initial=tmp_path / "start.nc"), tmp_path / "run.nc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["start.nc"]


def test_existing_output_is_kept_unless_told(tmp_path):
    run_les(setup(), tmp_path / "run.nc")
    before = (tmp_path / "run.nc").read_bytes()
    with pytest.raises(FileError, match="already exists"):
        run_les(setup(), tmp_path / "run.nc")
    assert (tmp_path / "run.nc").read_bytes() == before
    run_les(setup(time=0.1), tmp_path / "run.nc", overwrite=True)
    assert len(read_output(tmp_path / "run.nc").time) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": 64}, "restart was written with grid = 32"),
        ({"integrator": "ab2cn"}, "restart was written with integrator = ifrk4"),
    ],
)
def test_restart_of_another_run_is_refused(tmp_path, changes, message):
    run_les(setup(), tmp_path / "first.nc")
    with pytest.raises(FileError, match=message):
        run_les(setup(**changes), tmp_path / "second.nc", restart=restart_path(tmp_path / "first.nc"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"host": "matlab"}, "expected one of fortran, numpy, jax"),
        ({"time": 0.0}, "expected a positive number"),
        ({"time": float("nan")}, "expected a positive number"),
        ({"dt": -1.0}, "expected a positive number"),
        ({"case": "k5"}, "known cases"),
        ({"case": "k25b0", "dealiasing": "none", "grid": 50}, "smallest grid"),
        ({"seed": -1}, "expected 0, 1, 2"),
        ({"integrator": "euler"}, "known: ifrk4, ab2cn"),
    ],
)
def test_impossible_runs_are_refused_before_they_start(changes, message):
    with pytest.raises(InputError, match=message):
        setup(**changes)


def test_unknown_closure_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="Unknown closure"):
        run_les(setup(closure="smagorinski"), tmp_path / "run.nc")
    assert list(tmp_path.iterdir()) == []
