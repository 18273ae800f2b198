"""The encoder–decoder baseline (Behrens 2022; Yu et al. 2023): five latent numbers, 831,879 parameters."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx


class EncoderDecoder(nnx.Module):
    """124-463-463-231-115-57-28-5 and back to 463-463-128; ReLU inside, ELU at the end."""

    def __init__(
        self,
        n_in: int = 124,
        n_out: int = 128,
        *,
        rngs: nnx.Rngs,
        widths: tuple[int, ...] = (463, 463, 231, 115, 57, 28),
        latent: int = 5,
    ):
        sizes = (n_in, *widths, latent, *reversed(widths), n_out)
        self.layers = nnx.List(nnx.Linear(i, o, rngs=rngs) for i, o in pairwise(sizes))
        self.depth = len(widths) + 1

    def encode(self, x):
        """(batch, n_in) to (batch, latent)."""
        for layer in list(self.layers)[: self.depth]:
            x = jax.nn.relu(layer(x))
        return x

    def __call__(self, x, *, key=None):
        x = self.encode(x)
        *hidden, last = list(self.layers)[self.depth :]
        for layer in hidden:
            x = jax.nn.relu(layer(x))
        return jax.nn.elu(last(x))

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offset of the last layer, before its ELU."""
        below = jnp.log1p(jnp.clip(mean, -0.9, 0))
        self.layers[-1].bias[...] = jnp.where(mean > 0, mean, below)
