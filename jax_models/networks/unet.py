"""The U-Net of Hu et al. (2024): a one-dimensional SongUNet over the 60 levels, padded to 64.

block: GroupNorm – SiLU – Conv3 (halving or doubling the levels) – GroupNorm – dropout – Conv3, plus a
shortcut, times √½. Parameters: 12,975,373 for v2_rh_mc (26 → 13 channels), 12,990,742 for V4, 12,989,589 for
V5; the last two hold a table of 385 × 8 location embeddings, which training kept at zero.
Good values: Adam 1e-4, Huber, batch 4 × 1024, 16 epochs halving every 3.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.variables import LEVELS
from .layout import N_SCALARS_OUT, as_column, as_vector, column_sizes, start_channels_at
from .residual_mlp import drop

PADDED = 64
HALF = 0.5**0.5  # keeps the variance of a sum of two
TINY = nnx.initializers.variance_scaling(1e-10, "fan_avg", "uniform")
LOCATIONS, LOCATION_CHANNELS = 385, 8


def _norm(channels: int, rngs: nnx.Rngs) -> nnx.GroupNorm:
    return nnx.GroupNorm(channels, num_groups=min(32, channels // 4), epsilon=1e-6, rngs=rngs)


def _halve(x):
    return 0.5 * (x[:, 0::2] + x[:, 1::2])


def _double(x):
    return jnp.repeat(x, 2, axis=1)


class _Block(nnx.Module):
    def __init__(
        self, n_in: int, n_out: int, dropout: float, *, rngs: nnx.Rngs, resample=None, attention=False
    ):
        self.norm0, self.conv0 = _norm(n_in, rngs), nnx.Conv(n_in, n_out, 3, rngs=rngs)
        self.norm1, self.conv1 = _norm(n_out, rngs), nnx.Conv(n_out, n_out, 3, rngs=rngs, kernel_init=TINY)
        project = n_in != n_out or resample is not None
        self.shortcut = nnx.Conv(n_in, n_out, 1, rngs=rngs) if project else None
        self.attention = _Attention(n_out, rngs=rngs) if attention else None
        self.resample, self.dropout = resample, dropout

    def __call__(self, x, key):
        h = jax.nn.silu(self.norm0(x))
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h = self.conv1(drop(self.norm1(self.conv0(h)), self.dropout, key))
        x = (h + (x if self.shortcut is None else self.shortcut(x))) * HALF
        return x if self.attention is None else self.attention(x)


class _Attention(nnx.Module):
    """One head over the levels."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.norm = _norm(channels, rngs)
        self.qkv = nnx.Linear(channels, 3 * channels, rngs=rngs)
        self.out = nnx.Linear(channels, channels, rngs=rngs, kernel_init=TINY)

    def __call__(self, x):
        q, k, v = jnp.split(self.qkv(self.norm(x)), 3, axis=-1)
        weights = jax.nn.softmax(jnp.einsum("bqc,bkc->bqk", q, k) * q.shape[-1] ** -0.5, axis=-1)
        return (x + self.out(jnp.einsum("bqk,bkc->bqc", weights, v))) * HALF


class UNet(nnx.Module):
    """(batch, n_in) to (batch, n_out), profiles before scalars in both.

    With `locations` the last input is the column number, which picks an embedding.
    """

    def __init__(
        self,
        n_in: int = 557,
        n_out: int = 308,
        *,
        rngs: nnx.Rngs,
        scalars_in: int = 17,
        width: int = 128,
        multiples: tuple[int, ...] = (1, 2, 2, 2),
        blocks: int = 2,
        dropout: float = 0.0,
        locations: bool = False,
    ):
        self.profiles, channels, out = column_sizes(n_in, n_out, scalars_in)
        channels += LOCATION_CHANNELS - 1 if locations else 0
        self.table = nnx.Param(jnp.zeros((LOCATIONS, LOCATION_CHANNELS), jnp.float32)) if locations else None
        self.entry = nnx.Conv(channels, width, 3, rngs=rngs)
        self.encoder, skips, c = _encoder(width, multiples, blocks, dropout, rngs)
        middle = [_Block(c, c, dropout, rngs=rngs, attention=True), _Block(c, c, dropout, rngs=rngs)]
        self.decoder, self.joins, c = _decoder(c, skips, width, multiples, blocks, dropout, rngs, middle)
        self.exit_norm, self.exit = _norm(c, rngs), nnx.Conv(c, out, 3, rngs=rngs)

    def __call__(self, x, *, key=None):
        column = self._channels(x)
        h = self.entry(jnp.pad(column, ((0, 0), (PADDED - LEVELS, 0), (0, 0))))
        skips = [h]
        for number, block in enumerate(self.encoder):
            h = block(h, None if key is None else jax.random.fold_in(key, number))
            skips.append(h)
        for number, (block, joins) in enumerate(zip(self.decoder, self.joins, strict=True)):
            h = jnp.concatenate([h, skips.pop()], axis=-1) if joins else h
            h = block(h, None if key is None else jax.random.fold_in(key, 1000 + number))
        h = self.exit(jax.nn.silu(self.exit_norm(h)))[:, PADDED - LEVELS :]
        scalars = jax.nn.relu(h[..., -N_SCALARS_OUT:])
        return as_vector(jnp.concatenate([h[..., :-N_SCALARS_OUT], scalars], axis=-1))

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offset of the last layer, one a channel."""
        start_channels_at(self.exit.bias, mean)

    def _channels(self, x):
        if self.table is None:
            return as_column(x, self.profiles)
        place = self.table[...][jnp.clip(x[:, -1].astype(jnp.int32), 0, LOCATIONS - 1)]
        return as_column(jnp.concatenate([x[:, :-1], place], axis=-1), self.profiles)


def _encoder(width, multiples, blocks, dropout, rngs):
    layers, skips, c = [], [width], width
    for level, multiple in enumerate(multiples):
        if level:
            layers.append(_Block(c, c, dropout, rngs=rngs, resample=_halve))
            skips.append(c)
        for _ in range(blocks):
            layers.append(_Block(c, width * multiple, dropout, rngs=rngs))
            c = width * multiple
            skips.append(c)
    return nnx.List(layers), skips, c


def _decoder(c, skips, width, multiples, blocks, dropout, rngs, middle):
    layers, joins = list(middle), [False] * len(middle)
    for level, multiple in reversed(list(enumerate(multiples))):
        if level < len(multiples) - 1:
            layers.append(_Block(c, c, dropout, rngs=rngs, resample=_double))
            joins.append(False)
        for _ in range(blocks + 1):
            layers.append(_Block(c + skips.pop(), width * multiple, dropout, rngs=rngs))
            joins.append(True)
            c = width * multiple
    return nnx.List(layers), tuple(joins), c
