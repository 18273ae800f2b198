"""How far the answers of one column scheme lie from another's, column by column."""

import numpy as np


def profile_errors(ours: np.ndarray, theirs: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """max_k |ours − theirs| / max_k |theirs| of each column, (columns,) [1].

    Args:
        ours, theirs: (columns, levels), or (columns,) for one value a column; any unit, the same in both.
        levels: (columns,) levels in use, counted from the first; the rest may hold anything.

    A column in which `theirs` is nothing but zeros gives 0 where `ours` is too, else infinity.
    """
    ours, theirs = (np.asarray(values, float).reshape(len(values), -1) for values in (ours, theirs))
    used = np.arange(theirs.shape[1]) < np.asarray(levels)[:, None]
    difference = np.max(np.abs(ours - theirs), axis=1, initial=0, where=used)
    scale = np.max(np.abs(theirs), axis=1, initial=0, where=used)
    unmatched = np.where(difference > 0, np.inf, 0.0)
    return np.divide(difference, scale, out=unmatched, where=scale > 0)
