"""Time steps of the quick-start arrays and of the competition's CSV, which carry neither date nor place.

Their rows are time-major, 384 a step, in the order of the official split that they were made from; whether
that is so shows in the sunlight, which follows from date and place, and which each step is held against.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...contracts.errors import FileError, InputError
from ...contracts.feature_sets import FeatureSet, feature_set
from ...contracts.variables import COLUMNS_LOW_RES, STEP_S, variable
from .climsim_npy import feature_set_of, read_npy
from .climsim_raw import Skipped, complain
from .grid import Grid
from .kaggle import read_kaggle
from .quality import check_field
from .splits import Choice, OfficialSplit, official_split
from .store import Stamp, Step, Steps, place_after
from .sun import SOLAR_CONSTANT, cosine_zenith

# Mean |SOLIN / S − cos θ|: the eccentric orbit gives 0.008, one step of 1200 s too early or late 0.02.
SUNLIGHT_TOLERANCE = 0.014


def array_steps(
    path: Path,
    choice: Choice,
    grid: Grid,
    *,
    split: str | None = None,
    normalization: Path | None = None,
    skipped: Skipped | None = None,
) -> Steps:
    """Steps of <split>_input.npy and <split>_target.npy.

    path: the first of them or its folder. split: that they were made from; default the one in the name.
    normalization: folder of ClimSim's normalisation files. skipped: takes bad steps, else FileError.
    """
    inputs = _input_array(Path(path), split)
    prefix = inputs.name.removesuffix("_input.npy")
    if normalization is None:
        raise InputError(
            f"{inputs} holds normalised values; give the folder with input_mean.nc and its like "
            "(--normalization)."
        )
    targets, features = inputs.with_name(f"{prefix}_target.npy"), feature_set_of(inputs)
    pieces = read_npy(inputs, targets, features, normalization, rows=COLUMNS_LOW_RES)
    count = len(np.load(inputs, mmap_mode="r")) // COLUMNS_LOW_RES
    rows = _Rows(str(inputs), features, official_split(split or prefix), grid)
    return rows.steps(((number, x, y) for number, (x, y) in enumerate(pieces)), count, choice, skipped)


def _input_array(path: Path, split: str | None) -> Path:
    """The input array at `path`, a file or a folder with one for the split. Raises FileError."""
    if path.is_file() and path.name.endswith("_input.npy"):
        return path
    found = sorted(path.glob(f"{split or '*'}_input.npy")) if path.is_dir() else []
    if len(found) != 1:
        have = ", ".join(p.name for p in found) or "none"
        raise FileError(
            f"{path}: found {have} of <split>_input.npy, expected one; name the file or the split."
        )
    return found[0]


def csv_steps(
    path: Path,
    choice: Choice,
    grid: Grid,
    *,
    split: str | None = None,
    skipped: Skipped | None = None,
) -> Steps:
    """Steps of the competition's training table; see `array_steps`. split: default train, as it was made."""
    path, features = Path(path), feature_set("kaggle")
    if not path.is_file():
        raise FileError(f"{path} does not exist.")
    with path.open("rb") as lines:
        header, first = lines.readline(), lines.readline()
    # Lines differ in length, by far less than a factor of two.
    rows = 2 * (path.stat().st_size - len(header)) // max(len(first), 1)
    made_from = _Rows(str(path), features, official_split(split or "train"), grid)
    return made_from.steps(_numbered(path), -(-rows // COLUMNS_LOW_RES), choice, skipped)


def _numbered(path: Path) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Step number, inputs and targets of each 384 rows, whose sample numbers must be those of one step."""
    for samples, inputs, targets in read_kaggle(path, rows=COLUMNS_LOW_RES):
        number, place = divmod(int(samples[0]), COLUMNS_LOW_RES)
        whole = number * COLUMNS_LOW_RES + np.arange(COLUMNS_LOW_RES)
        if targets is None or place or not np.array_equal(samples, whole):
            found = "no targets" if targets is None else f"samples {samples[0]} to {samples[-1]}"
            raise FileError(
                f"{path}: found {found}, expected whole time steps of {COLUMNS_LOW_RES} consecutive samples "
                "with targets; only the training table can be packed."
            )
        yield number, inputs, targets


@dataclass(frozen=True)
class _Rows:
    """Rows without dates: step n is the n-th of the split that they were made from."""

    where: str
    features: FeatureSet
    split: OfficialSplit
    grid: Grid

    def steps(self, numbered: Iterable, count: int, choice: Choice, skipped: Skipped | None) -> Steps:
        """The wanted ones among `numbered` (number, inputs, targets), checked."""
        if self.grid.ncol != COLUMNS_LOW_RES:
            raise InputError(
                f"The grid has {self.grid.ncol} columns, expected the {COLUMNS_LOW_RES} of {self.where}."
            )
        wanted = set(choice.of(self.split.stamps(count)[0]).tolist())

        def iterate(after: Stamp | None) -> Iterator[Step]:
            # Dates follow from numbers, so that the numbers to go on with are known beforehand.
            order = sorted(wanted)
            left = set(order[place_after(map(self._stamp, order), after) :])
            for number, inputs, targets in numbered:
                if number in left:
                    try:
                        yield self._step(number, inputs, targets)
                    except FileError as error:
                        complain(str(error), skipped)

        return Steps(iterate, len(wanted), (*self.features.inputs, *self.features.outputs), self.grid)

    def _stamp(self, number: int) -> Stamp:
        ymd, tod = self.split.stamps(1, start=number)
        return int(ymd[0]), int(tod[0])

    def _step(self, number: int, inputs: np.ndarray, targets: np.ndarray) -> Step:
        ymd, tod = self._stamp(number)
        where = f"{self.where}, time step {number} ({ymd:08d}, {tod} s)"
        fields = {}
        for matrix, slices in ((inputs, self.features.input_slices), (targets, self.features.output_slices)):
            for name, span in slices.items():
                fields[name] = matrix[:, span] if variable(name).is_profile else matrix[:, span.start]
                check_field(name, fields[name], where=where)
        _require_sun(fields["pbuf_SOLIN"], ymd, tod, self.grid, where)
        return ymd, tod, fields


def _require_sun(solin: np.ndarray, ymd: int, tod: int, grid: Grid, where: str) -> None:
    """The rows must lie where and when the order of the split says."""
    sun = cosine_zenith(np.array([ymd]), np.array([tod]), grid.lat, grid.lon, offset_s=STEP_S / 2)[0]
    found = float(np.abs(solin / SOLAR_CONSTANT - sun).mean())
    if found > SUNLIGHT_TOLERANCE:
        raise FileError(
            f"{where}: pbuf_SOLIN differs from the sun of that time over the grid by {found:.3f} of the "
            f"solar constant on average, expected at most {SUNLIGHT_TOLERANCE}; are the rows of another "
            "split, or shuffled?"
        )
