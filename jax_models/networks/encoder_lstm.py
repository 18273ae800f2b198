"""Encoder–decoder LSTM, fifth place of the LEAP competition; 18,582,976 parameters for v2_rh_mc.

An autoencoder 1560-390-208-104-208-390-1560 sees the whole column at once; what it says is appended to each
level, three Bi-LSTMs of 512 and a Bi-GRU of 16 run over the levels, and an MLP 1920-960-308 ends it.
Good values: Huber δ = 1, AdamW 1e-4, batch 1024.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.variables import LEVELS
from .layout import as_column, column_sizes
from .recurrent import BiGRU, BiLSTM
from .residual_mlp import drop


class EncoderLSTM(nnx.Module):
    """(batch, n_in) to (batch, n_out), profiles before scalars in both."""

    def __init__(
        self,
        n_in: int = 557,
        n_out: int = 308,
        *,
        rngs: nnx.Rngs,
        scalars_in: int = 17,
        width: int = 512,
        layers: int = 3,
        summary: int = 16,
        dropout: float = 0.09,
    ):
        self.profiles, channels, _ = column_sizes(n_in, n_out, scalars_in)
        flat = LEVELS * channels
        sizes = (flat, flat // 4, 208, 104, 208, flat // 4, flat)
        self.autoencoder = nnx.List(nnx.Linear(i, o, rngs=rngs) for i, o in pairwise(sizes))
        self.layers = nnx.List(
            BiLSTM(2 * channels if i == 0 else 2 * width, width, rngs=rngs) for i in range(layers)
        )
        self.gru = BiGRU(2 * width, summary, rngs=rngs)
        self.hidden = nnx.Linear(LEVELS * 2 * summary, 960, rngs=rngs)
        self.exit = nnx.Linear(960, n_out, rngs=rngs)
        self.dropout = dropout

    def __call__(self, x, *, key=None):
        column = as_column(x, self.profiles)
        context = column.reshape(x.shape[0], -1)
        *inner, last = self.autoencoder
        for layer in inner:
            context = jax.nn.relu(layer(context))
        h = jnp.concatenate([column, last(context).reshape(column.shape)], axis=-1)
        for number, layer in enumerate(self.layers):
            h = drop(layer(h), self.dropout, None if key is None else jax.random.fold_in(key, number))
        h = self.gru(h).reshape(x.shape[0], -1)
        return self.exit(jax.nn.relu(self.hidden(h)))

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offset of the last layer."""
        self.exit.bias[...] = mean
