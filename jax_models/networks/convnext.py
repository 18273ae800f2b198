"""ConvNeXt over the levels, fourth place of the LEAP competition; 26,805,429 parameters for v2_rh_mc.

    block: x + γ W₂ gelu(W₁ BN(dwconv₇ x)),   W₁: C → 4C,   γ = 1e-6 at the start

Stages of 3, 3, 9, 3 blocks with 96, 192, 384, 768 channels; between them BN and a convolution over two levels
that keeps all 60. Surface outputs are a dense layer on their 8 channels over all levels.
Good values: Huber δ = 1, AdamW 1e-4, batch 1024, 12 epochs stepwise.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.variables import LEVELS
from .batch_norm import BatchNorm
from .layout import N_SCALARS_OUT, as_column, column_sizes, profile_major, start_channels_at

KEEP = 0.9


class _Block(nnx.Module):
    def __init__(self, width: int, reach: int, layer_scale: float, *, rngs: nnx.Rngs):
        self.mix = nnx.Conv(width, width, reach, feature_group_count=width, rngs=rngs)
        self.norm = BatchNorm(width, keep=KEEP, rngs=rngs)
        self.rise, self.fall = (
            nnx.Linear(width, 4 * width, rngs=rngs),
            nnx.Linear(4 * width, width, rngs=rngs),
        )
        self.scale = nnx.Param(jnp.full(width, layer_scale, jnp.float32))

    def __call__(self, x, *, training: bool):
        h = self.norm(self.mix(x), training=training)
        return x + self.scale[...][None, None] * self.fall(jax.nn.gelu(self.rise(h)))


class ConvNeXt(nnx.Module):
    """(batch, n_in) to (batch, n_out), profiles before scalars in both. A `key` says training."""

    def __init__(
        self,
        n_in: int = 557,
        n_out: int = 308,
        *,
        rngs: nnx.Rngs,
        scalars_in: int = 17,
        depths: tuple[int, ...] = (3, 3, 9, 3),
        widths: tuple[int, ...] = (96, 192, 384, 768),
        reach: int = 7,
        layer_scale: float = 1e-6,
    ):
        self.profiles, channels, out = column_sizes(n_in, n_out, scalars_in)
        before = (channels, *widths[:-1])
        self.entries = nnx.List(
            nnx.Conv(i, o, 4 if number == 0 else 2, rngs=rngs)
            for number, (i, o) in enumerate(zip(before, widths, strict=True))
        )
        # The first norm follows its convolution, the others precede theirs.
        self.norms = nnx.List(BatchNorm(c, keep=KEEP, rngs=rngs) for c in (widths[0], *widths[:-1]))
        self.stages = nnx.List(
            nnx.List(_Block(width, reach, layer_scale, rngs=rngs) for _ in range(depth))
            for depth, width in zip(depths, widths, strict=True)
        )
        self.exit = nnx.Conv(widths[-1], out, 3, rngs=rngs)
        self.surface = nnx.Linear(LEVELS * N_SCALARS_OUT, N_SCALARS_OUT, rngs=rngs)

    def __call__(self, x, *, key=None):
        training = key is not None
        h = as_column(x, self.profiles)
        for number, (entry, norm, stage) in enumerate(
            zip(self.entries, self.norms, self.stages, strict=True)
        ):
            first = number == 0
            h = norm(entry(h), training=training) if first else entry(norm(h, training=training))
            for block in stage:
                h = block(h, training=training)
        column = self.exit(h)
        scalars = self.surface(profile_major(column[..., -N_SCALARS_OUT:]))
        return jnp.concatenate([profile_major(column[..., :-N_SCALARS_OUT]), scalars], axis=-1)

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offsets of the last layers."""
        start_channels_at(self.exit.bias, mean.at[-N_SCALARS_OUT:].set(0))
        self.surface.bias[...] = mean[-N_SCALARS_OUT:]
