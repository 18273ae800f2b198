"""Is a field what the table says? Finite, in range, and of the right order of magnitude. Are dates dates?"""

import numpy as np

from ...contracts.errors import FileError
from ...contracts.variables import variable
from .sun import DAYS_BEFORE_MONTH

DAYS_IN_MONTH = np.diff(DAYS_BEFORE_MONTH, append=365)
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


def check_dates(ymd: np.ndarray, tod: np.ndarray, *, where: str) -> None:
    """Refuse, with a FileError, dates (YYYYMMDD) that the calendar without leap days does not have, and time
    steps that are there twice: their columns would count twice.
    """
    ymd, tod = np.asarray(ymd, np.int64), np.asarray(tod, np.int64)
    month, day = ymd // 100 % 100, ymd % 100
    longest = DAYS_IN_MONTH[np.clip(month, 1, 12) - 1]
    right = (month >= 1) & (month <= 12) & (day >= 1) & (day <= longest) & (tod >= 0) & (tod < 86400)
    if not right.all():
        first = np.flatnonzero(~right)[0]
        raise FileError(
            f"{where}: time step {first} is dated {ymd[first]:08d}, {tod[first]} s; expected YYYYMMDD of the "
            "calendar without leap days, and 0 to 86399 s; correct it or leave the step out."
        )
    _, first, count = np.unique(np.stack([ymd, tod]), axis=1, return_index=True, return_counts=True)
    if count.max(initial=1) > 1:
        twice = first[count > 1].min()
        raise FileError(
            f"{where}: found {np.count_nonzero(count > 1)} time steps more than once, the first dated "
            f"{ymd[twice]:08d}, {tod[twice]} s; expected each once: keep one of them."
        )
