"""Ensemble Kalman inversion (Iglesias, Law & Stuart 2013): fit parameters of a model without its derivatives.

With J parameters θ_j, their predictions g_j = G(θ_j), data y of noise covariance Γ, and covariances C over
the ensemble,

    θ_j ← θ_j + C_θg (C_gg + Γ)⁻¹ (y − g_j)

Repeated, the mean moves to the minimum of ‖y − G(θ)‖²_Γ within the span of the first ensemble, which the
update never leaves, and the ensemble contracts around it. For a linear G one update takes the mean of the
ensemble to the mean of the Bayesian posterior whose prior has the mean and covariance of the ensemble.
"""

import jax
import jax.numpy as jnp


def ensemble_kalman_update(
    parameters: jax.Array, predictions: jax.Array, data: jax.Array, noise_covariance: jax.Array
) -> jax.Array:
    """The updated ensemble, (J, P).

    parameters: (J, P), unconstrained (take logarithms of what must stay positive).
    predictions: (J, D). A member whose row is not finite has failed: it takes no part in the covariances and
        moves half-way to the updated mean of the others, so it stays in their span and tries milder values.
    data: (D,). noise_covariance: (D, D), positive definite.

    With fewer than two sound members there is no covariance; the ensemble comes back as it was.
    """
    parameters, predictions = jnp.asarray(parameters), jnp.asarray(predictions)
    sound = jnp.isfinite(predictions).all(1)[:, None]
    weight = jnp.where(sound, 1.0, 0.0).astype(parameters.dtype)
    count = weight.sum()
    # Zero times NaN is NaN: the rows of failed members are replaced, not weighted.
    known = jnp.where(sound, predictions, 0.0).astype(parameters.dtype)

    def mean(rows):
        return (weight * rows).sum(0, keepdims=True) / jnp.maximum(count, 1.0)

    scale = 1.0 / jnp.maximum(count - 1.0, 1.0)
    off_parameters = weight * (parameters - mean(parameters))
    off_predictions = weight * (known - mean(known))
    cross = scale * off_parameters.T @ off_predictions
    spread = scale * off_predictions.T @ off_predictions
    innovations = jnp.where(sound, jnp.asarray(data)[None] - known, 0.0)
    moved = parameters + jnp.linalg.solve(spread + noise_covariance, innovations.T).T @ cross.T
    halfway = 0.5 * (parameters + mean(moved))
    return jnp.where(count >= 2.0, jnp.where(sound, moved, halfway), parameters)
