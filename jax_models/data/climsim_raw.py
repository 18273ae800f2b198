"""Raw ClimSim files: pairs `E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc` (inputs) and `.mlo.` (outputs), CDF-5.

Variables are (lev, ncol) or (ncol), float64. Tendencies are (mlo − mli) / 1200 s, formed in float64 and
then stored as float32. (The published loaders take `sorted(files)[start:-1:stride]`, which loses the last
file; here the last file counts.)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import netCDF4
import numpy as np

from ...contracts.errors import FileError
from ...contracts.variables import LEVELS, RAW_INPUTS, STATE, STEP_S, SURFACE_OUT, variable
from .classic import ClassicFile, is_classic
from .quality import check_field
from .splits import EVERYTHING, Choice

NAME = re.compile(r"E3SM-MMF\.ml([io])\.(\d{4})-(\d{2})-(\d{2})-(\d{5})\.nc$")


@dataclass(frozen=True)
class Pair:
    """One time step on disk."""

    ymd: int
    tod: int
    inputs: Path
    outputs: Path


@dataclass
class Skipped:
    """What could not be used, and why; filled while reading with `skip_bad`."""

    reasons: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line with the count and the first reasons."""
        shown = "; ".join(reason.removesuffix(".") for reason in self.reasons[:3]) + (
            "; …" if len(self.reasons) > 3 else ""
        )
        return f"{len(self.reasons)} time steps skipped: {shown}" if self.reasons else "no time step skipped"


def find_pairs(
    folder: Path, choice: Choice = EVERYTHING, *, start: int = 0, skipped: Skipped | None = None
) -> list[Pair]:
    """All pairs below `folder` in the order of time.

    choice: which are wanted, the first of them being `start`. skipped: takes steps of which one half is
    missing; without it such a step raises FileError, as a file does that is there twice.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder} is not a directory; give the folder that holds the E3SM-MMF files.")
    halves: dict[tuple[int, int], dict[str, Path]] = {}
    for path in sorted(folder.rglob("E3SM-MMF.ml*.nc")):
        found = NAME.search(path.name)
        if found is None:
            continue
        kind, year, month, day, second = found.groups()
        if choice.holds(int(year), int(month)):
            both = halves.setdefault((int(year + month + day), int(second)), {})
            if kind in both:
                raise FileError(
                    f"{both[kind]} and {path} are the same half of one time step; keep one of them."
                )
            both[kind] = path
    if not halves:
        raise FileError(f"{folder} holds no E3SM-MMF.mli/mlo files of the wanted months ({choice.months}).")
    chosen = sorted(halves)[start :: choice.spacing]
    pairs = []
    for stamp in chosen:
        both = halves[stamp]
        if len(both) == 2:
            pairs.append(Pair(*stamp, both["i"], both["o"]))
        else:
            there = next(iter(both.values()))
            lost = "mlo" if "i" in both else "mli"
            complain(f"{there}: its {lost} half is missing; fetch it again.", skipped)
    return pairs


def read_pair(pair: Pair) -> dict[str, np.ndarray]:
    """All V2 inputs and targets of one step, name → (ncol,) or (ncol, nlev) float32.

    Raises FileError naming file, variable, found and expected: unreadable or truncated file, variable
    missing, wrong dimensions, another time inside than in the name, values not finite, out of range or in
    other units.
    """
    before = _read(pair.inputs, RAW_INPUTS, pair)
    after = _read(pair.outputs, (*STATE, *SURFACE_OUT), pair)
    fields = dict(before)
    for name in STATE:
        change = after[name].astype(np.float64) - before[name].astype(np.float64)
        fields[name.replace("state", "ptend")] = change / STEP_S
    fields.update({name: after[name] for name in SURFACE_OUT})
    if len({values.shape[0] for values in fields.values()}) != 1:
        raise FileError(f"{pair.inputs} and {pair.outputs} have different numbers of columns.")
    # First the type as it lies in the file, then the order: twice as fast as both at once.
    result = {name: np.ascontiguousarray(values.astype(np.float32)) for name, values in fields.items()}
    for name, values in result.items():
        check_field(name, values, where=str(pair.inputs if name in RAW_INPUTS else pair.outputs))
    return result


def read_steps(pairs: list[Pair], *, skipped: Skipped | None = None) -> Iterator[tuple[Pair, dict]]:
    """(pair, fields) one after another; with `skipped` a bad pair is noted there and passed over."""
    for pair in pairs:
        try:
            fields = read_pair(pair)
        except FileError as error:
            complain(str(error), skipped)
            continue
        yield pair, fields


def complain(reason: str, skipped: Skipped | None) -> None:
    """Note a step that cannot be used, or raise FileError where nothing takes the note."""
    if skipped is None:
        raise FileError(f"{reason.rstrip('.')} (or say --skip-bad to go on without this time step).")
    skipped.reasons.append(reason)


def _read(path: Path, names: tuple[str, ...], pair: Pair) -> dict[str, np.ndarray]:
    try:
        with ClassicFile(path) if is_classic(path) else netCDF4.Dataset(str(path)) as dataset:
            _check_time(dataset.variables, path, pair)
            return {name: _variable(dataset.variables, path, name) for name in names}
    except (OSError, RuntimeError, IndexError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} cannot be read ({error}); is it truncated?") from error


def _check_time(variables: Mapping, path: Path, pair: Pair) -> None:
    for key, expected in (("ymd", pair.ymd), ("tod", pair.tod)):
        if key in variables and int(variables[key][...]) != expected:
            raise FileError(
                f"{path}: {key} inside the file is {int(variables[key][...])}, its name says {expected}; "
                "was it renamed?"
            )


def _variable(variables: Mapping, path: Path, name: str) -> np.ndarray:
    """(ncol,) or (ncol, nlev), as it is stored: big-endian float64."""
    row = variable(name)
    if name not in variables:
        raise FileError(f"{path}: no variable {name!r} ({row.long_name}); was it renamed?")
    stored = variables[name]
    expected = ("lev", "ncol") if row.is_profile else ("ncol",)
    if stored.dimensions != expected:
        raise FileError(f"{path}: {name} has dimensions {stored.dimensions}, expected {expected}.")
    if row.is_profile and stored.shape[0] != LEVELS:
        raise FileError(f"{path}: {name} has {stored.shape[0]} levels, expected {LEVELS}.")
    return np.asarray(stored[...]).T
