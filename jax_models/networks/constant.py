"""The constant emulator: the mean of the training targets, whatever the input. Every score starts here."""

import jax.numpy as jnp
from flax import nnx


class Constant(nnx.Module):
    """Zero in network units, which a z-score decoder turns into the training mean."""

    def __init__(self, n_in: int, n_out: int, *, rngs: nnx.Rngs):
        self.value = nnx.Param(jnp.zeros(n_out, jnp.float32))

    def __call__(self, x, *, key=None):
        return jnp.broadcast_to(self.value[...][None], (x.shape[0], self.value[...].size))
