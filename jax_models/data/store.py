"""The analysis-ready store: a Zarr directory, one array a variable, a few time steps a chunk.

Written once from raw files, step by step, so that memory stays bounded however long the record; read by
TensorStore, which fetches and decodes chunks in parallel while the device computes.

    store.zarr/<variable>/   (time, ncol[, nlev]) float32, units and long name as attributes
    store.zarr/ymd, tod, grid/<field>
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorstore as ts

from ...contracts.errors import FileError
from ...contracts.provenance import provenance
from ...contracts.variables import RAW_INPUTS, RAW_TARGETS, variable
from .columns import ColumnSet
from .grid import FIELDS, Grid
from .packing import Journal

SCHEMA = "subgrid-columns 1"
HEADER = "subgrid.json"
STEPS_PER_CHUNK = 4


Stamp = tuple[int, int]  # ymd, tod
Step = tuple[int, int, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Steps:
    """Steps (ymd, tod, fields) to be written, `count` at the most, each with all of `names`.

    iterate: gives them from the one after a stamp on, with None from the first on.
    """

    iterate: Callable[[Stamp | None], Iterator[Step]]
    count: int
    names: tuple[str, ...]
    grid: Grid


def write_store(
    path: Path,
    steps: Iterable[Step],
    grid: Grid,
    *,
    capacity: int,
    names: tuple[str, ...] = (*RAW_INPUTS, *RAW_TARGETS),
    journal: Journal | None = None,
) -> int:
    """Write steps (ymd, tod, fields) into the new directory `path`; returns the number in it.

    capacity: the most steps that may come; the arrays are cut to the real number at the end. At most
    STEPS_PER_CHUNK steps are held in memory. journal: of an unfinished store at `path`, which `steps` go on
    with. Raises FileError if no step comes, or one twice.
    """
    path = Path(path)
    path.mkdir(exist_ok=journal is not None)
    arrays = {name: _create(path, name, capacity, grid.ncol) for name in names}
    stamps: list[Stamp] = [] if journal is None else list(journal.stamps)
    waiting: list[dict[str, np.ndarray]] = []
    written = set(stamps)
    for ymd, tod, fields in steps:
        if (ymd, tod) in written:
            raise FileError(f"The data hold the time step {ymd:08d}, {tod} s twice; keep one of them.")
        written.add((ymd, tod))
        stamps.append((ymd, tod))
        waiting.append(fields)
        if len(waiting) == STEPS_PER_CHUNK:
            _flush(arrays, waiting, len(stamps))
            if journal is not None:
                journal.add(stamps[-STEPS_PER_CHUNK:])
    _flush(arrays, waiting, len(stamps))
    if not stamps:
        raise FileError(
            "There is no time step to write: none is of the wanted months and split, or none can be read; "
            "widen the choice."
        )
    for array in arrays.values():
        array.resize(exclusive_max=[len(stamps), *[None] * (array.rank - 1)], expand_only=False).result()
    header = {
        "schema": SCHEMA, "names": list(names), "stamps": stamps, "provenance": provenance(),
        "grid": {f: np.asarray(getattr(grid, f)).tolist() for f in FIELDS},
    }  # fmt: skip
    (path / HEADER).write_text(json.dumps(header) + "\n")
    return len(stamps)


def read_store(path: Path, names: tuple[str, ...], *, times: np.ndarray | None = None) -> ColumnSet:
    """Variables `names` at time indices `times` (default all) into memory, chunks fetched in parallel."""
    header = read_header(path)
    stamps = np.asarray(header["stamps"], np.int64)
    chosen = np.arange(len(stamps)) if times is None else np.asarray(times)
    futures = {name: open_array(path, name, header)[chosen].read() for name in names}
    fields = {name: np.asarray(future.result()) for name, future in futures.items()}
    return ColumnSet(fields, stamps[chosen, 0], stamps[chosen, 1], grid_of(header))


def read_header(path: Path) -> dict:
    """The header; FileError if `path` is no finished store."""
    header = Path(path) / HEADER
    if not header.is_file():
        raise FileError(f"{path} is no store of columns, or one that was not finished ({HEADER} is missing).")
    content = json.loads(header.read_text())
    if content.get("schema") != SCHEMA:
        raise FileError(f"{header}: schema is {content.get('schema')!r}, expected {SCHEMA!r}.")
    return content


def grid_of(header: dict) -> Grid:
    """Geometry kept in the header."""
    return Grid(**{name: np.asarray(value, np.float64) for name, value in header["grid"].items()})


def open_array(path: Path, name: str, header: dict, context: ts.Context | None = None) -> ts.TensorStore:
    """The array of one variable. Raises FileError if the store has none."""
    if name not in header["names"]:
        raise FileError(f"{path} holds no {name!r}; it holds {', '.join(header['names'])}.")
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(Path(path).absolute() / name)}}
    try:
        return ts.open(spec, read=True, context=context).result()
    except ValueError as error:
        raise FileError(
            f"{path}: the array of {name!r} cannot be opened ({error}); pack the data again."
        ) from error


def place_after(stamps: Iterable[Stamp], after: Stamp | None) -> int:
    """Index behind `after` among the stamps, 0 for None. Raises FileError if it is not there."""
    if after is None:
        return 0
    for place, stamp in enumerate(stamps):
        if tuple(stamp) == after:
            return place + 1
    raise FileError(
        f"The time step {after[0]:08d}, {after[1]} s after which packing has to go on is no longer in the "
        "data; pack them anew under another name."
    )


def _create(path: Path, name: str, capacity: int, ncol: int) -> ts.TensorStore:
    row = variable(name)
    inner = (ncol, row.levels) if row.is_profile else (ncol,)
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(path.absolute() / name)},
        "metadata": {
            "attributes": {"units": row.units, "long_name": row.long_name},
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "zstd", "configuration": {"level": 1}},
            ],
        },
    }  # fmt: skip
    return ts.open(
        spec, open=True, create=True, dtype=ts.float32, shape=(capacity, *inner),
        chunk_layout=ts.ChunkLayout(chunk_shape=(STEPS_PER_CHUNK, *inner)),
    ).result()  # fmt: skip


def _flush(arrays: dict[str, ts.TensorStore], waiting: list[dict], written: int) -> None:
    if not waiting:
        return
    span = slice(written - len(waiting), written)
    done = [array[span].write(np.stack([step[name] for step in waiting])) for name, array in arrays.items()]
    for future in done:
        future.result()
    waiting.clear()
