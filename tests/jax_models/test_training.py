"""The supervised loop finds a known optimum, resumes on the same trajectory, and stops on bad numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.contracts.errors import BlowUpError, InputError
from subgrid.jax_models.networks.batch_norm import BatchNorm
from subgrid.jax_models.networks.residual_mlp import drop
from subgrid.jax_models.training import TrainingConfig, fit

pytestmark = pytest.mark.usefixtures("quick_compilation")

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
    _require_the_same(whole, resumed)


def test_a_run_stopped_by_the_clock_is_validated_and_goes_on(tmp_path):
    """Each call makes one update when its time is over already; what it gives is validated, what goes on is
    not touched by that."""
    config = TrainingConfig(steps=5, validate_every=2, checkpoint_every=3)
    whole = fit(linear_model(), squared_error, batch_at, batch_at(10_000), config)
    arguments = (linear_model(), squared_error, batch_at, batch_at(10_000), config)
    for step in range(1, 5):
        stopped = fit(*arguments, checkpoint_dir=tmp_path, seconds=0.0)
        assert (stopped.steps, stopped.planned, stopped.stopped) == (step, 5, True)
        assert stopped.history[-1]["step"] == step
        assert np.isfinite(stopped.best_loss)
    ended = fit(*arguments, checkpoint_dir=tmp_path, seconds=0.0)
    assert (ended.steps, ended.planned, ended.stopped) == (5, 5, False)
    _require_the_same(whole, ended)


def _require_the_same(whole, resumed):
    assert jax.tree.all(
        jax.tree.map(
            lambda a, b: bool(jnp.array_equal(a, b)), nnx.state(whole.model), nnx.state(resumed.model)
        )
    )
    assert resumed.history == whole.history


class Noisy(nnx.Module):
    """A map with batch statistics and dropout; a key in the batch says training."""

    def __init__(self):
        self.norm, self.last = BatchNorm(3, keep=0.9, rngs=nnx.Rngs(0)), nnx.Linear(3, 1, rngs=nnx.Rngs(1))

    def __call__(self, x, key=None):
        h = self.norm(x[:, None], training=key is not None)[:, 0]
        return self.last(drop(h, 0.2, key))


def noisy_batch(step):
    x, y = batch_at(step)
    return {"x": 2 * x + 5, "y": y, "key": jax.random.key(step)}


def noisy_error(model, batch):
    return jnp.mean((model(batch["x"], batch.get("key")) - batch["y"]) ** 2)


def noisy_fit(**more):
    validation = {name: a for name, a in noisy_batch(10_000).items() if name != "key"}
    config = TrainingConfig(steps=60, validate_every=10, checkpoint_every=20, ema_decay=0.9)
    return fit(Noisy(), noisy_error, noisy_batch, validation, config, **more)


def test_batch_statistics_are_carried_and_resumed_bit_for_bit(tmp_path):
    whole = noisy_fit()
    statistics = whole.model.norm.inner
    np.testing.assert_allclose(statistics.mean[...], 5, atol=0.3)
    np.testing.assert_allclose(statistics.var[...], 4, atol=0.8)

    def interrupt(done, total, **_):
        if done == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        noisy_fit(checkpoint_dir=tmp_path, progress=interrupt)
    resumed = noisy_fit(checkpoint_dir=tmp_path)
    pairs = zip(
        jax.tree.leaves(nnx.state(whole.model)), jax.tree.leaves(nnx.state(resumed.model)), strict=True
    )
    assert all(np.array_equal(a, b) for a, b in pairs)
    # The result is the float32 model as it is used: running statistics, no dropout.
    x = noisy_batch(7)["x"]
    np.testing.assert_allclose(whole.model(x)[:5], whole.model(x[:5]), rtol=1e-5)


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    config = TrainingConfig(steps=20, checkpoint_every=10)
    fit(linear_model(), squared_error, batch_at, batch_at(1), config, checkpoint_dir=tmp_path)
    other = TrainingConfig(steps=20, checkpoint_every=10, learning_rate=1e-2)
    with pytest.raises(InputError, match=r"'learning_rate': 0.001.*this run has.*0.01"):
        fit(linear_model(), squared_error, batch_at, batch_at(1), other, checkpoint_dir=tmp_path)


def test_the_callers_model_stays_as_it_was():
    model = linear_model()
    before = np.asarray(model.kernel[...])
    fit(model, squared_error, batch_at, batch_at(1), TrainingConfig(steps=3))
    np.testing.assert_array_equal(model.kernel[...], before)


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32():
    seen = []

    def loss(model, batch):
        x, y = batch
        kernel = model.kernel[...]
        seen.append(kernel.dtype)
        return jnp.mean((model(x.astype(kernel.dtype)).astype(jnp.float32) - y) ** 2)

    config = TrainingConfig(steps=400, learning_rate=0.05, weight_decay=0, ema_decay=0.9, compute="bfloat16")
    result = fit(linear_model(), loss, batch_at, batch_at(10_000), config)
    # Trained in one type, validated as it will be used.
    assert set(seen) == {jnp.dtype("bfloat16"), jnp.dtype("float32")}
    assert result.model.kernel.dtype == jnp.float32
    np.testing.assert_allclose(result.model.kernel[...], WEIGHTS, atol=0.02)


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
    assert (result.steps, result.stopped) == (40, False)  # by patience, not by the clock


@pytest.mark.parametrize(
    "bad", [{"steps": 0}, {"ema_decay": 1.0}, {"validate_every": 0}, {"compute": "float16"}]
)
def test_bad_configuration_is_refused(bad):
    with pytest.raises(InputError):
        TrainingConfig(**bad)
