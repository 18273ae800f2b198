"""Training of emulators by name: streamed and held rows, resuming, physics in the bundle, two processes."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from subgrid.contracts.bundle import Bundle
from subgrid.contracts.errors import InputError
from subgrid.contracts.feature_sets import feature_set
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.splits import times_of
from subgrid.jax_models.recipes import metric_weights
from subgrid.jax_models.sampling import RareRegimes
from subgrid.validation.climsim import report
from subgrid.validation.climsim.invariants import residuals
from subgrid.validation.page import Section
from subgrid.workflows import climsim, climsim_training, climsim_verdict

pytestmark = pytest.mark.usefixtures("quick_compilation")

CPU = ("cpu",)


def test_a_streamed_training_resumes_where_it_was_stopped(store, tmp_path):
    """Interrupted within an epoch and resumed from its checkpoint, it ends with the same parameters."""
    options = {"held_out": 4, "epochs": 4, "memory_gb": 0.0, "platforms": CPU}
    whole = climsim_training.train(store, tmp_path / "whole.bundle", "mlp512", **options)

    class StopError(Exception):
        pass

    def stop(done, total, **numbers):
        if done > total / 2:
            raise StopError

    folder = tmp_path / "checkpoints"
    with pytest.raises(StopError):
        climsim_training.train(
            store, tmp_path / "half.bundle", "mlp512", checkpoint_dir=folder, progress=stop, **options
        )
    resumed = climsim_training.train(
        store, tmp_path / "half.bundle", "mlp512", checkpoint_dir=folder, **options
    )
    bundles = [Bundle.open(path) for path in (whole, resumed)]
    for expected, found in zip(*(b.read_parameters() for b in bundles), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert json.loads(bundles[0].config)["reading"] == "stream"
    assert climsim.load_part(store, "train", held_out=4).steps == len(
        times_of(json.loads(bundles[0].config)["trained_on"])
    )


def test_a_training_stopped_by_the_clock_is_exported_and_marked(store, tmp_path):
    choices = {"held_out": 4, "epochs": 2, "platforms": CPU, "seconds": 0.0}
    path = climsim_training.train(store, tmp_path / "m.bundle", "mlp512", **choices)
    bundle, planned = Bundle.open(path), 2 * (12 * 96 // 128)
    recorded = json.loads(bundle.config)
    assert (recorded["stopped"], recorded["steps"], recorded["planned_steps"]) == (True, 1, planned)
    assert bundle.description.endswith(f"Stopped after 1 of {planned} updates.")
    assert climsim_verdict.name_of(path) == f"m-1-of-{planned}"
    assert f"was stopped after 1 of {planned} updates;" in climsim_training.ending(path, store)


def test_streamed_and_held_rows_have_the_same_weights(store):
    """Metric weights of a group come from the statistics of the sample, not from its own."""
    features = feature_set("V2_sun")
    held = climsim_training.training_rows(store, features, "all")
    streamed = climsim_training.training_rows(store, features, "all", memory_gb=0.0)
    assert (held.reading, streamed.reading) == ("memory", "stream")
    with streamed.batches(
        lambda part: {"t": part.inputs[:, 0], "w": metric_weights(part)}, size=96, seed=0
    ) as at:
        rows = at(0)
    order, mine = np.argsort(held.inputs[:, 0]), np.argsort(rows["t"])
    places = order[np.searchsorted(held.inputs[order, 0], rows["t"][mine])]
    np.testing.assert_allclose(rows["w"][mine], metric_weights(held)[places], rtol=1e-6)


def test_physics_survives_the_export(store, tmp_path):
    choices = {"sampling": RareRegimes("cam_out_PRECC", unbiased=False)}
    bundle = climsim_training.train(
        store, tmp_path / "m.bundle", "column_mlp", held_out=4, epochs=1, platforms=CPU, **choices
    )
    recorded = json.loads(Bundle.open(bundle).config)
    assert (recorded["compute"], recorded["parameters"]) == ("float32", "float32")
    assert recorded["sampling"]["variable"] == "cam_out_PRECC"
    assert recorded["sampling"]["unbiased"] is False
    columns = climsim.load_part(store, "test", held_out=4)
    case = climsim_verdict.case_of(columns)
    found = residuals(climsim_verdict.emulate(bundle, columns).outputs, case.inputs, case.mass, case.area)
    assert found["NETSW identity, rms [W/m2]"] < 1e-3
    assert found["shortwave at night, max [W/m2]"] == 0
    assert found["columns with more snow than precipitation [%]"] == 0
    for water in ("vapour", "liquid", "ice"):
        assert found[f"cells with negative {water} after the step [%]"] == 0


@pytest.fixture(scope="module")
def consecutive(tmp_path_factory, write_columns):
    """Five steps in a row, of which three have both predecessors."""
    path = tmp_path_factory.mktemp("consecutive") / "mock.zarr"
    return write_columns(path, mock_columns(5, ncol=96, seed=2))


def test_history_is_streamed_as_it_is_held(consecutive):
    features = feature_set("v6")
    held = climsim_training.training_rows(consecutive, features, "all")
    streamed = climsim_training.training_rows(consecutive, features, "all", memory_gb=0.0)
    assert (held.reading, streamed.reading) == ("memory", "stream")
    assert len(held) == len(streamed) == 3 * 96
    np.testing.assert_array_equal(held.seconds, streamed.seconds)
    with streamed.batches(
        lambda part: {"all": np.concatenate([part.inputs, part.targets], axis=1)}, size=96, seed=0
    ) as at:
        rows = np.concatenate([at(i)["all"] for i in range(3)])
    wanted = np.concatenate([held.inputs, held.targets], axis=1)
    for matrix in (rows, wanted):
        matrix[:] = matrix[np.lexsort(matrix.T)]
    np.testing.assert_array_equal(rows, wanted)


def test_a_recipe_takes_the_features_that_are_asked_for(consecutive, tmp_path, monkeypatch):
    choices = {"part": "all", "features": "v7", "platforms": CPU, "memory_gb": 0.0}
    bundle = Bundle.open(climsim_training.train(consecutive, tmp_path / "l.bundle", "linear", **choices))
    assert tuple(field.name for field in bundle.inputs) == feature_set("v7").inputs
    assert json.loads(bundle.config)["features"] == "v7"
    assert json.loads(bundle.config)["time_steps"] == 3
    with pytest.raises(InputError, match="column_mlp is made for V2_sun, found v7"):
        climsim_training.train(consecutive, tmp_path / "c.bundle", "column_mlp", **choices)

    monkeypatch.setattr(report, "_draw", lambda *everything: [Section("no figures")])
    climsim_verdict.validate([tmp_path / "l.bundle"], consecutive, tmp_path / "report", part="all")
    scores = json.loads((tmp_path / "report" / "scores.json").read_text())
    assert scores["time_steps"] == 3
    assert scores["models"]["l"]["variables"]["ptend_t"]["r2_pooled"] > 0


@pytest.mark.slow
def test_two_processes_train_what_one_does(store, tmp_path):
    alone = climsim_training.train(
        store, tmp_path / "one.bundle", "mlp512", held_out=4, epochs=1, platforms=CPU
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = ["train", "climsim", "mlp512", "--data", store, "--out", tmp_path / "two.bundle"]
    words += ["--held-out", 4, "--epochs", 1, "--distributed"]
    command = [sys.executable, "-c", "from subgrid.workflows.cli import main; main()", *map(str, words)]
    shared = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "JAX_COORDINATOR_ADDRESS": address,
        "JAX_NUM_PROCESSES": "2",
    }
    running = [
        subprocess.Popen(command, env=shared | {"JAX_PROCESS_ID": str(process)}, stdout=subprocess.PIPE)
        for process in (0, 1)
    ]
    said = [process.communicate(timeout=400)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert b"two.bundle" in said[0]
    assert b"two.bundle" not in said[1]
    one, two = (Bundle.open(path) for path in (alone, tmp_path / "two.bundle"))
    assert json.loads(two.config)["devices"] == 2
    for expected, found in zip(one.read_parameters(), two.read_parameters(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
