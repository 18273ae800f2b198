"""Kalman inversion: the posterior of a linear problem, its span, its convergence, and members that fail."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.jax_models.ensemble_kalman import ensemble_kalman_update

pytestmark = pytest.mark.usefixtures("quick_compilation")

RNG = np.random.default_rng(0)
MODEL = np.array([[1.0, 0.5], [0.0, 2.0], [1.5, -1.0]])
NOISE = np.diag([0.5, 0.2, 0.3])
DATA = np.array([1.0, -2.0, 0.5])
ENSEMBLE = RNG.normal([0.3, -0.2], [1.0, 0.7], (40, 2))
update = jax.jit(ensemble_kalman_update)


def posterior_mean(prior_mean, prior_covariance):
    """(C⁻¹ + AᵀΓ⁻¹A)⁻¹ (C⁻¹ m + AᵀΓ⁻¹ y), from Bayes' formula and not from the gain."""
    precision = np.linalg.inv(prior_covariance) + MODEL.T @ np.linalg.inv(NOISE) @ MODEL
    right = np.linalg.solve(prior_covariance, prior_mean) + MODEL.T @ np.linalg.solve(NOISE, DATA)
    return np.linalg.solve(precision, right)


def test_the_mean_becomes_that_of_the_posterior():
    found = update(ENSEMBLE, ENSEMBLE @ MODEL.T, DATA, NOISE)
    expected = posterior_mean(ENSEMBLE.mean(0), np.cov(ENSEMBLE, rowvar=False))
    np.testing.assert_allclose(found.mean(0), expected, rtol=1e-4)
    assert (found.std(0) < ENSEMBLE.std(0)).all()


def test_the_ensemble_stays_in_the_span_of_its_beginning():
    """Two members span a line; whatever the model, the update stays on it."""
    pair = jnp.asarray([[0.0, 1.0, 2.0], [1.0, 1.0, 4.0]])
    predictions = jnp.stack([jnp.sin(pair).sum(1), (pair**2).sum(1)], axis=1)
    found = np.asarray(update(pair, predictions, jnp.asarray([3.0, 1.0]), jnp.eye(2)))
    along = np.asarray(pair[1] - pair[0])
    for member in found:
        np.testing.assert_allclose(np.cross(member - np.asarray(pair[0]), along), 0.0, atol=1e-5)
    assert not np.allclose(found, pair)


def test_repeated_updates_find_the_minimum_of_a_nonlinear_model():
    def model(parameters):
        return jnp.stack([jnp.exp(parameters[:, 0]), parameters[:, 0] * parameters[:, 1]], axis=1)

    truth = jnp.asarray([[0.5, -1.0]])
    ensemble = jnp.asarray(RNG.normal(0.0, 1.0, (30, 2)))
    for _ in range(30):
        ensemble = update(ensemble, model(ensemble), model(truth)[0], 0.01 * jnp.eye(2))
    np.testing.assert_allclose(ensemble.mean(0), truth[0], atol=0.05)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_a_failed_member_does_not_poison_the_others(poison):
    predictions = ENSEMBLE @ MODEL.T
    predictions[7, 1] = poison
    others = np.arange(len(ENSEMBLE)) != 7
    found = np.asarray(update(ENSEMBLE, predictions, DATA, NOISE))
    without = np.asarray(update(ENSEMBLE[others], predictions[others], DATA, NOISE))
    np.testing.assert_allclose(found[others], without, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[7], 0.5 * (ENSEMBLE[7] + without.mean(0)), rtol=1e-4)


def test_an_ensemble_without_two_sound_members_comes_back_as_it_was():
    predictions = np.full((40, 3), np.nan)
    predictions[0] = 1.0
    np.testing.assert_array_equal(update(ENSEMBLE, predictions, DATA, NOISE), ENSEMBLE)
