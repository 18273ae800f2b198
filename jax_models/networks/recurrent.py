"""Recurrent layers over the vertical: LSTM and GRU both ways, input products hoisted out of the scan.

Gates and the two bias vectors are those of PyTorch, so that parameter counts and weights correspond.
"""

import jax
import jax.numpy as jnp
from flax import nnx


class _Direction(nnx.Module):
    """Weights of one direction: kernels (n_in, gates · width) and (width, gates · width), two biases."""

    def __init__(self, n_in: int, width: int, gates: int, *, rngs: nnx.Rngs):
        bound = width**-0.5

        def uniform(*shape):
            values = jax.random.uniform(rngs.params(), shape, jnp.float32, -bound, bound)
            return nnx.Param(values)

        self.kernel, self.recurrent = uniform(n_in, gates * width), uniform(width, gates * width)
        self.bias, self.recurrent_bias = uniform(gates * width), uniform(gates * width)


class BiLSTM(nnx.Module):
    """(batch, levels, n_in) to (batch, levels, 2 · width): downward and upward pass side by side.

    i, f, g, o = σ, σ, tanh, σ of x W + b + h U + d;   c⁺ = f c + i g;   h⁺ = o tanh(c⁺)
    """

    def __init__(self, n_in: int, width: int, *, rngs: nnx.Rngs):
        self.width = width
        self.down, self.up = (_Direction(n_in, width, 4, rngs=rngs) for _ in range(2))

    def __call__(self, x):
        # Both directions advance in one scan: half the sequential steps, products twice as large.
        sides = (self.down, self.up)
        flows = jnp.stack([x, x[:, ::-1]])
        kernel, recurrent, bias = _stacked(sides)
        drive = jnp.einsum("sblc,scg->lsbg", flows, kernel) + bias[None, :, None]

        def advance(state, forcing):
            h, c = state
            gates = forcing + jnp.einsum("sbw,swg->sbg", h, recurrent)
            i, f, g, o = jnp.split(gates, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        rest = jnp.zeros((2, x.shape[0], self.width), x.dtype)
        _, passed = jax.lax.scan(advance, (rest, rest), drive)
        return _side_by_side(passed)


class BiGRU(nnx.Module):
    """(batch, levels, n_in) to (batch, levels, 2 · width).

    r, z = σ(x W + b + h U + d);   n = tanh(x Wₙ + bₙ + r (h Uₙ + dₙ));   h⁺ = (1 − z) n + z h
    """

    def __init__(self, n_in: int, width: int, *, rngs: nnx.Rngs):
        self.width = width
        self.down, self.up = (_Direction(n_in, width, 3, rngs=rngs) for _ in range(2))

    def __call__(self, x):
        sides, w = (self.down, self.up), self.width
        kernel, recurrent, _ = _stacked(sides)
        bias = jnp.stack([side.bias[...] for side in sides])[None, :, None]
        recurrent_bias = jnp.stack([side.recurrent_bias[...] for side in sides])[:, None]
        drive = jnp.einsum("sblc,scg->lsbg", jnp.stack([x, x[:, ::-1]]), kernel) + bias

        def advance(h, forcing):
            inner = jnp.einsum("sbw,swg->sbg", h, recurrent) + recurrent_bias
            reset, update = jnp.split(jax.nn.sigmoid(forcing[..., : 2 * w] + inner[..., : 2 * w]), 2, axis=-1)
            new = jnp.tanh(forcing[..., 2 * w :] + reset * inner[..., 2 * w :])
            h = (1 - update) * new + update * h
            return h, h

        _, passed = jax.lax.scan(advance, jnp.zeros((2, x.shape[0], w), x.dtype), drive)
        return _side_by_side(passed)


def _stacked(sides):
    kernel, recurrent = (jnp.stack([getattr(s, n)[...] for s in sides]) for n in ("kernel", "recurrent"))
    return kernel, recurrent, jnp.stack([s.bias[...] + s.recurrent_bias[...] for s in sides])


def _side_by_side(passed):
    """(levels, 2, batch, width) in the order of each pass to (batch, levels, 2 · width) in that of levels."""
    both = jnp.concatenate([passed[:, 0], passed[::-1, 1]], axis=-1)
    return jnp.swapaxes(both, 0, 1)
