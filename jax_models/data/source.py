"""Columns from wherever they are: whole into memory, or a few time steps at a time.

packed   one NetCDF file (time, lev, ncol)             store   Zarr directory of `subgrid data climsim`
raw      directory of E3SM-MMF mli/mlo pairs           npy     quick-start arrays, normalised
csv      the LEAP competition's table
"""

import threading
from pathlib import Path
from typing import Protocol

import numpy as np
import tensorstore as ts

from ...contracts.errors import FileError, InputError
from ...contracts.variables import RAW_INPUTS, RAW_TARGETS
from .climsim_packed import read_packed
from .climsim_raw import find_pairs, read_pair
from .columns import ColumnSet
from .grid import Grid, read_grid
from .quality import check_dates, check_field
from .store import HEADER, STEPS_PER_CHUNK, grid_of, open_array, read_header, read_store

FORMATS = ("packed", "store", "raw", "npy", "csv")
CACHE_BYTES = 64 << 20  # of TensorStore, per stream


def format_of(path: Path) -> str:
    """Which of FORMATS lies at `path`, by looking. Raises FileError where it is none of them."""
    path = Path(path)
    if path.is_dir():
        if (path / HEADER).is_file():
            return "store"
        if any(path.glob("*_input.npy")):
            return "npy"
        if next(path.rglob("E3SM-MMF.ml*.nc"), None) is not None:
            return "raw"
        raise FileError(
            f"{path} is a folder without {HEADER}, E3SM-MMF.mli/mlo files or *_input.npy; give a packed "
            "file, a store, raw files, quick-start arrays or a CSV."
        )
    if not path.exists():
        raise FileError(f"{path} does not exist; give a packed file, a store, raw files, arrays or a CSV.")
    return {".csv": "csv", ".npy": "npy"}.get(path.suffix, "packed")


def read_columns(
    path: Path, names: tuple[str, ...] | None = None, *, times: np.ndarray | None = None
) -> ColumnSet:
    """`names` (default all there are) at time indices `times` (default all) of a packed file or a store.

    Raises FileError for values that are not as the table says, dates that are none or there twice, or another
    layout.
    """
    columns = read_fields(path, names, times=times)
    check_dates(columns.ymd, columns.tod, where=str(path))
    for name, field in columns.fields.items():
        check_field(name, field, where=str(path))
    return columns


def read_fields(
    path: Path, names: tuple[str, ...] | None = None, *, times: np.ndarray | None = None
) -> ColumnSet:
    """As `read_columns`, without looking at the values."""
    found = format_of(path)
    if found == "packed":
        return read_packed(path, names or (*RAW_INPUTS, *RAW_TARGETS), times=times)
    if found == "store":
        return read_store(path, names or tuple(read_header(path)["names"]), times=times)
    raise FileError(f"{path} holds {found} data; pack them with `subgrid data climsim` first.")


class Source(Protocol):
    """Columns that are read a few steps at a time.

    stamps: (time, 2) ymd and tod. block: steps that lie together on disk.
    """

    grid: Grid
    stamps: np.ndarray
    block: int

    def read(self, names: tuple[str, ...], times: np.ndarray) -> ColumnSet: ...


class StoreSource:
    """A store; TensorStore fetches and decodes its chunks in parallel. Raises what `check_dates` raises."""

    block = STEPS_PER_CHUNK

    def __init__(self, path: Path):
        self.path, self._header = Path(path), read_header(path)
        self.grid, self.stamps = grid_of(self._header), np.asarray(self._header["stamps"], np.int64)
        check_dates(*self.stamps.T, where=str(path))
        self.names = tuple(self._header["names"])
        self._context = ts.Context({"cache_pool": {"total_bytes_limit": CACHE_BYTES}})
        self._arrays: dict[str, ts.TensorStore] = {}

    def read(self, names: tuple[str, ...], times: np.ndarray) -> ColumnSet:
        """`names` at time indices `times`."""
        for name in names:
            if name not in self._arrays:
                self._arrays[name] = open_array(self.path, name, self._header, self._context)
        futures = {name: self._arrays[name][np.asarray(times)].read() for name in names}
        fields = {name: np.asarray(future.result()) for name, future in futures.items()}
        return ColumnSet(fields, *self.stamps[times].T, self.grid)


class RawSource:
    """Raw pairs below a directory, each checked as it is read; a bad one raises FileError.

    grid: ClimSim's grid-info file.
    """

    block = 1

    def __init__(self, path: Path, grid: Path):
        self._pairs, self.grid = find_pairs(path), read_grid(grid)
        self.stamps = np.array([(pair.ymd, pair.tod) for pair in self._pairs], np.int64)
        self._lock = threading.Lock()  # the NetCDF library is not thread-safe

    def read(self, names: tuple[str, ...], times: np.ndarray) -> ColumnSet:
        """`names` at time indices `times`."""
        with self._lock:
            steps = [read_pair(self._pairs[i]) for i in np.asarray(times).tolist()]
        fields = {name: np.stack([step[name] for step in steps]) for name in names}
        return ColumnSet(fields, *self.stamps[times].T, self.grid)


def open_source(path: Path, *, grid: Path | None = None) -> Source:
    """A store or raw files for reading in pieces. Raises InputError for raw files without a grid file."""
    found = format_of(path)
    if found == "store":
        return StoreSource(path)
    if found != "raw":
        raise InputError(f"{path} holds {found} data, which is not read in pieces; pack it as a store first.")
    if grid is None:
        raise InputError(f"{path} holds raw files, which carry no geometry; give ClimSim's grid-info file.")
    return RawSource(path, grid)
