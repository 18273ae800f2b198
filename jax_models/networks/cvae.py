"""Conditional variational autoencoder (cVAE, Yu et al. 2023): four latent numbers, 4,872,456 parameters.

    loss = ⟨½ (y−m)²/s² + ln s⟩ + β ⟨½ (σ² + μ² − 2 ln σ − 1)⟩,   β = 0.5

The published code divides by s instead of s² and leaves factors out of the KL term; this is the proper bound.
Good values: Adam 5e-5, weight decay 1e-3, batch 4096, 20 epochs. Point prediction: z = 0.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from .heteroskedastic import NormedMLP


class CVAE(nnx.Module):
    """Calling gives the decoder's mean at z = 0."""

    def __init__(
        self,
        n_in: int = 124,
        n_out: int = 128,
        *,
        rngs: nnx.Rngs,
        latent: int = 4,
        width: int = 1024,
        depth: int = 3,
        dropout: float = 0.05,
    ):
        self.latent = latent
        self.encoder = NormedMLP(n_in + n_out, width, depth, rngs=rngs, dropout=dropout)
        self.location, self.log_scale = (nnx.Linear(width, latent, rngs=rngs) for _ in range(2))
        self.decoder = NormedMLP(n_in + latent, width, depth, rngs=rngs, dropout=dropout)
        self.mean, self.log_std = (nnx.Linear(width, n_out, rngs=rngs) for _ in range(2))

    def decode(self, z, x, key=None):
        """Mean and log standard deviation of the output, (batch, n_out) each."""
        h = self.decoder(jnp.concatenate([z, x], axis=-1), key)
        return self.mean(h), self.log_std(h)

    def __call__(self, x, *, key=None):
        return self.decode(jnp.zeros((x.shape[0], self.latent), x.dtype), x)[0]

    def sample(self, x, key, count: int):
        """(count, batch, n_out) with z ~ N(0, 1) and output noise."""

        def one(k):
            inner, outer = jax.random.split(k)
            z = jax.random.normal(inner, (x.shape[0], self.latent), x.dtype)
            mean, log_std = self.decode(z, x)
            return mean + jnp.exp(log_std) * jax.random.normal(outer, mean.shape, mean.dtype)

        return jax.vmap(one)(jax.random.split(key, count))

    def loss(self, x, y, key, *, beta: float = 0.5):
        """Negative evidence bound of each row of y (batch, n_out) in network units, (batch,)."""
        keys = jax.random.split(key, 3)
        h = self.encoder(jnp.concatenate([y, x], axis=-1), keys[0])
        location, log_scale = self.location(h), self.log_scale(h)
        z = location + jnp.exp(log_scale) * jax.random.normal(keys[1], location.shape, location.dtype)
        mean, log_std = self.decode(z, x, keys[2])
        fit = jnp.mean(0.5 * jnp.square((y - mean) * jnp.exp(-log_std)) + log_std, axis=-1)
        divergence = 0.5 * jnp.mean(jnp.exp(2 * log_scale) + location**2 - 2 * log_scale - 1, axis=-1)
        return fit + beta * divergence
