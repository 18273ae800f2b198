"""An ensemble of equal networks that differ in their initial weights alone (deep ensemble).

Members are an array axis under vmap: one program, `count` times the work. The mean of the members is taken in
network units, so that whatever physics follows it holds for the mean as for each member.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx


class Ensemble(nnx.Module):
    """Calling gives the mean, `members` all of them. build: `build(rngs) → network`, no batch statistics."""

    def __init__(self, build: Callable[[nnx.Rngs], nnx.Module], *, rngs: nnx.Rngs, count: int = 8):
        keys = jax.random.split(rngs.params(), count)
        self.graphdef = nnx.split(build(nnx.Rngs(keys[0])))[0]
        stack = jax.vmap(lambda key: nnx.split(build(nnx.Rngs(key)))[1])(keys)
        leaves, self.structure = jax.tree.flatten(stack)
        self.stacked = nnx.List([nnx.Param(leaf) for leaf in leaves])
        self.count = count

    def members(self, x, *, key=None):
        """(count, batch, n_out); dropout is drawn for each member on its own."""

        def one(leaves, number):
            network = nnx.merge(self.graphdef, jax.tree.unflatten(self.structure, leaves))
            return network(x, key=None if key is None else jax.random.fold_in(key, number))

        return jax.vmap(one)([leaf[...] for leaf in self.stacked], jnp.arange(self.count))

    def __call__(self, x, *, key=None):
        return self.members(x, key=key).mean(axis=0)

    def sample(self, x, key, count: int):
        """(count, batch, n_out): members in a random order, again from the start where too few."""
        return drawn(self.members(x), key, count)


def drawn(members, key, count: int):
    """`count` of the members (n, …) in a random order, again from the start where there are too few."""
    order = jax.random.permutation(key, len(members))
    return members[order[jnp.arange(count) % len(members)]]
