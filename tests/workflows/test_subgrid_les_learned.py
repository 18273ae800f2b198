"""A bundle inside the Fortran program: NumPy marches the same, restarts are exact, misfits are refused."""

import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.bundle import Field
from subgrid.contracts.errors import SetupError
from subgrid.contracts.les_file import read_output, read_restart, write_field
from subgrid.fortran_bridge.plugins import find_plugin
from subgrid.jax_models.export import export_bundle
from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d import numpy_solver
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

GRID = 32
STEPS = 100
DT = 2e-3
INPUT, FILE = 2, 3


def diffusion(weights, vorticity, xp=jnp):
    """A five-point Laplacian that saturates, (..., y, x): nothing learned, but no formula of the host."""
    neighbours = sum(xp.roll(vorticity, shift, axis) for shift in (-1, 1) for axis in (-2, -1))
    return weights["strength"] * xp.tanh(neighbours - 4.0 * vorticity)


WEIGHTS = {"strength": np.float32(15.0)}


def export(path, shape, outputs=1):
    def apply(weights, vorticity):
        tendency = diffusion(weights, vorticity)
        return tendency if outputs == 1 else (tendency, tendency)

    export_bundle(
        path,
        apply,
        {"strength": jnp.float32(WEIGHTS["strength"])},
        inputs=[Field("vorticity", "float32", shape, units="1")],
        outputs=[Field(f"tendency_{i}", "float32", shape, units="1") for i in range(outputs)],
        check_inputs=[np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)],
        name="bent_diffusion",
        description="a bent diffusion for tests",
        programs=("forward",),
        batch_sizes=(1,),
        platforms=("cpu",),
    )
    return path


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    return {
        "good": export(folder / "good.bundle", (GRID, GRID)),
        "coarse": export(folder / "coarse.bundle", (GRID // 2, GRID // 2)),
        "twofold": export(folder / "twofold.bundle", (GRID, GRID), outputs=2),
    }


@pytest.fixture
def settings(tmp_path, bundles) -> dict:
    try:
        plugin = find_plugin("cpu")
    except SetupError as error:
        pytest.skip(f"no CPU plug-in: {error}")
    flow = get_case("k4b0")
    write_field(tmp_path / "start.nc", 2.0 * random_vorticity(GRID, seed=5))
    return {
        "n": GRID,
        "forcing_wavenumber": flow.forcing_wavenumber,
        "beta": flow.beta,
        "viscosity": flow.viscosity,
        "drag": flow.drag,
        "dt": DT,
        "steps": STEPS,
        "save_every": STEPS,
        "closure": "learned",
        "bundle": bundles["good"],
        "plugin": plugin,
        "device": "cpu",
        "initial_file": tmp_path / "start.nc",
        "output_file": tmp_path / "output.nc",
        "restart_output_file": tmp_path / "restart.nc",
    }


def test_the_bundle_does_in_fortran_what_it_does_in_numpy(subgrid_les, tmp_path, settings):
    result = subgrid_les(tmp_path, **settings)
    assert result.returncode == 0, result.stderr
    output = read_output(tmp_path / "output.nc")

    def march(closure):
        numerics = Numerics(DT)
        step = numpy_solver.make_step(get_case("k4b0"), GRID, numerics, closure)
        state = numpy_solver.initial_state(2.0 * random_vorticity(GRID, seed=5), numerics)
        return numpy_solver.vorticity(numpy_solver.march(step, state, STEPS))

    def apply(vorticity):
        return diffusion(WEIGHTS, vorticity.astype(np.float32), np).astype(np.float64)

    expected, without = march(get_closure("learned", apply=apply)), march(get_closure("none"))
    scale = np.abs(expected).max()
    assert np.abs(expected - without).max() > 0.05 * scale  # the closure does something
    assert np.abs(output.vorticity[-1] - expected).max() < 1e-5 * scale  # as much as float32 allows
    assert output.attributes["bundle"] == str(settings["bundle"])
    assert 0.0 < output.attributes["closure_seconds"] <= output.attributes["wall_seconds"]


def test_a_learned_run_restarts_bit_for_bit(subgrid_les, tmp_path, settings, in_two_runs):
    for run in (settings, *in_two_runs(settings)):
        result = subgrid_les(tmp_path, **run)
        assert result.returncode == 0, result.stderr
    straight, joined = read_restart(tmp_path / "restart.nc"), read_restart(tmp_path / "end.nc")
    np.testing.assert_array_equal(straight.vorticity_hat, joined.vorticity_hat)
    assert straight.attributes == joined.attributes
    np.testing.assert_array_equal(
        read_output(tmp_path / "output.nc").vorticity[-1], read_output(tmp_path / "second.nc").vorticity[-1]
    )


@pytest.mark.parametrize(
    ("bundle", "code", "words"),
    [
        ("coarse", INPUT, ("(16 16)", "(32 32)")),
        ("twofold", FILE, ("one output",)),
        ("absent", FILE, ("absent.bundle",)),
    ],
)
def test_bundles_that_do_not_fit_are_refused(subgrid_les, tmp_path, settings, bundles, bundle, code, words):
    path = bundles.get(bundle, tmp_path / f"{bundle}.bundle")
    result = subgrid_les(tmp_path, **(settings | {"bundle": path}))
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("subgrid_les: ")
    assert all(word in result.stderr for word in words)
    assert not list(tmp_path.glob("output.nc*"))
