"""The convolutional baseline of Yu et al. (2023): 12 residual blocks of 406; 13,215,420 parameters for V1."""

import jax
import jax.numpy as jnp
from flax import nnx

from .layout import N_SCALARS_OUT, as_column, as_vector, channel_means, column_sizes
from .residual_mlp import drop


class _Block(nnx.Module):
    def __init__(self, n_in: int, width: int, dropout: float, *, rngs: nnx.Rngs):
        self.first = nnx.Conv(n_in, width, 3, rngs=rngs)
        self.second = nnx.Conv(width, width, 3, rngs=rngs)
        self.shortcut = nnx.Conv(n_in, width, 1, rngs=rngs)
        self.dropout = dropout

    def __call__(self, x, key):
        keys = (None, None) if key is None else jax.random.split(key)
        h = drop(jax.nn.relu(self.first(x)), self.dropout, keys[0])
        h = drop(jax.nn.relu(self.second(h)), self.dropout, keys[1])
        return h + self.shortcut(x)


class CNN(nnx.Module):
    """Blocks, a 1×1 convolution to 10 channels (ELU), then per level linear profiles and ReLU scalars."""

    def __init__(
        self,
        n_in: int = 124,
        n_out: int = 128,
        *,
        rngs: nnx.Rngs,
        scalars_in: int = 4,
        width: int = 406,
        blocks: int = 12,
        dropout: float = 0.175,
    ):
        self.profiles, channels, out = column_sizes(n_in, n_out, scalars_in)
        self.blocks = nnx.List(
            _Block(channels if i == 0 else width, width, dropout, rngs=rngs) for i in range(blocks)
        )
        self.squeeze = nnx.Conv(width, out, 1, rngs=rngs)
        self.tendencies = nnx.Linear(out, out - N_SCALARS_OUT, rngs=rngs)
        self.surface = nnx.Linear(out, N_SCALARS_OUT, rngs=rngs)

    def __call__(self, x, *, key=None):
        h = as_column(x, self.profiles)
        for number, block in enumerate(self.blocks):
            h = block(h, None if key is None else jax.random.fold_in(key, number))
        h = jax.nn.elu(self.squeeze(h))
        return as_vector(jnp.concatenate([self.tendencies(h), jax.nn.relu(self.surface(h))], axis=-1))

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offsets of the heads, one a channel."""
        channels = channel_means(mean)
        self.tendencies.bias[...] = channels[:-N_SCALARS_OUT]
        self.surface.bias[...] = channels[-N_SCALARS_OUT:]
