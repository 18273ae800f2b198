"""Memory of a column: tendencies of dynamics and physics in the two steps before.

With x(i) the state before the physics of step i and ∂x(i) its tendency (Δt = 1200 s):

    x_prvphy(i) = ∂x(i−1)                           tm_x_prvphy(i) = ∂x(i−2)
    x_dyn(i) = (x(i) − x(i−1))/Δt − ∂x(i−1)         tm_x_dyn(i) = x_dyn(i−1)

q0 is total water q1 + q2 + q3. The first two steps of a run have no history.
"""

from dataclasses import replace

import numpy as np

from ...contracts.errors import InputError
from ...contracts.variables import STEP_S
from .columns import ColumnSet
from .splits import absolute_seconds

PHYSICS = ("t", "q0001", "q0002", "q0003", "qn", "u")
DYNAMICS = {"t": ("t",), "q0": ("q0001", "q0002", "q0003"), "u": ("u",)}
BEFORE = ("state_ps", "pbuf_SOLIN", "pbuf_LHFLX", "pbuf_SHFLX", "pbuf_COSZRS")


def with_history(columns: ColumnSet) -> ColumnSet:
    """The steps that have two predecessors 1200 s apart in the set, with all history features.

    Raises InputError if there is no such step.
    """
    seconds = absolute_seconds(columns.ymd, columns.tod)
    place = {int(s): i for i, s in enumerate(seconds)}
    chains = [
        (i, place.get(int(s - STEP_S)), place.get(int(s - 2 * STEP_S)))
        for i, s in enumerate(seconds.tolist())
    ]
    chains = np.array([c for c in chains if None not in c], int)
    if chains.size == 0:
        raise InputError(
            "No time step has both predecessors (1200 s and 2400 s before it) in the set; history features "
            "need three consecutive steps: pack the files without a stride."
        )
    now, before, earlier = chains.T
    current = columns.at(now)
    fields = dict(current.fields)
    for name in PHYSICS:
        tendency = columns.field(f"ptend_{name}")
        fields[f"state_{name}_prvphy"], fields[f"tm_state_{name}_prvphy"] = (
            tendency[before],
            tendency[earlier],
        )
    for name, parts in DYNAMICS.items():
        state = sum(columns.field(f"state_{p}").astype(np.float64) for p in parts)
        physics = sum(columns.field(f"ptend_{p}").astype(np.float64) for p in parts)
        for prefix, late, early in (("", now, before), ("tm_", before, earlier)):
            dynamics = (state[late] - state[early]) / STEP_S - physics[early]
            fields[f"{prefix}state_{name}_dyn"] = dynamics.astype(np.float32)
    fields.update({f"tm_{name}": columns.field(name)[before] for name in BEFORE})
    return replace(current, fields=fields)
