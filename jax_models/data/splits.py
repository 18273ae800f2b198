"""Splits by time, never by random column: neighbouring columns and steps resemble each other.

Official months and strides are those of Yu et al. (2023). `held_out_steps` is ours, for a small set of steps:
the 48/12 split of the shared 60 steps. Steps less than a day apart never fall on both sides.
"""

import re
from dataclasses import dataclass

import numpy as np

from ...contracts.errors import InputError
from ...contracts.variables import STEP_S
from .sun import DAYS_BEFORE_MONTH


@dataclass(frozen=True)
class OfficialSplit:
    """Months from `first` to `last` (year, month), inclusive, every `stride`-th file."""

    first: tuple[int, int]
    last: tuple[int, int]
    stride: int

    def holds(self, year: int, month: int) -> bool:
        return self.first <= (year, month) <= self.last

    def stamps(self, count: int, *, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """ymd and tod of `count` steps of the split from the number `start` on, if no file is missing."""
        year, month = self.first
        days = year * 365 + int(DAYS_BEFORE_MONTH[month - 1])
        seconds = days * 86400 + (start + np.arange(count)) * self.stride * int(STEP_S)
        year, day = np.divmod(seconds // 86400, 365)
        month = np.searchsorted(DAYS_BEFORE_MONTH, day, side="right")
        return year * 10000 + month * 100 + day - DAYS_BEFORE_MONTH[month - 1] + 1, seconds % 86400


@dataclass(frozen=True)
class Choice:
    """Which steps are wanted: of a split, with YYYY-MM of the pattern `months`, every `stride`-th of them.

    Without a stride it is that of the split, or 1.
    """

    split: OfficialSplit | None = None
    months: str = ".*"
    stride: int | None = None

    def holds(self, year: int, month: int) -> bool:
        """Whether the month is wanted. Raises InputError for a pattern that is none."""
        try:
            inside = re.fullmatch(self.months, f"{year:04d}-{month:02d}")
        except re.error as error:
            raise InputError(
                f"The month pattern {self.months!r} is no regular expression ({error})."
            ) from error
        return inside is not None and (self.split is None or self.split.holds(year, month))

    @property
    def spacing(self) -> int:
        return self.stride or (self.split.stride if self.split else 1)

    def of(self, ymd: np.ndarray) -> np.ndarray:
        """Indices of the wanted steps among those with the dates `ymd`, in their order."""
        dates, index = np.unique(np.asarray(ymd) // 100, return_inverse=True)
        inside = np.array([self.holds(*divmod(date, 100)) for date in dates.tolist()], bool)
        return np.flatnonzero(inside[index])[:: self.spacing]


OFFICIAL = {
    "train": OfficialSplit((1, 2), (8, 1), 7),
    "val": OfficialSplit((8, 2), (9, 1), 7),
    "scoring": OfficialSplit((8, 2), (9, 1), 6),
    "test": OfficialSplit((9, 3), (11, 2), 7),
}


EVERYTHING = Choice()


def official_split(name: str) -> OfficialSplit:
    """The split of the papers by its name; raises InputError listing the names."""
    if name not in OFFICIAL:
        raise InputError(f"Unknown split {name!r}; known are {', '.join(OFFICIAL)}.")
    return OFFICIAL[name]


def held_out_steps(
    ymd: np.ndarray, tod: np.ndarray, *, test: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Indices (train, test) of time steps; `test` of them are held out.

    Steps are first grouped so that any two less than a day apart share a group (consecutive steps are almost
    copies), then whole groups are drawn in the order of a seeded permutation until `test` steps are held out;
    a group that would overshoot is passed over.
    """
    if not 0 < test < ymd.size:
        raise InputError(
            f"Cannot hold out {test} of {ymd.size} time steps; it must be between 1 and {ymd.size - 1}."
        )
    seconds = absolute_seconds(ymd, tod)
    order = np.argsort(seconds, kind="stable")
    starts = np.concatenate([[True], np.diff(seconds[order]) >= 86400])
    groups = np.split(order, np.flatnonzero(starts)[1:])
    chosen: list[int] = []
    for index in np.random.default_rng(seed).permutation(len(groups)):
        if len(chosen) + len(groups[index]) <= test:
            chosen.extend(groups[index])
    if len(chosen) != test:
        raise InputError(
            f"No {test} steps can be held out without cutting a run of steps less than a day apart "
            f"(the runs have {[len(g) for g in groups][:20]} steps); choose another number, or take all of "
            "one file and test on another."
        )
    held = np.sort(np.asarray(chosen))
    return np.setdiff1d(np.arange(ymd.size), held), held


def absolute_seconds(ymd: np.ndarray, tod: np.ndarray) -> np.ndarray:
    """Seconds since the year 0 of the calendar without leap days."""
    ymd = np.asarray(ymd, np.int64)
    days = ymd // 10000 * 365 + DAYS_BEFORE_MONTH[ymd // 100 % 100 - 1] + ymd % 100
    return days * 86400 + np.asarray(tod, np.int64)


def runs_of(seconds: np.ndarray) -> list[list[int]]:
    """Sorted times as runs [first, spacing, count] of even spacing; undone by `times_of`."""
    left, runs = np.unique(seconds), []
    while left.size:
        spacing = int(left[1] - left[0]) if left.size > 1 else 0
        uneven = np.flatnonzero(np.diff(left) != spacing)
        count = int(uneven[0]) + 1 if uneven.size else left.size
        runs.append([int(left[0]), spacing, count])
        left = left[count:]
    return runs


def times_of(runs: list[list[int]]) -> np.ndarray:
    """All times of `runs_of`, seconds."""
    return np.concatenate([first + spacing * np.arange(count) for first, spacing, count in runs] or [[]])
