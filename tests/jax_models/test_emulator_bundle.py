"""Bundles of emulators: ensembles beside the deterministic program, and check rows that can be trusted."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.bundle import Bundle
from subgrid.contracts.feature_sets import feature_set
from subgrid.jax_models import recipes
from subgrid.jax_models.column_emulator import ColumnEmulator
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.emulator_bundle import (
    CHECK_ENTRIES,
    check_rows,
    export_emulator,
    load_emulator,
    load_ensemble,
)
from subgrid.jax_models.networks.cvae import CVAE
from subgrid.jax_models.networks.heteroskedastic import Heteroskedastic
from subgrid.jax_models.networks.randomized_prior import RandomizedPrior
from subgrid.jax_models.training_set import TrainingSet

pytestmark = pytest.mark.usefixtures("quick_compilation")

SMALL = {
    "hsr": lambda i, o, rngs: Heteroskedastic(i, o, rngs=rngs, width=16, depth=1),
    "cvae": lambda i, o, rngs: CVAE(i, o, rngs=rngs, width=16, depth=1),
    "rpn": lambda i, o, rngs: RandomizedPrior(i, o, rngs=rngs, count=5, widths=(8,)),
}


@pytest.fixture(scope="module")
def rows():
    return TrainingSet(mock_columns(2, ncol=96, seed=1), feature_set("V1"))


@pytest.fixture(scope="module", params=["rpn", "cvae", pytest.param("hsr", marks=pytest.mark.slow)])
def exported(request, rows, tmp_path_factory):
    model = recipes.z_scored(SMALL[request.param])(rows, nnx.Rngs(0))
    path = tmp_path_factory.mktemp(request.param) / "e.bundle"
    export_emulator(
        path, model, rows.inputs, name=request.param, description="", batch_sizes=(8,), platforms=("cpu",)
    )
    return request.param, path, model, load_ensemble(path)


def test_members_come_from_the_seed_of_their_column(exported, rows):
    kind, _, _, draw = exported
    x = rows.inputs[:11]
    members = draw(x, np.arange(11))
    assert members.shape == (11, 5 if kind == "rpn" else 32, 128)
    # The same column with the same seed, in another place of another batch.
    np.testing.assert_allclose(draw(x[4:5], [4])[0], members[4], rtol=1e-4, atol=1e-5 * np.abs(x).max())
    other = draw(x, np.arange(100, 111))
    assert np.allclose(other, members) == (kind == "rpn")


def test_the_deterministic_program_is_the_centre_of_the_ensemble(exported, rows):
    kind, path, model, draw = exported
    x = rows.inputs[:8]
    features, predict, bundle = load_emulator(path)
    point = predict(x)
    scale = np.abs(point).max(axis=0) + 1e-30
    np.testing.assert_allclose(point / scale, np.asarray(model(jnp.asarray(x))) / scale, atol=1e-4)
    members = np.concatenate(
        [draw(x, np.arange(8) + 8 * k) for k in range(1 if kind == "rpn" else 12)], axis=1
    )
    spread = members.std(axis=1) + 1e-4 * scale
    distance = np.abs(members.mean(axis=1) - point) / spread
    # cVAE's point is z = 0, not the mean over z, and its decoder is not linear.
    assert distance.mean() < {"rpn": 0.05, "hsr": 0.1, "cvae": 0.4}[kind]
    assert [f.name for f in bundle.inputs] == list(features.inputs)


def test_weights_are_stored_once_and_both_bundles_are_whole(exported):
    _, path, _, _ = exported
    inner = Bundle.open(path / "ensemble")
    assert (path / "weights.bin").samefile(path / "ensemble" / "weights.bin")
    assert inner.inputs[-1].name == "seed"
    assert inner.field("ptend_t").shape[1:] == (60,)
    assert inner.field("cam_out_PRECC").shape == inner.field("ptend_t").shape[:1]


def test_a_deterministic_emulator_has_no_ensemble(rows, tmp_path):
    model = recipes.recipe("constant").build(rows, nnx.Rngs(0))
    export_emulator(tmp_path / "c.bundle", model, rows.inputs, name="c", description="", platforms=("cpu",))
    assert load_ensemble(tmp_path / "c.bundle") is None
    assert not (tmp_path / "c.bundle" / "ensemble").exists()


def test_check_rows_are_those_in_which_no_output_is_nearly_zero(rows):
    """At night sunlight is zero: a check relative to the largest value would ask for less than round-off."""
    features = feature_set("V1")
    slices = features.output_slices
    sun = rows.inputs[:, features.input_slices["pbuf_SOLIN"]]

    class Daylight(nnx.Module):
        """Every output is the sunlight of its column, but one that is largest where the sun is low."""

        def __call__(self, raw):
            light = raw[:, features.input_slices["pbuf_SOLIN"]]
            values = jnp.broadcast_to(light, (raw.shape[0], features.n_out))
            return values.at[:, slices["cam_out_PRECC"].start].set(700.0 - jnp.minimum(light[:, 0], 700.0))

    chosen = check_rows(Judged(features, Daylight()), rows.inputs)
    light = chosen[:, features.input_slices["pbuf_SOLIN"]][:, 0]
    assert chosen.shape == (CHECK_ENTRIES, features.n_in)
    # Half of the columns are dark; the best are those of which the smaller of the two is largest.
    assert np.median(sun) < 100
    assert ((light > 200) & (light < 500)).all()
    few = check_rows(Judged(features, Daylight()), rows.inputs[:2])
    assert len(few) == 2


class Judged:
    def __init__(self, features, network):
        self.features, self.network = features, network

    def __call__(self, raw):
        return self.network(raw)


def test_exported_checks_hold_no_night(rows, tmp_path):
    recipe = dataclasses.replace(recipes.recipe("linear"))
    model: ColumnEmulator = recipe.build(rows, nnx.Rngs(0))
    recipe.solve(model, rows)
    bundle = export_emulator(
        tmp_path / "l.bundle",
        model,
        rows.inputs,
        name="l",
        description="",
        batch_sizes=(8,),
        platforms=("cpu",),
    )
    arguments, expected = bundle.read_check(bundle.programs[0])
    sunlight = arguments[[f.name for f in bundle.inputs].index("pbuf_SOLIN")]
    assert (sunlight > 0).all()
    for name, values in zip(bundle.programs[0].outputs, expected, strict=True):
        largest = np.abs(values).max()
        assert (np.abs(values).reshape(len(values), -1).max(axis=1) > 1e-2 * largest).all(), name
