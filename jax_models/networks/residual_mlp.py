"""A pre-norm residual MLP over the flattened column: the network of our default emulator.

    h₀ = W₀ x,   hᵢ₊₁ = hᵢ + dropout(Bᵢ silu(Aᵢ norm(hᵢ))),   y = W silu(h)

With 18,000 columns and strong features it learns within two minutes on one core what a convolution needs five
times longer for. Good values: width 512, 3 blocks, dropout 0.1, AdamW 1e-3 with weight decay 1e-2, EMA 0.998.
"""

import jax
import jax.numpy as jnp
from flax import nnx


class ResidualBlock(nnx.Module):
    """x + dropout(B silu(A norm(x))), B small at the start."""

    def __init__(self, width: int, dropout: float, *, rngs: nnx.Rngs):
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.rise = nnx.Linear(width, width, rngs=rngs, kernel_init=nnx.initializers.he_normal())
        small = nnx.initializers.variance_scaling(0.2, "fan_in", "normal")
        self.fall = nnx.Linear(width, width, rngs=rngs, kernel_init=small)
        self.dropout = dropout

    def __call__(self, x, *, key=None):
        return x + drop(self.fall(jax.nn.silu(self.rise(self.norm(x)))), self.dropout, key)


class ResidualMLP(nnx.Module):
    """(batch, n_in) to (batch, n_out). `key` turns dropout on."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rngs: nnx.Rngs,
        width: int = 512,
        blocks: int = 3,
        dropout: float = 0.1,
    ):
        self.entry = nnx.Linear(n_in, width, rngs=rngs, kernel_init=nnx.initializers.he_normal())
        self.blocks = nnx.List(ResidualBlock(width, dropout, rngs=rngs) for _ in range(blocks))
        small = nnx.initializers.variance_scaling(0.2, "fan_in", "normal")
        self.exit = nnx.Linear(width, n_out, rngs=rngs, kernel_init=small)

    def __call__(self, x, *, key=None):
        h = self.entry(x)
        for number, block in enumerate(self.blocks):
            h = block(h, key=None if key is None else jax.random.fold_in(key, number))
        return self.exit(jax.nn.silu(h))


def drop(x, rate: float, key):
    """Inverted dropout; the identity without a key."""
    if key is None or rate == 0:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)
