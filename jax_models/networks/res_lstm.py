"""Pure ResLSTM, second place of the LEAP competition: ten residual Bi-LSTMs; 15,395,341 parameters.

    x₁ = GELU(N(BiLSTM(x₀)));   xᵢ₊₁ = GELU(0.7 N(BiLSTM(xᵢ)) + 0.3 xᵢ)

N normalises over levels and channels together, with a gain and offset for each of both.

Good values: AdamW 1e-4, Huber, batch 1024, 12 epochs.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.variables import LEVELS
from .layout import as_column, as_vector, column_sizes, start_channels_at
from .recurrent import BiLSTM


class ColumnNorm(nnx.Module):
    """Normalises (levels, channels) of each column together; gain and offset for each entry."""

    def __init__(self, shape: tuple[int, int]):
        self.gain = nnx.Param(jnp.ones(shape, jnp.float32))
        self.offset = nnx.Param(jnp.zeros(shape, jnp.float32))

    def __call__(self, x):
        centred = x - x.mean(axis=(-2, -1), keepdims=True)
        variance = jnp.square(centred).mean(axis=(-2, -1), keepdims=True)
        return centred * jax.lax.rsqrt(variance + 1e-5) * self.gain[...][None] + self.offset[...][None]


class ResLSTM(nnx.Module):
    """(batch, n_in) to (batch, n_out), profiles before scalars in both."""

    def __init__(
        self,
        n_in: int = 557,
        n_out: int = 308,
        *,
        rngs: nnx.Rngs,
        scalars_in: int = 17,
        width: int = 256,
        layers: int = 10,
        keep: float = 0.3,
    ):
        self.profiles, channels, out = column_sizes(n_in, n_out, scalars_in)
        self.layers = nnx.List(
            BiLSTM(channels if i == 0 else 2 * width, width, rngs=rngs) for i in range(layers)
        )
        self.norms = nnx.List(ColumnNorm((LEVELS, 2 * width)) for _ in range(layers))
        self.exit = nnx.Linear(2 * width, out, rngs=rngs)
        self.keep = keep

    def __call__(self, x, *, key=None):
        h = as_column(x, self.profiles)
        for number, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            new = norm(layer(h))
            h = jax.nn.gelu(new if number == 0 else (1 - self.keep) * new + self.keep * h)
        return as_vector(self.exit(h))

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offset of the last layer, one a channel."""
        start_channels_at(self.exit.bias, mean)
