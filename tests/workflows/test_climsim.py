"""The pipeline end to end on mock columns, and the required ordering of emulators on the real ones."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from flax import nnx
from typer.testing import CliRunner

from subgrid.contracts.bundle import Bundle
from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.variables import V1_TARGETS, feature_set
from subgrid.jax_models.data.columns import inputs_of
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.splits import absolute_seconds, times_of
from subgrid.jax_models.data.store import write_store
from subgrid.jax_models.emulator_bundle import export_emulator, load_emulator
from subgrid.jax_models.networks.randomized_prior import RandomizedPrior
from subgrid.jax_models.recipes import metric_weights, z_scored
from subgrid.jax_models.sampling import RareRegimes
from subgrid.validation.climsim import metrics
from subgrid.validation.climsim.invariants import residuals
from subgrid.validation.climsim.scores import score
from subgrid.workflows import climsim, climsim_verdict
from subgrid.workflows.cli import app

CPU = ("cpu",)


def steps_of(columns):
    for i in range(columns.steps):
        yield int(columns.ymd[i]), int(columns.tod[i]), {n: f[i] for n, f in columns.fields.items()}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two steps on each of eight days that do not follow each other."""
    columns = mock_columns(16, ncol=96, seed=3)
    ymd, tod = 80201 + np.arange(16) // 2 * 2, 40000 + 1200 * (np.arange(16) % 2)
    path = tmp_path_factory.mktemp("climsim") / "mock.zarr"
    write_store(
        path, steps_of(type(columns)(columns.fields, ymd, tod, columns.grid)), columns.grid, capacity=16
    )
    return path


