"""Is a stochastic emulator right about how wrong it is? CRPS, rank histogram, spread against error.

Fair CRPS of n members x₁ ≤ … ≤ xₙ and the truth y (Ferro 2014; Yu et al. 2023 as corrected):

    CRPS = ⟨|xᵢ − y|⟩ − Σᵢ (xᵢ₊₁ − xᵢ) i (n − i) / (n (n − 1))

A calibrated ensemble has the truth equally often in each of the n + 1 gaps between its members, and a spread
√⟨s² (n + 1)/n⟩ equal to the root-mean-square error of its mean, in every bin of spread.
"""

import numpy as np

from ...contracts.errors import InputError
from . import metrics

SPREAD_EDGES = np.logspace(-6, 4, 31)  # W m-2, three bins a decade
SMALLEST_SHARE = 1e-3  # of the values; bins of spread with fewer are not shown


class Calibration:
    """Sums over time of one output of one emulator, so that no more than a few steps of members are held."""

    def __init__(self):
        self.crps: list[np.ndarray] = []
        self.levels = 0.0
        self.silent = self.values = 0
        self.members = 0
        self.ranks = np.zeros(0)
        self.binned = np.zeros((3, SPREAD_EDGES.size + 1))  # variance, squared error, count

    def add(self, members: np.ndarray, target: np.ndarray) -> None:
        """Members (n, time, ncol[, nlev]) and truth (time, ncol[, nlev]) in the unit of the score."""
        n = members.shape[0]
        if self.members not in (0, n):
            raise InputError(
                f"Found an ensemble of {n} members after one of {self.members}, expected one size."
            )
        if self.members == 0:
            self.members, self.ranks = n, np.zeros(n + 1)
        field = metrics.crps_field(members, target)
        self.crps.append(field.reshape(len(field), -1).mean(axis=1))
        self.levels = self.levels + field.mean(axis=1).sum(axis=0)
        variance = members.var(axis=0, ddof=1)
        error = np.square(members.mean(axis=0) - target)
        # Where all members say the same (silent levels, night) there is no rank; what they miss is counted.
        alive = variance > SPREAD_EDGES[0] ** 2
        self.silent += np.count_nonzero(~alive & (error > SPREAD_EDGES[0] ** 2))
        self.values += alive.size
        self.ranks += _rank_counts(members[:, alive], target[alive])
        place = np.digitize(np.sqrt(variance[alive]), SPREAD_EDGES)
        for row, weight in enumerate((variance[alive], error[alive], np.ones(place.size))):
            self.binned[row] += np.bincount(place, weight, minlength=SPREAD_EDGES.size + 1)

    @property
    def per_step(self) -> np.ndarray:
        """(time,) CRPS."""
        return np.concatenate(self.crps)

    def result(self) -> dict:
        """Plain numbers. spread_skill: [spread, root-mean-square error, share] of each bin.

        silent_share: of the values in which all members agree and are wrong; they are in no histogram.
        """
        variance, error, count = self.binned
        inflation = (self.members + 1) / self.members
        shown = np.flatnonzero(count > SMALLEST_SHARE * count.sum())
        curve = [
            [float(np.sqrt(variance[i] / count[i] * inflation)), float(np.sqrt(error[i] / count[i])),
             float(count[i] / count.sum())]
            for i in shown
        ]  # fmt: skip
        found = {
            "members": self.members,
            "crps": float(self.per_step.mean()),
            "rank_histogram": (self.ranks / max(self.ranks.sum(), 1)).tolist(),
            "spread_over_error": float(np.sqrt(inflation * variance.sum() / error.sum()))
            if error.sum()
            else None,
            "spread_skill": curve,
            "silent_share": self.silent / max(self.values, 1),
        }
        if np.ndim(self.levels):
            found["crps_levels"] = (self.levels / self.per_step.size).tolist()
        return found


def _rank_counts(members: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(n + 1,) how often the truth has each rank; among equal members it counts in equal parts."""
    below, ties = (members < target).sum(axis=0), (members == target).sum(axis=0)
    share = 1.0 / (ties + 1)
    steps = np.bincount(below, share, minlength=len(members) + 2)
    steps -= np.bincount(below + ties + 1, share, minlength=len(members) + 2)
    return np.cumsum(steps)[:-1]
