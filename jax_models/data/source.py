"""Columns from wherever they are: a packed NetCDF file or a Zarr store."""

from pathlib import Path

import numpy as np

from ...contracts.errors import FileError
from ...contracts.variables import RAW_INPUTS, RAW_TARGETS
from .climsim_packed import read_packed
from .columns import ColumnSet
from .quality import check_field
from .store import HEADER, read_store


def read_columns(
    path: Path, names: tuple[str, ...] = (*RAW_INPUTS, *RAW_TARGETS), *, times: np.ndarray | None = None
) -> ColumnSet:
    """`names` at time indices `times` (default all). Raises FileError for what is not as the table says."""
    path = Path(path)
    if not path.is_dir():
        return read_packed(path, names, times=times)
    if not (path / HEADER).is_file():
        raise FileError(
            f"{path} is a folder without {HEADER}; pack raw files with `subgrid data climsim` first."
        )
    columns = read_store(path, names, times=times)
    for name, field in columns.fields.items():
        check_field(name, field, where=str(path))
    return columns
