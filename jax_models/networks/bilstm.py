"""A vertical Bi-LSTM: layers of width 128 over the levels, then a linear map per level.

The column is read from top to surface and back, so that every level hears of all others. Good values:
3 layers of 128, Adam 1e-3.
"""

import jax
from flax import nnx

from .layout import as_column, as_vector, column_sizes
from .recurrent import BiLSTM
from .residual_mlp import drop


class VerticalBiLSTM(nnx.Module):
    """(batch, n_in) to (batch, n_out), profiles before scalars in both."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rngs: nnx.Rngs,
        scalars_in: int,
        width: int = 128,
        layers: int = 3,
        dropout: float = 0.0,
    ):
        self.profiles, channels, out = column_sizes(n_in, n_out, scalars_in)
        self.layers = nnx.List(
            BiLSTM(channels if i == 0 else 2 * width, width, rngs=rngs) for i in range(layers)
        )
        self.exit = nnx.Linear(2 * width, out, rngs=rngs)
        self.dropout = dropout

    def __call__(self, x, *, key=None):
        h = as_column(x, self.profiles)
        for number, layer in enumerate(self.layers):
            h = drop(layer(h), self.dropout, None if key is None else jax.random.fold_in(key, number))
        return as_vector(self.exit(h))
