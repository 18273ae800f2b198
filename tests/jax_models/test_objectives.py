"""Objectives and losses on cases small enough for a pencil."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.feature_sets import FeatureSet
from subgrid.contracts.variables import HEAT_CAPACITY, LATENT_VAPORISATION, WATER_DENSITY
from subgrid.jax_models import losses, objectives

pytestmark = pytest.mark.usefixtures("quick_compilation")

TARGET = jnp.array([[1.0, 2.0], [3.0, 4.0]])
PREDICTION = jnp.array([[2.0, 0.0], [3.0, 8.0]])
HALF = jnp.array([[1.0, 0.5]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.mean_absolute, (1 + 1 + 0 + 2) / 4),
        (losses.mean_squared, (1 + 1 + 0 + 4) / 4),
        (losses.huber, (0.5 + 0.5 + 0 + 1.5) / 4),
    ],
)
def test_pointwise_losses_by_hand(loss, expected):
    assert float(loss(PREDICTION, TARGET, HALF)) == pytest.approx(expected)


def test_heteroskedastic_loss_is_smallest_at_the_true_precision():
    # ⟨λ e² − ln λ⟩ with e² = 4: λ = 1/4 gives 1 + ln 4.
    def at(precision):
        log = jnp.full((1, 1), jnp.log(precision))
        return float(losses.heteroskedastic(jnp.array([[3.0]]), log, jnp.array([[1.0]]), jnp.ones((1, 1))))

    assert at(0.25) == pytest.approx(1 + np.log(4))
    assert at(0.25) < min(at(0.2), at(0.3))


def test_crps_by_hand():
    # Samples 0 and 2 around 1: mean error 1, half the mean spread of pairs 1 → 0. For the target 5: 4 − 1.
    samples = jnp.array([0.0, 2.0]).reshape(2, 1, 1)
    assert float(losses.crps(samples, jnp.array([[1.0]]), jnp.ones((1, 1)))) == pytest.approx(0)
    assert float(losses.crps(samples, jnp.array([[5.0]]), jnp.ones((1, 1)))) == pytest.approx(3)
    # The fair estimator is the pairwise definition, whatever the order.
    x = np.random.default_rng(0).normal(size=7)
    pairs = np.abs(x[:, None] - x[None]).sum() / (7 * 6)
    expected = np.abs(x - 0.3).mean() - 0.5 * pairs
    found = losses.crps(jnp.asarray(x).reshape(7, 1, 1), jnp.array([[0.3]]), jnp.ones((1, 1)))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_energy_weights_make_the_loss_the_published_metric():
    features = FeatureSet("pair", ("state_ps",), ("ptend_t", "ptend_q0001", "cam_out_PRECC", "cam_out_NETSW"))
    rng = np.random.default_rng(0)
    mass, area = rng.uniform(50, 300, (5, 60)), np.array([0.5, 1.5, 1.0, 0.7, 1.3])
    error = rng.normal(size=(5, features.n_out)) * 1e-6
    spreads = {"ptend_t": 2.0, "ptend_q0001": 1.0, "cam_out_PRECC": 4.0, "cam_out_NETSW": 8.0}
    weights = losses.energy_weights(features, spreads, mass, area, {"cam_out_NETSW": 0.5})
    found = float(losses.mean_absolute(jnp.asarray(error), jnp.zeros_like(error), jnp.asarray(weights)))
    area = area[:, None]
    watts = {
        "ptend_t": np.abs(error[:, :60] * mass * area * HEAT_CAPACITY).mean() / 2,
        "ptend_q0001": np.abs(error[:, 60:120] * mass * area * LATENT_VAPORISATION).mean(),
        "cam_out_PRECC": np.abs(error[:, 120:121] * area * WATER_DENSITY * LATENT_VAPORISATION).mean() / 4,
        "cam_out_NETSW": np.abs(error[:, 121:] * area).mean() / 8 * 0.5,
    }
    assert found == pytest.approx(sum(watts.values()), rel=1e-5)


class Stub:
    """An emulator that gives what it was told to."""

    def __init__(self, prediction=None, samples=None):
        self.prediction, self.samples = prediction, samples

    def __call__(self, inputs, key=None):
        return self.prediction

    def sample(self, inputs, key, count):
        return self.samples[:count]


def test_importance_weighs_rows():
    batch = {"inputs": None, "targets": TARGET, "importance": jnp.array([3.0, 0.5])}
    objective = objectives.pointwise(losses.mean_absolute)
    emulator = Stub(PREDICTION)
    # Row means 1 and 1 with weights (1, ½): 3 · 1 and 0.5 · 1.
    assert float(objective(emulator, batch, HALF)) == pytest.approx((3 * 1 + 0.5 * 1) / 2)
    del batch["importance"]
    assert float(objective(emulator, batch, HALF)) == pytest.approx(1.0)


def test_crps_of_samples_is_an_objective():
    samples = jnp.stack([TARGET - 1, TARGET + 1, TARGET + 50])
    batch = {"inputs": None, "targets": TARGET, "key": jax.random.key(0)}
    found = objectives.crps(2)(Stub(samples=samples), batch, jnp.ones((1, 2)))
    assert float(found) == pytest.approx(0, abs=1e-6)
