"""Is a field what the table says? Finite, in range, and of the right order of magnitude."""

import numpy as np

from ...contracts.errors import FileError
from ...contracts.variables import variable

UNIT_FACTOR = 30.0  # a global step whose peak is off by more is in other units


def check_field(name: str, values: np.ndarray, *, where: str, per_step_columns: int = 200) -> None:
    """Refuse values that are not finite, lie out of range, or look like another unit.

    `values`: any shape. The unit is judged only where the field holds at least `per_step_columns` columns,
    because the peak of a few columns says nothing. Raises FileError naming file, variable, found, expected.
    """
    row = variable(name)
    bad = np.count_nonzero(~np.isfinite(values))
    if bad:
        raise FileError(f"{where}: {name} has {bad} values that are not finite; expected none.")
    low, high = float(values.min()), float(values.max())
    slack = 1e-6 * max(abs(row.minimum), abs(row.maximum))
    peak = max(abs(low), abs(high))
    columns = values.size // row.levels
    if (
        row.peak
        and columns >= per_step_columns
        and not row.peak / UNIT_FACTOR < peak < row.peak * UNIT_FACTOR
    ):
        raise FileError(
            f"{where}: {name} peaks at {peak:.4g}, expected about {row.peak:.4g} {row.units}; "
            "is it in other units?"
        )
    if low < row.minimum - slack or high > row.maximum + slack:
        raise FileError(
            f"{where}: {name} spans {low:.6g} to {high:.6g}, "
            f"expected {row.minimum:g} to {row.maximum:g} {row.units}."
        )
