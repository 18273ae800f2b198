"""Every recipe trains on mock columns, stays finite, and obeys the physics that it promises."""

import dataclasses
from functools import partial

import jax
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import InputError
from subgrid.contracts.variables import SHORTWAVE, STEP_S
from subgrid.jax_models import recipe_builders, recipes
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.emulator_bundle import export_emulator, load_emulator
from subgrid.jax_models.emulator_training import predict, train_emulator
from subgrid.jax_models.ensemble import is_stochastic
from subgrid.jax_models.networks.convnext import ConvNeXt
from subgrid.jax_models.networks.residual_mlp import ResidualMLP
from subgrid.jax_models.normalization import split
from subgrid.jax_models.sampling import RareRegimes
from subgrid.jax_models.training_set import shuffled_batches

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def columns():
    return mock_columns(3, ncol=96, seed=2)


def small(network, **changes):
    """The recipe with a smaller network of the same kind."""
    return dataclasses.replace(network, batch=64, **changes)


def column_mlp():
    build = recipe_builders.physical(lambda i, o, rngs: ResidualMLP(i, o, rngs=rngs, width=32, blocks=1))
    return small(recipes.recipe("column_mlp"), build=build, ema_decay=0.9)


@pytest.fixture(scope="module")
def trained(columns):
    data = recipes.training_data(columns, "column_mlp")
    return train_emulator(column_mlp(), data, epochs=15), data


def test_ours_learns(trained):
    result, _ = trained
    assert result.best_loss < 0.75 * result.history[0]["validation"]


def test_ours_obeys_its_physics_whatever_the_column(trained):
    result, data = trained
    rng = np.random.default_rng(0)
    odd = data.inputs * rng.uniform(0.8, 1.2, data.inputs.shape).astype(np.float32)
    for inputs in (data.inputs, odd):
        outputs = split(predict(result.model, inputs), data.features.output_slices)
        x = split(inputs, data.features.input_slices)
        assert all(np.isfinite(v).all() for v in outputs.values())
        for q in ("q0001", "q0002", "q0003"):
            assert (x[f"state_{q}"] + STEP_S * outputs[f"ptend_{q}"] >= 0).all()
        night = x["coszrs_end"][:, 0] <= 0
        assert all(not outputs[name][night].any() for name in SHORTWAVE)
        assert (outputs["cam_out_PRECSC"] <= outputs["cam_out_PRECC"]).all()
        net = sum(
            outputs[f"cam_out_{b}"].astype(np.float64) * (1 - x[f"cam_in_{a}"])
            for b, a in (("SOLS", "ASDIR"), ("SOLSD", "ASDIF"), ("SOLL", "ALDIR"), ("SOLLD", "ALDIF"))
        )
        np.testing.assert_allclose(outputs["cam_out_NETSW"], net, atol=1e-3)
        assert not outputs["ptend_q0002"][:, :12].any()


def test_fill_values_change_nothing(trained):
    """SNOWHICE is 1e30 without sea ice; 1e20 or another huge number means the same."""
    result, data = trained
    span = data.features.input_slices["cam_in_SNOWHICE"]
    other = data.inputs.copy()
    other[:, span] = np.where(other[:, span] > 1e29, 5e29, other[:, span])
    np.testing.assert_array_equal(predict(result.model, other), predict(result.model, data.inputs))


def test_constant_and_linear_are_exact(columns):
    data = recipes.training_data(columns, "constant")
    mean = predict(train_emulator(recipes.recipe("constant"), data).model, data.inputs[:5])
    np.testing.assert_allclose(mean[0], data.targets.mean(axis=0), rtol=1e-4, atol=1e-12)
    model = train_emulator(recipes.recipe("linear"), data).model
    residual = predict(model, data.inputs) - data.targets
    surface = data.features.output_slices["cam_out_FLWDS"]
    # Least squares: errors have no mean and no correlation with any input.
    assert abs(residual[:, surface].mean()) < 1e-2
    pressure = data.inputs[:, data.features.input_slices["state_ps"]]
    assert abs(np.corrcoef(residual[:, surface].T, pressure.T)[0, 1]) < 1e-2


QUICK = ("mlp512", "encoder_decoder", "mlp_v2rh")


@pytest.mark.parametrize("name", QUICK)
def test_recipes_run(columns, name):
    data = recipes.training_data(columns, name)
    result = train_emulator(small(recipes.recipe(name)), data, epochs=2)
    assert np.isfinite(result.best_loss)
    assert np.isfinite(predict(result.model, data.inputs)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(recipes.RECIPES) - {*QUICK, "constant", "linear", "column_mlp"}))
def test_heavy_recipes_run(columns, name):
    data = recipes.training_data(columns.at(np.array([0])), name)
    result = train_emulator(small(recipes.recipe(name)), data, epochs=1)
    assert np.isfinite(result.best_loss)
    assert np.isfinite(predict(result.model, data.inputs[:8], batch=8)).all()


