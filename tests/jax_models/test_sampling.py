"""Rows of rare regimes: probabilities, weights and what they do to the loss, on small exact cases."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.jax_models import recipes
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.sampling import RareRegimes, drawn_batches

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def data():
    return recipes.training_data(mock_columns(2, ncol=50, seed=4), "mlp512")


def test_probabilities_follow_the_regimes(data):
    regimes = RareRegimes("cam_out_NETSW", quantiles=(0.8,), boost=(1.0, 4.0))
    chance = regimes.probabilities(data)
    strength = data.targets[:, data.features.output_slices["cam_out_NETSW"]][:, 0]
    heavy = strength > np.quantile(strength, 0.8)
    assert heavy.sum() == 20
    # 80 rows of weight 1 and 20 of weight 4.
    np.testing.assert_allclose(chance[heavy], 4 / 160)
    np.testing.assert_allclose(chance[~heavy], 1 / 160)


def test_importance_keeps_the_expected_loss(data):
    chance = RareRegimes("ptend_t").probabilities(data)
    loss = np.random.default_rng(0).gamma(1.0, size=len(chance))
    fair = RareRegimes("ptend_t").importance(chance)
    np.testing.assert_allclose(np.sum(chance * fair * loss), loss.mean(), rtol=1e-6)
    # Left unweighted, the expected loss is that of the drawn rows: a recorded choice.
    biased = RareRegimes("ptend_t", unbiased=False).importance(chance)
    assert np.sum(chance * biased * loss) == pytest.approx(np.sum(chance * loss))


def test_batches_hold_what_was_asked_for_and_follow_from_the_step(data):
    regimes = RareRegimes("cam_out_NETSW", quantiles=(0.8,), boost=(1.0, 4.0))
    chance = regimes.probabilities(data)
    arrays = {"inputs": np.arange(100)}
    a, b = (drawn_batches(arrays, regimes, chance, size=1000, seed=1) for _ in range(2))
    np.testing.assert_array_equal(a(3)["inputs"], b(3)["inputs"])
    assert not np.array_equal(a(3)["inputs"], a(4)["inputs"])
    heavy = chance > chance.min()
    share = np.mean([heavy[a(step)["inputs"]].mean() for step in range(10)])
    assert share == pytest.approx(0.5, abs=0.02)
    # Weights follow their rows, and average to one.
    batch = a(0)
    np.testing.assert_allclose(batch["importance"], 1 / (100 * chance[batch["inputs"]]), rtol=1e-6)
    assert batch["importance"].mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "bad", [{"boost": (1.0, 2.0)}, {"quantiles": (0.9, 0.5)}, {"boost": (1.0, 0.0, 5.0)}]
)
def test_regimes_that_make_no_sense_are_refused(bad):
    with pytest.raises(InputError, match="rising quantiles"):
        RareRegimes(**bad)


def test_an_unknown_output_is_named(data):
    with pytest.raises(InputError, match=r"'cam_out_RAIN', expected one of .*cam_out_PRECC"):
        RareRegimes("cam_out_RAIN").probabilities(data)
