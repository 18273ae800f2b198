"""The supervised loop finds a known optimum, resumes on the same trajectory, and stops on bad numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import BlowUpError, InputError
from subgrid.jax_models.training import TrainingConfig, fit

WEIGHTS = np.array([[1.5], [-2.0], [0.5]], np.float32)


def batch_at(step):
    x = np.random.default_rng(step).standard_normal((64, 3)).astype(np.float32)
    return x, x @ WEIGHTS


def squared_error(model, batch):
    x, y = batch
    return jnp.mean((model(x) - y) ** 2)


def linear_model():
    return nnx.Linear(3, 1, rngs=nnx.Rngs(0), param_dtype=jnp.float32)


def test_finds_the_weights_of_a_linear_map():
    config = TrainingConfig(steps=400, learning_rate=0.05, weight_decay=0.0, ema_decay=0.9)
    result = fit(linear_model(), squared_error, batch_at, batch_at(10_000), config)
    np.testing.assert_allclose(result.model.kernel[...], WEIGHTS, atol=1e-3)
    assert result.best_loss == min(row["validation"] for row in result.history)


def test_resumed_run_equals_the_uninterrupted_one(tmp_path):
    config = TrainingConfig(steps=60, validate_every=10, checkpoint_every=20)
    whole = fit(linear_model(), squared_error, batch_at, batch_at(10_000), config)

    class Interruption(Exception):
        pass

    def interrupt(done, total, **_):
        if done == 50:
            raise Interruption

    with pytest.raises(Interruption):
        fit(
            linear_model(),
            squared_error,
            batch_at,
            batch_at(10_000),
            config,
            checkpoint_dir=tmp_path,
            progress=interrupt,
        )
    resumed = fit(linear_model(), squared_error, batch_at, batch_at(10_000), config, checkpoint_dir=tmp_path)
    assert jax.tree.all(
        jax.tree.map(
            lambda a, b: bool(jnp.array_equal(a, b)), nnx.state(whole.model), nnx.state(resumed.model)
        )
    )
    assert [row["step"] for row in resumed.history] == [50, 60]


def test_non_finite_loss_stops_with_the_step():
    def poisoned(step):
        x, y = batch_at(step)
        return x, y * np.float32(np.nan)

    with pytest.raises(BlowUpError, match="step 100"):
        fit(linear_model(), squared_error, poisoned, batch_at(1), TrainingConfig(steps=200))


def test_one_step_is_a_training_too():
    result = fit(linear_model(), squared_error, batch_at, batch_at(1), TrainingConfig(steps=1))
    assert result.steps == 1


def test_early_stop_counts_validations():
    config = TrainingConfig(steps=1000, validate_every=10, patience=3, learning_rate=0.0)
    result = fit(linear_model(), squared_error, batch_at, batch_at(1), config)
    assert result.steps == 40


@pytest.mark.parametrize("bad", [{"steps": 0}, {"ema_decay": 1.0}, {"validate_every": 0}])
def test_bad_configuration_is_refused(bad):
    with pytest.raises(InputError):
        TrainingConfig(**bad)
