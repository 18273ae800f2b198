"""Recurrent layers over the vertical: LSTM and GRU, downward and upward.

Gates and the two bias vectors are those of PyTorch, so that parameter counts and weights correspond. Input
and recurrent products are one product inside the scan: its operands stay in the cache, which on a CPU beats
hoisting the input product out (1.6 times as fast at batch 384, width 128).
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
        levels = jnp.swapaxes(x, 0, 1)
        passes = [self._run(side, levels, upward) for side, upward in ((self.down, False), (self.up, True))]
        return jnp.swapaxes(jnp.concatenate(passes, axis=-1), 0, 1)

    def _run(self, side: _Direction, levels, upward):
        """One direction over (levels, batch, n_in), to (levels, batch, width) in the order of the levels."""
        weights = jnp.concatenate([side.kernel[...], side.recurrent[...]])
        bias = (side.bias[...] + side.recurrent_bias[...])[None]

        def advance(state, x):
            h, c = state
            i, f, g, o = jnp.split(jnp.concatenate([x, h], axis=-1) @ weights + bias, 4, axis=-1)
            c = _sigmoid(f) * c + _sigmoid(i) * jnp.tanh(g)
            h = _sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        rest = jnp.zeros((levels.shape[1], self.width), levels.dtype)
        return jax.lax.scan(advance, (rest, rest), levels, reverse=upward)[1]


class BiGRU(nnx.Module):
    """(batch, levels, n_in) to (batch, levels, 2 · width).

    r, z = σ(x W + b + h U + d);   n = tanh(x Wₙ + bₙ + r (h Uₙ + dₙ));   h⁺ = (1 − z) n + z h
    """

    def __init__(self, n_in: int, width: int, *, rngs: nnx.Rngs):
        self.width = width
        self.down, self.up = (_Direction(n_in, width, 3, rngs=rngs) for _ in range(2))

    def __call__(self, x):
        levels = jnp.swapaxes(x, 0, 1)
        passes = [self._run(side, levels, upward) for side, upward in ((self.down, False), (self.up, True))]
        return jnp.swapaxes(jnp.concatenate(passes, axis=-1), 0, 1)

    def _run(self, side: _Direction, levels, upward):
        def advance(h, x):
            outer = x @ side.kernel[...] + side.bias[...][None]
            inner = h @ side.recurrent[...] + side.recurrent_bias[...][None]
            (r, z, n), (hr, hz, hn) = (jnp.split(v, 3, axis=-1) for v in (outer, inner))
            new = jnp.tanh(n + _sigmoid(r + hr) * hn)
            update = _sigmoid(z + hz)
            h = (1 - update) * new + update * h
            return h, h

        rest = jnp.zeros((levels.shape[1], self.width), levels.dtype)
        return jax.lax.scan(advance, rest, levels, reverse=upward)[1]


def _sigmoid(x):
    """By the hyperbolic tangent, which vectorises better."""
    return 0.5 * jnp.tanh(0.5 * x) + 0.5
