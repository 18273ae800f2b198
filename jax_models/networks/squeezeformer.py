"""Squeezeformer over the levels, first place of the LEAP competition; 44,785,225 parameters for v2_rh_mc.

    convolution: h = x + a₁(P eca(silu(BN(dwconv₁₅ glu(E x)))));   x⁺ = N(h + a₂(glu-MLP(h)))
    attention:   h = N₁(x + a₁(MHA₄ x));                           x⁺ = N₂(h + a₂(glu-MLP(h)))

glu(u, v) = u silu(v); a: a gain and offset per channel; eca: a gate per level from the channel mean, by a
convolution over 5 levels. Twelve of each in turn at width 384, then 2048 – glu-MLP 1536 – 13 per level;
surface outputs are means over the levels. Good values: Huber δ = 1, AdamW 1e-4, batch 1024, 12 epochs.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from .batch_norm import BatchNorm
from .layout import as_column, as_vector, column_sizes, start_channels_at

KEEP = 0.95


class _Gain(nnx.Module):
    def __init__(self, width: int):
        # Said, because one float64 gain (under jax_enable_x64) makes all that follows float64.
        self.gain = nnx.Param(jnp.ones(width, jnp.float32))
        self.offset = nnx.Param(jnp.zeros(width, jnp.float32))

    def __call__(self, x):
        return x * self.gain[...][None, None] + self.offset[...][None, None]


def _gated(x):
    value, gate = jnp.split(x, 2, axis=-1)
    return value * jax.nn.silu(gate)


class GatedMLP(nnx.Module):
    """W₂ glu(W₁ x), `hidden` values before the gate."""

    def __init__(self, width: int, hidden: int, *, rngs: nnx.Rngs):
        self.rise, self.fall = nnx.Linear(width, hidden, rngs=rngs), nnx.Linear(hidden // 2, width, rngs=rngs)

    def __call__(self, x):
        return self.fall(_gated(self.rise(x)))


class _Convolution(nnx.Module):
    def __init__(self, width: int, expand: int, reach: int, *, rngs: nnx.Rngs):
        inner = width * expand // 2
        self.expand = nnx.Linear(width, width * expand, rngs=rngs)
        self.mix = nnx.Conv(inner, inner, reach, feature_group_count=inner, use_bias=False, rngs=rngs)
        self.norm = BatchNorm(inner, keep=KEEP, rngs=rngs)
        self.gate = nnx.Conv(1, 1, 5, use_bias=False, rngs=rngs)
        self.project = nnx.Linear(inner, width, rngs=rngs)
        self.mlp = GatedMLP(width, width * expand, rngs=rngs)
        self.gains = nnx.List(_Gain(width) for _ in range(2))
        self.last = nnx.LayerNorm(width, epsilon=1e-6, rngs=rngs)

    def __call__(self, x, *, training: bool):
        h = self.norm(self.mix(_gated(self.expand(x))), training=training)
        h = jax.nn.silu(h)
        h = h * jax.nn.sigmoid(self.gate(h.mean(axis=-1, keepdims=True)))
        h = x + self.gains[0](self.project(h))
        return self.last(h + self.gains[1](self.mlp(h)))


class _Attention(nnx.Module):
    def __init__(self, width: int, heads: int, expand: int, *, rngs: nnx.Rngs):
        self.qkv, self.out = nnx.Linear(width, 3 * width, rngs=rngs), nnx.Linear(width, width, rngs=rngs)
        self.mlp = GatedMLP(width, width * expand, rngs=rngs)
        self.gains = nnx.List(_Gain(width) for _ in range(2))
        self.norms = nnx.List(nnx.LayerNorm(width, epsilon=1e-6, rngs=rngs) for _ in range(2))
        self.heads = heads

    def __call__(self, x):
        h = self.norms[0](x + self.gains[0](self.out(self._attend(x))))
        return self.norms[1](h + self.gains[1](self.mlp(h)))

    def _attend(self, x):
        parts = self.qkv(x).reshape(*x.shape[:2], 3, self.heads, -1)
        q, k, v = (parts[:, :, i] for i in range(3))
        scores = jnp.einsum("bqhc,bkhc->bhqk", q, k) * q.shape[-1] ** -0.5
        return jnp.einsum("bhqk,bkhc->bqhc", jax.nn.softmax(scores, axis=-1), v).reshape(x.shape)


class Squeezeformer(nnx.Module):
    """(batch, n_in) to (batch, n_out), profiles before scalars in both. A `key` says training."""

    def __init__(
        self,
        n_in: int = 557,
        n_out: int = 308,
        *,
        rngs: nnx.Rngs,
        scalars_in: int = 17,
        width: int = 384,
        blocks: int = 12,
        heads: int = 4,
        expand: int = 4,
        reach: int = 15,
        head: int = 2048,
    ):
        self.profiles, channels, out = column_sizes(n_in, n_out, scalars_in)
        self.entry = nnx.Linear(channels, width, use_bias=False, rngs=rngs)
        self.entry_norm = nnx.LayerNorm(width, epsilon=1e-6, rngs=rngs)
        self.convolutions = nnx.List(_Convolution(width, expand, reach, rngs=rngs) for _ in range(blocks))
        self.attentions = nnx.List(_Attention(width, heads, expand, rngs=rngs) for _ in range(blocks))
        self.head = nnx.Linear(width, head, rngs=rngs)
        self.head_mlp = GatedMLP(head, width * expand, rngs=rngs)
        self.exit = nnx.Linear(head, out, rngs=rngs)

    def __call__(self, x, *, key=None):
        h = self.entry_norm(self.entry(as_column(x, self.profiles)))
        for convolution, attention in zip(self.convolutions, self.attentions, strict=True):
            h = attention(convolution(h, training=key is not None))
        return as_vector(self.exit(self.head_mlp(jax.nn.silu(self.head(h)))))

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offset of the last layer."""
        start_channels_at(self.exit.bias, mean)
