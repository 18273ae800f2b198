"""Memory of a column: tendencies of dynamics and physics in the two steps before.

With x(i) the state before the physics of step i and ∂x(i) its tendency (Δt = 1200 s):

    x_prvphy(i) = ∂x(i−1)                           tm_x_prvphy(i) = ∂x(i−2)
    x_dyn(i) = (x(i) − x(i−1))/Δt − ∂x(i−1)         tm_x_dyn(i) = x_dyn(i−1)

q0 is total water q1 + q2 + q3, tm_ before a surface quantity its value at i−1. The first two steps of a run
have no history.
"""

from collections.abc import Iterable

import numpy as np

from ...contracts.errors import InputError
from ...contracts.variables import STEP_S, VARIABLES, variable
from .columns import ColumnSet, parts_of
from .source import Source
from .splits import absolute_seconds

PHYSICS, DYNAMICS = "_prvphy", "_dyn"
TOTAL_WATER = ("q0001", "q0002", "q0003")
HISTORY = tuple(name for name, row in VARIABLES.items() if row.source == "history")


def has_history(names: Iterable[str]) -> bool:
    """Whether any of the variables belongs to earlier steps."""
    return any(variable(name).source == "history" for name in names)


def without_history(names: Iterable[str]) -> tuple[str, ...]:
    """What has to be stored so that `names` can be formed, each once."""
    parts = [part for name in names for whole in _made_of(name) for part in parts_of(whole)]
    return tuple(dict.fromkeys(parts))


def with_history(columns: ColumnSet, names: Iterable[str] | None = None) -> ColumnSet:
    """The steps that have two predecessors 1200 s apart in the set, with history.

    names: what the result holds; default all that the set has, and all history features.
    Raises InputError if there is no such step.
    """
    chosen = tuple(columns.fields) + HISTORY if names is None else tuple(names)
    return _expanded(columns, chosen, _chains(columns.ymd, columns.tod))


class HistorySource:
    """A source seen with history: only the steps that have both predecessors in it, whatever their part.

    Raises InputError if there is no such step.
    """

    def __init__(self, source: Source):
        self._source, self._chains = source, _chains(*source.stamps.T)
        self.grid, self.block, self.stamps = source.grid, source.block, source.stamps[self._chains[0]]

    def read(self, names: tuple[str, ...], times: np.ndarray) -> ColumnSet:
        """`names` at time indices `times`; each step of the source is read once."""
        chains = self._chains[:, np.asarray(times)]
        steps, places = np.unique(chains, return_inverse=True)
        columns = self._source.read(without_history(names), steps)
        return _expanded(columns, names, places.reshape(chains.shape))


def _chains(ymd: np.ndarray, tod: np.ndarray) -> np.ndarray:
    """(3, n) time indices: steps with both predecessors, the step before each, and the one before that."""
    seconds = absolute_seconds(ymd, tod).tolist()
    place = {second: i for i, second in enumerate(seconds)}
    back = int(STEP_S)
    chains = [(i, place.get(s - back), place.get(s - 2 * back)) for i, s in enumerate(seconds)]
    whole = [chain for chain in chains if None not in chain]
    if not whole:
        raise InputError(
            "No time step has both predecessors (1200 s and 2400 s before it) in the set; history features "
            "need three consecutive steps: pack the files without a stride."
        )
    return np.array(whole, int).T


def _expanded(columns: ColumnSet, names: tuple[str, ...], chains: np.ndarray) -> ColumnSet:
    """`names` at the steps chains[0], history from chains[1] and chains[2]."""
    fields = {
        name: _feature(columns, name, *chains) if has_history((name,)) else columns.fields[name][chains[0]]
        for name in names
    }
    return ColumnSet(fields, columns.ymd[chains[0]], columns.tod[chains[0]], columns.grid)


def _made_of(name: str) -> tuple[str, ...]:
    """Quantities of one step from which a history feature follows; any other is made of itself."""
    if not has_history((name,)):
        return (name,)
    name = name.removeprefix("tm_")
    if name.endswith(PHYSICS):
        return (name.removesuffix(PHYSICS).replace("state", "ptend"),)
    if name.endswith(DYNAMICS):
        quantity = name.removesuffix(DYNAMICS).removeprefix("state_")
        parts = TOTAL_WATER if quantity == "q0" else (quantity,)
        return tuple(f"{kind}_{part}" for kind in ("state", "ptend") for part in parts)
    return (name,)


def _feature(columns: ColumnSet, name: str, now, before, earlier) -> np.ndarray:
    """The equations above, (time, ncol[, nlev]) float32."""
    late, early = (before, earlier) if name.startswith("tm_") else (now, before)
    parts = _made_of(name)
    if name.endswith(PHYSICS):
        return columns.field(parts[0])[early]
    if not name.endswith(DYNAMICS):
        return columns.field(parts[0])[late]
    sums = {
        kind: sum(columns.field(part).astype(np.float64) for part in parts if part.startswith(kind))
        for kind in ("state", "ptend")
    }
    change = (sums["state"][late] - sums["state"][early]) / STEP_S
    return (change - sums["ptend"][early]).astype(np.float32)
