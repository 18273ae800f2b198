"""Every recipe trains on mock columns, stays finite, and obeys the physics that it promises."""

import dataclasses

import jax
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import InputError
from subgrid.contracts.variables import SHORTWAVE, STEP_S
from subgrid.jax_models import recipes
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.emulator_training import predict, train_emulator
from subgrid.jax_models.networks.residual_mlp import ResidualMLP
from subgrid.jax_models.normalization import split
from subgrid.jax_models.training_set import shuffled_batches


@pytest.fixture(scope="module")
def columns():
    return mock_columns(3, ncol=96, seed=2)


def small(network, **changes):
    """The recipe with a smaller network of the same kind."""
    return dataclasses.replace(network, batch=64, **changes)


def column_mlp():
    build = recipes.physical(lambda i, o, rngs: ResidualMLP(i, o, rngs=rngs, width=32, blocks=1))
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
