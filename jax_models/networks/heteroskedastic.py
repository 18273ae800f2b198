"""Heteroskedastic regression (HSR, Yu et al. 2023): one network for the mean, one for the log precision.

Each: 4 × (1024, LayerNorm, ReLU), linear out; together 6,832,384 parameters for V1. Good values: Adam 7e-5,
batch 16384, 12 epochs, the first third of them on the squared error of the mean alone.
"""

import jax
import jax.numpy as jnp
from flax import nnx


class NormedMLP(nnx.Module):
    """`depth` × (Linear, LayerNorm, dropout, ReLU)."""

    def __init__(self, n_in: int, width: int, depth: int, *, rngs: nnx.Rngs, dropout: float = 0.0):
        self.layers = nnx.List(nnx.Linear(n_in if i == 0 else width, width, rngs=rngs) for i in range(depth))
        self.norms = nnx.List(nnx.LayerNorm(width, rngs=rngs, epsilon=1e-5) for _ in range(depth))
        self.dropout = dropout

    def __call__(self, x, key=None):
        from .residual_mlp import drop

        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            sub = None if key is None else jax.random.fold_in(key, number)
            x = jax.nn.relu(drop(norm(layer(x)), self.dropout, sub))
        return x


class Heteroskedastic(nnx.Module):
    """Calling gives the mean; `distribution` gives mean and log precision; `sample` draws."""

    def __init__(
        self, n_in: int = 124, n_out: int = 128, *, rngs: nnx.Rngs, width: int = 1024, depth: int = 4
    ):
        self.mean_trunk = NormedMLP(n_in, width, depth, rngs=rngs)
        self.mean_head = nnx.Linear(width, n_out, rngs=rngs)
        self.precision_trunk = NormedMLP(n_in, width, depth, rngs=rngs)
        self.precision_head = nnx.Linear(width, n_out, rngs=rngs)

    def __call__(self, x, *, key=None):
        return self.mean_head(self.mean_trunk(x))

    def distribution(self, x):
        """Mean and log precision, (batch, n_out) each."""
        return self(x), self.precision_head(self.precision_trunk(x))

    def sample(self, x, key, count: int):
        """μ + ε exp(−logprec/2): (count, batch, n_out)."""
        mean, log_precision = self.distribution(x)
        noise = jax.random.normal(key, (count, *mean.shape), mean.dtype)
        return mean[None] + noise * jnp.exp(-0.5 * log_precision)[None]
