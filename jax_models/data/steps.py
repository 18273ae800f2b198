"""Time steps of every layout, one after another, for packing: raw pairs, packed file, store, arrays, CSV."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...contracts.errors import FileError, InputError
from ...contracts.variables import RAW_INPUTS, RAW_TARGETS
from .climsim_raw import Skipped, complain, find_pairs, read_steps
from .grid import Grid, read_grid
from .quality import check_field
from .source import FORMATS, StoreSource, format_of, read_columns, read_fields
from .splits import Choice, official_split
from .store import Stamp, Step, Steps, place_after
from .undated import array_steps, csv_steps

BLOCK = 64  # steps of a packed file that are in memory at a time


def open_steps(
    path: Path,
    *,
    layout: str | None = None,
    grid: Path | None = None,
    split: str | None = None,
    months: str = ".*",
    stride: int | None = None,
    normalization: Path | None = None,
    skipped: Skipped | None = None,
) -> Steps:
    """Steps of whatever lies at `path`.

    layout: one of FORMATS; default by looking. grid: ClimSim's grid-info file, for layouts without geometry.
    split: an official split by name: with arrays and CSV the one that they were made from, else the one to
    take. normalization: folder of ClimSim's normalisation files, for arrays. skipped: takes bad steps, which
    otherwise raise FileError.
    """
    layout = layout or format_of(path)
    if layout not in FORMATS:
        raise InputError(f"Unknown format {layout!r}; expected one of {', '.join(FORMATS)}.")
    dated = layout in ("raw", "packed", "store")
    choice = Choice(official_split(split) if split and dated else None, months, stride)
    if layout in ("packed", "store"):
        return _column_steps(path, layout, choice, skipped)
    if grid is None:
        raise InputError(f"{path} holds {layout} data without geometry; give ClimSim's grid-info file.")
    if layout == "raw":
        return _raw_steps(path, choice, read_grid(grid), skipped)
    if layout == "npy":
        return array_steps(
            path, choice, read_grid(grid), split=split, normalization=normalization, skipped=skipped
        )
    return csv_steps(path, choice, read_grid(grid), split=split, skipped=skipped)


def _raw_steps(folder: Path, choice: Choice, grid: Grid, skipped: Skipped | None) -> Steps:
    pairs = find_pairs(folder, choice, skipped=skipped)

    def iterate(after: Stamp | None) -> Iterator[Step]:
        first = place_after(((pair.ymd, pair.tod) for pair in pairs), after)
        for pair, fields in read_steps(pairs[first:], skipped=skipped):
            yield pair.ymd, pair.tod, fields

    return Steps(iterate, len(pairs), (*RAW_INPUTS, *RAW_TARGETS), grid)


def _column_steps(path: Path, layout: str, choice: Choice, skipped: Skipped | None) -> Steps:
    if layout == "store":
        source = StoreSource(path)
        grid, stamps, names = source.grid, source.stamps, source.names
    else:
        some = read_columns(path, ("state_ps",))
        grid, stamps, names = some.grid, np.stack([some.ymd, some.tod], 1), (*RAW_INPUTS, *RAW_TARGETS)
    times = choice.of(stamps[:, 0])

    def iterate(after: Stamp | None) -> Iterator[Step]:
        left = times[place_after(stamps[times].tolist(), after) :]
        for block in np.array_split(left, range(BLOCK, left.size, BLOCK)):
            columns = read_fields(path, names, times=block)
            for i in range(block.size):
                ymd, tod = int(columns.ymd[i]), int(columns.tod[i])
                fields = {name: field[i] for name, field in columns.fields.items()}
                try:
                    for name, field in fields.items():
                        check_field(name, field, where=f"{path}, time step {ymd:08d}, {tod} s")
                except FileError as error:
                    complain(str(error), skipped)
                    continue
                yield ymd, tod, fields

    return Steps(iterate, times.size, names, grid)