@pytest.fixture(scope="module")
def bundles(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    for name in ("constant", "linear"):
        climsim.train(store, folder / f"{name}.bundle", name, held_out=4, platforms=CPU)
    return folder


def test_a_bundle_gives_what_was_trained_and_names_its_steps(bundles, store):
    features, predict, bundle = load_emulator(bundles / "linear.bundle")
    assert features == feature_set("V1")
    columns = climsim.load_part(store, "test", held_out=4)
    assert columns.steps == 4
    matrix = predict(inputs_of(columns, features))
    assert matrix.shape == (4 * 96, 128)
    # Any number of columns, whatever the compiled batch sizes.
    np.testing.assert_allclose(predict(inputs_of(columns, features)[:5]), matrix[:5], rtol=1e-4, atol=1e-9)
    trained_on = times_of(json.loads(bundle.config)["trained_on"])
    assert len(trained_on) == 12
    assert not set(trained_on) & set(absolute_seconds(columns.ymd, columns.tod))


def test_validation_scores_only_unseen_steps_by_default(bundles, store, tmp_path):
    models = [bundles / "constant.bundle", bundles / "linear.bundle"]
    sentence = climsim_verdict.validate(models, store, tmp_path / "report", reference="constant")
    assert sentence.startswith("linear has -")
    scores = json.loads((tmp_path / "report" / "scores.json").read_text())
    assert scores["time_steps"] == 4
    assert scores["models"]["linear"]["parameters"] > 124 * 128
    assert scores["models"]["linear"]["variables"]["cam_out_NETSW"]["mae_by_regime"]["land"] > 0
    with pytest.raises(FileError, match="already exists"):
        climsim_verdict.validate(models, store, tmp_path / "report")


def scored(models, data):
    """Scores of bundles on the held-out steps, without the page."""
    columns = climsim.load_part(data, "test", held_out=4)
    case = climsim_verdict.case_of(columns)
    return score(case, [climsim_verdict.emulate(model, columns, case) for model in models])


def test_members_are_scored_beside_the_point(bundles, store, tmp_path):
    rows = climsim.training_rows(store, feature_set("V1"), "train", held_out=4)
    model = z_scored(partial(RandomizedPrior, count=4, widths=(8,)))(rows, nnx.Rngs(0))
    export_emulator(
        tmp_path / "rpn.bundle",
        model,
        rows.inputs,
        name="rpn",
        description="",
        batch_sizes=(96,),
        platforms=CPU,
    )
    models = scored([bundles / "linear.bundle", tmp_path / "rpn.bundle"], store)["models"]
    assert models["linear"]["ensemble"] == {}
    for name in V1_TARGETS:
        found = models["rpn"]["ensemble"][name]
        assert found["members"] == 4
        assert 0 < found["crps"] <= models["rpn"]["variables"][name]["mae"] * 1.2
        assert sum(found["rank_histogram"]) == pytest.approx(1)
    assert models["rpn"]["flops_per_column"] > 2 * 4 * 2 * 124 * 8


def test_columns_with_no_more_than_v1_are_scored_too(bundles, store, tmp_path):
    """As the quick-start arrays are: no land, no albedo, no winds."""
    whole, features = climsim.load_part(store, "all"), feature_set("V1")
    names = (*features.inputs, *features.outputs)
    few = type(whole)({n: whole.fields[n] for n in names}, whole.ymd, whole.tod, whole.grid)
    write_store(tmp_path / "v1.zarr", steps_of(few), few.grid, capacity=16, names=names)
    again = climsim.train(tmp_path / "v1.zarr", tmp_path / "l.bundle", "linear", held_out=4, platforms=CPU)
    scores = scored([bundles / "constant.bundle", again], tmp_path / "v1.zarr")
    found = scores["models"]["l"]["variables"]["cam_out_NETSW"]
    assert set(found["mae_by_regime"]) >= {"day", "night"}
    assert "land" not in found["mae_by_regime"]
    assert "NETSW identity, rms [W/m2]" not in scores["truth"]["invariants"]


def test_nothing_unseen_is_an_error(bundles, store, tmp_path):
    whole = climsim.train(store, tmp_path / "all.bundle", "constant", part="all", platforms=CPU)
    with pytest.raises(InputError, match="seen in training"):
        climsim_verdict.validate([whole], store, tmp_path / "report")


def test_a_streamed_training_resumes_where_it_was_stopped(store, tmp_path):
    """Interrupted within an epoch and resumed from its checkpoint, it ends with the same parameters."""
    options = {"held_out": 4, "epochs": 4, "memory_gb": 0.0, "platforms": CPU}
    whole = climsim.train(store, tmp_path / "whole.bundle", "mlp512", **options)

    class StopError(Exception):
        pass

    def stop(done, total, **numbers):
        if done > total / 2:
            raise StopError

    folder = tmp_path / "checkpoints"
    with pytest.raises(StopError):
        climsim.train(
            store, tmp_path / "half.bundle", "mlp512", checkpoint_dir=folder, progress=stop, **options
        )
    resumed = climsim.train(store, tmp_path / "half.bundle", "mlp512", checkpoint_dir=folder, **options)
    bundles = [Bundle.open(path) for path in (whole, resumed)]
    for expected, found in zip(*(b.read_parameters() for b in bundles), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert json.loads(bundles[0].config)["reading"] == "stream"
    assert climsim.load_part(store, "train", held_out=4).steps == len(
        times_of(json.loads(bundles[0].config)["trained_on"])
    )


def test_streamed_and_held_rows_have_the_same_weights(store):
    """Metric weights of a group come from the statistics of the sample, not from its own."""
    features = feature_set("V2_sun")
    held = climsim.training_rows(store, features, "all")
    streamed = climsim.training_rows(store, features, "all", memory_gb=0.0)
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
    bundle = climsim.train(
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


def test_real_emulators_stand_in_the_required_order(tmp_path):
    data = Path(__file__).resolve().parents[3] / "shared/data/climsim/climsim_lowres_real_60steps.nc"
    if not data.is_file():
        pytest.skip("the shared ClimSim data are not beside the checkout")
    held_out = climsim.load_part(data, "test")
    assert held_out.steps == 12
    case, mae = climsim_verdict.case_of(held_out), {}
    for name in ("constant", "linear"):
        bundle = climsim.train(data, tmp_path / f"{name}.bundle", name, platforms=CPU)
        outputs = climsim_verdict.emulate(bundle, held_out).outputs
        mae[name] = {
            n: metrics.mean_absolute_error(case.energy(n, outputs[n]), case.energy(n, case.targets[n])).mean()
            for n in V1_TARGETS
        }
    # Another split of another 99 steps; nature varies by a few per cent between them.
    anchors = (4.605, 5.870, 195.2, 58.96, 10.87, 98.33, 82.62, 88.39, 38.33, 22.39)
    for name, anchor in zip(V1_TARGETS, anchors, strict=True):
        assert mae["linear"][name] < mae["constant"][name]
        assert mae["constant"][name] == pytest.approx(anchor, rel=0.05)


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
