"""The pipeline end to end on mock columns, and the required ordering of emulators on the real ones."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.feature_sets import feature_set
from subgrid.contracts.variables import V1_TARGETS
from subgrid.jax_models.data.columns import inputs_of
from subgrid.jax_models.data.splits import absolute_seconds, times_of
from subgrid.jax_models.emulator_bundle import export_emulator, load_emulator
from subgrid.jax_models.networks.randomized_prior import RandomizedPrior
from subgrid.jax_models.recipes import z_scored
from subgrid.validation.climsim import metrics
from subgrid.validation.climsim.scores import score
from subgrid.workflows import climsim, climsim_training, climsim_verdict

pytestmark = pytest.mark.usefixtures("quick_compilation")

CPU = ("cpu",)


@pytest.fixture(scope="module")
def bundles(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    for name in ("constant", "linear"):
        climsim_training.train(store, folder / f"{name}.bundle", name, held_out=4, platforms=CPU)
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
    rows = climsim_training.training_rows(store, feature_set("V1"), "train", held_out=4)
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


def test_columns_with_no_more_than_v1_are_scored_too(bundles, store, tmp_path, write_columns):
    """As the quick-start arrays are: no land, no albedo, no winds."""
    whole, features = climsim.load_part(store, "all"), feature_set("V1")
    names = (*features.inputs, *features.outputs)
    few = type(whole)({n: whole.fields[n] for n in names}, whole.ymd, whole.tod, whole.grid)
    data = write_columns(tmp_path / "v1.zarr", few)
    again = climsim_training.train(data, tmp_path / "l.bundle", "linear", held_out=4, platforms=CPU)
    scores = scored([bundles / "constant.bundle", again], data)
    found = scores["models"]["l"]["variables"]["cam_out_NETSW"]
    assert set(found["mae_by_regime"]) >= {"day", "night"}
    assert "land" not in found["mae_by_regime"]
    assert "NETSW identity, rms [W/m2]" not in scores["truth"]["invariants"]


def test_nothing_unseen_is_an_error(bundles, store, tmp_path):
    whole = climsim_training.train(store, tmp_path / "all.bundle", "constant", part="all", platforms=CPU)
    with pytest.raises(InputError, match="seen in training"):
        climsim_verdict.validate([whole], store, tmp_path / "report")


def test_real_emulators_stand_in_the_required_order(tmp_path):
    data = Path(__file__).resolve().parents[3] / "shared/data/climsim/climsim_lowres_real_60steps.nc"
    if not data.is_file():
        pytest.skip("the shared ClimSim data are not beside the checkout")
    held_out = climsim.load_part(data, "test")
    assert held_out.steps == 12
    case, mae = climsim_verdict.case_of(held_out), {}
    for name in ("constant", "linear"):
        bundle = climsim_training.train(data, tmp_path / f"{name}.bundle", name, platforms=CPU)
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