@pytest.mark.parametrize("name", ["encoder_decoder", "mlp_v2rh"])
def test_published_heads_start_at_the_training_mean(columns, name):
    """Heads that end in ReLU or ELU have no offset to climb: longwave is right on average before training."""
    data = recipes.training_data(columns, name)
    untrained = recipes.recipe(name).build(data, nnx.Rngs(0))
    span = data.features.output_slices["cam_out_FLWDS"]
    longwave = data.targets[:, span]
    first = predict(untrained, data.inputs)[:, span]
    assert abs(first.mean() - longwave.mean()) < longwave.std()


def small_ensemble():
    def member(n_in, n_out, rngs):
        return ResidualMLP(n_in, n_out, rngs=rngs, width=16, blocks=1)

    build = recipe_builders.physical(recipes.ensemble_of(member, 3))
    return small(recipes.recipe("column_ensemble"), build=build, ema_decay=0.9)


def test_an_ensemble_trains_its_members_and_each_obeys_the_physics(columns):
    data = recipes.training_data(columns, "column_ensemble")
    result = train_emulator(small_ensemble(), data, epochs=4)
    assert result.history[-1]["validation"] < 0.9 * result.history[0]["validation"]
    emulator, inputs = result.model, data.inputs[:40]
    assert is_stochastic(emulator)
    both = nnx.jit(lambda e, x: (e.sample(x, jax.random.key(0), 5), e(x)))(emulator, inputs)
    samples, mean = (np.asarray(a) for a in both)
    assert samples.shape == (5, 40, data.features.n_out)
    # Five draws of three members: each member, two of them again.
    assert len(np.unique(samples[:, 0, 30])) == 3
    spans, x = data.features.output_slices, split(inputs, data.features.input_slices)
    for outputs in (samples[0], mean):
        fields = split(outputs, spans)
        assert (fields["cam_out_PRECSC"] <= fields["cam_out_PRECC"]).all()
        assert (x["state_q0001"] + STEP_S * fields["ptend_q0001"] >= 0).all()


@pytest.mark.slow
def test_batch_statistics_reach_the_bundle(columns, tmp_path):
    build = recipe_builders.physical_column(partial(ConvNeXt, depths=(1,), widths=(6,)))
    data = recipes.training_data(columns.at(np.array([0])), "column_lstm")
    model = train_emulator(small(recipes.recipe("column_lstm"), build=build), data, epochs=1).model
    statistics = jax.tree.leaves(nnx.state(model, nnx.BatchStat))
    assert statistics
    assert not any(np.array_equal(leaf, np.zeros_like(leaf)) for leaf in statistics)
    options = {"name": "small", "description": "ConvNeXt", "batch_sizes": (8,), "platforms": ("cpu",)}
    export_emulator(tmp_path / "small.bundle", model, data.inputs, **options)
    _, run, bundle = load_emulator(tmp_path / "small.bundle")
    assert sum("norm" in p.name and ("mean" in p.name or "var" in p.name) for p in bundle.parameters) >= 4
    expected = predict(model, data.inputs[:16], batch=8)
    np.testing.assert_allclose(run(data.inputs[:16]), expected, rtol=1e-4, atol=1e-7)


def test_bfloat16_and_rare_regimes_are_choices_of_a_recipe(columns):
    data = recipes.training_data(columns, "column_mlp")
    chosen = dataclasses.replace(column_mlp(), compute="bfloat16", sampling=RareRegimes("cam_out_PRECC"))
    result = train_emulator(chosen, data, epochs=5)
    assert result.history[-1]["validation"] < 0.95 * result.history[0]["validation"]
    leaves = jax.tree.leaves(nnx.state(result.model, nnx.Param))
    assert {leaf.dtype for leaf in leaves} == {np.dtype("float32")}
    assert np.isfinite(predict(result.model, data.inputs)).all()


def test_rare_regimes_need_rows_in_memory(columns):
    data = recipes.training_data(columns, "column_mlp")

    class Streamed:
        sample = data

        def __len__(self):
            return len(data)

    chosen = dataclasses.replace(column_mlp(), sampling=RareRegimes())
    with pytest.raises(InputError, match="--memory or"):
        train_emulator(chosen, Streamed(), epochs=1)


def test_batches_follow_from_the_step_alone():
    arrays = {"inputs": np.arange(50)}
    a, b = (shuffled_batches(arrays, size=8, seed=1) for _ in range(2))
    epoch = np.concatenate([a(i)["inputs"] for i in range(6)])
    assert len(set(epoch.tolist())) == 48
    np.testing.assert_array_equal(b(4)["inputs"], epoch[32:40])
    assert not np.array_equal(a(6)["inputs"], epoch[:8])
    assert a(0)["key"] != a(1)["key"]


def test_unknown_recipe():
    with pytest.raises(InputError, match="column_mlp"):
        recipes.recipe("resnet")


def test_statistics_are_not_trained(trained):
    result, _ = trained
    names = ["/".join(map(str, path)) for path, _ in nnx.to_flat_state(nnx.state(result.model, nnx.Param))]
    assert names
    assert all(name.startswith("network/") for name in names)
    assert sum(leaf.size for leaf in jax.tree.leaves(nnx.state(result.model))) > 0
