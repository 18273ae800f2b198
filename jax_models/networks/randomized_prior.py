"""Randomized prior network (RPN, Yu et al. 2023): an ensemble whose members keep what they were born with.

    member(x) = f_θ(x) + f_prior(x),   the prior frozen; 32 members of 1,736,960 trained parameters for V1

Members are an array axis under vmap. Good values: Adam 5e-4 · 0.99 every 1000 steps, batch 3072, 5 epochs,
each member on its own 80 % of the rows.
"""

import jax
from flax import nnx

from ..normalization import Statistic
from .ensemble import drawn
from .mlp import MLP, leaky

WIDTHS = (768, 640, 512, 640, 640)


class RandomizedPrior(nnx.Module):
    """Calling gives the ensemble mean; `members` all of them."""

    def __init__(
        self,
        n_in: int = 124,
        n_out: int = 128,
        *,
        rngs: nnx.Rngs,
        count: int = 32,
        widths: tuple[int, ...] = WIDTHS,
    ):
        def born(key):
            return nnx.split(MLP(n_in, n_out, rngs=nnx.Rngs(key), widths=widths, activation=leaky))

        graphdef, _ = born(jax.random.key(0))
        self.graphdef = graphdef
        stacks = [jax.vmap(lambda k: born(k)[1])(jax.random.split(rngs.params(), count)) for _ in range(2)]
        flat = [jax.tree.leaves(stack) for stack in stacks]
        self.structure = jax.tree.structure(stacks[0])
        self.trained = nnx.List([nnx.Param(leaf) for leaf in flat[0]])
        self.prior = nnx.List([Statistic(leaf) for leaf in flat[1]])

    def members(self, x):
        """(count, batch, n_out)."""

        def one(trained, prior):
            parts = [jax.tree.unflatten(self.structure, leaves) for leaves in (trained, prior)]
            return sum(nnx.merge(self.graphdef, part)(x) for part in parts)

        # The prior follows the trained parameters into the type of the computation.
        leaves = [[v[...].astype(x.dtype) for v in group] for group in (self.trained, self.prior)]
        return jax.vmap(one)(*leaves)

    def __call__(self, x, *, key=None):
        return self.members(x).mean(axis=0)

    def sample(self, x, key, count: int):
        """(count, batch, n_out): that many members, in a random order, again from the start where too few."""
        return drawn(self.members(x), key, count)
