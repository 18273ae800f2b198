"""Forms of closures whose constants are tuned: one compiled loop runs any number of sets of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..envs.ensemble import MakeClosure
from ..envs.uniform_closure import UniformClosure, constants, stack
from ..sims.closures.vortex_sparing import Closure as VortexSparing

Constants = Mapping[str, float]


@dataclass(frozen=True)
class Form:
    """`members` turns sets of constants, by name, into a pytree with a leading axis; `make_closure` one entry
    of it into a closure."""

    members: Callable[[Sequence[Constants]], Any]
    make_closure: MakeClosure


def _uniform_members(chosen: Sequence[Constants]) -> UniformClosure:
    return stack([constants(**one) for one in chosen])


def _sparing_members(chosen: Sequence[Constants]) -> dict[str, jax.Array]:
    names = ("drain", "returned", "steepness")
    usual = VortexSparing()
    rows = [[one.get(name, getattr(usual, name)) for name in names] for one in chosen]
    return dict(zip(names, jnp.asarray(np.array(rows).T, jnp.float32), strict=True))


UNIFORM = Form(_uniform_members, lambda member, steps: member)
"""Viscosities of envs/uniform_closure.py; constants C_s, C_l, C_4 and b; none of them: no closure."""

SPARING = Form(_sparing_members, lambda member, steps: replace(VortexSparing(), **member))
"""The vortex-sparing closure; its drain, returned share and steepness, else the usual constants."""
