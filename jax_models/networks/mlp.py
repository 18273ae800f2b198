"""Multilayer perceptrons: plain, the 2023 baseline (Yu et al.) and the online one (Hu et al. 2024)."""

from collections.abc import Callable
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx


def leaky(x):
    """LeakyReLU with the slope 0.15 that the hyperparameter search chose."""
    return jax.nn.leaky_relu(x, 0.15)


class MLP(nnx.Module):
    """Dense layers `widths`, `activation` after each but the last."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rngs: nnx.Rngs,
        widths: tuple[int, ...] = (512, 512),
        activation: Callable = jax.nn.relu,
    ):
        sizes = (n_in, *widths, n_out)
        initial = nnx.initializers.he_normal()
        self.layers = nnx.List(nnx.Linear(i, o, rngs=rngs, kernel_init=initial) for i, o in pairwise(sizes))
        self.activation = activation

    def __call__(self, x, *, key=None):
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)


class BaselineMLP(nnx.Module):
    """Rank 1 of 7,983 trials: 124-768-640-512-640-640-128, then a linear and a ReLU head.

    1,753,472 parameters for V1. The last hidden layer has the width n_out.
    """

    def __init__(self, n_in: int = 124, n_out: int = 128, *, rngs: nnx.Rngs, n_scalars: int = 8):
        self.trunk = MLP(n_in, n_out, rngs=rngs, widths=(768, 640, 512, 640, 640), activation=leaky)
        self.profiles = nnx.Linear(n_out, n_out - n_scalars, rngs=rngs)
        self.scalars = nnx.Linear(n_out, n_scalars, rngs=rngs)

    def __call__(self, x, *, key=None):
        x = leaky(self.trunk(x))
        return jnp.concatenate([self.profiles(x), jax.nn.relu(self.scalars(x))], axis=-1)

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offsets of the heads."""
        count = self.scalars.bias[...].size
        self.profiles.bias[...], self.scalars.bias[...] = mean[:-count], mean[-count:]


class OnlineMLP(nnx.Module):
    """MLP_v2rh: 557-384-1024-640-368, ReLU, also on the 8 scalars; 1,500,400 parameters."""

    def __init__(self, n_in: int = 557, n_out: int = 368, *, rngs: nnx.Rngs, n_scalars: int = 8):
        self.trunk = MLP(n_in, n_out, rngs=rngs, widths=(384, 1024, 640))
        self.n_scalars = n_scalars

    def __call__(self, x, *, key=None):
        x = self.trunk(x)
        return jnp.concatenate([x[:, : -self.n_scalars], jax.nn.relu(x[:, -self.n_scalars :])], axis=-1)

    def start_at(self, mean: jax.Array) -> None:
        """Let the first answer lie near `mean` (n_out,): offset of the last layer."""
        self.trunk.layers[-1].bias[...] = mean
