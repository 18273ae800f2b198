"""ClimSim columns: raw files → store, and the parts of it that are trained on and tested with."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..contracts.errors import InputError
from ..contracts.files import require_absent
from ..jax_models.data.columns import ColumnSet
from ..jax_models.data.history import has_history, with_history, without_history
from ..jax_models.data.source import read_columns
from ..jax_models.data.splits import held_out_steps
from .progress import silent

HELD_OUT = 12  # time steps of a small file that no emulator sees in training
PARTS = ("train", "test", "all", "unseen")


def load_part(
    path: Path, part: str, *, held_out: int = HELD_OUT, names: tuple[str, ...] | None = None
) -> ColumnSet:
    """Columns of a packed file or store: `train` (all but the held-out steps), `test` (those), or `all`.

    names: what is needed, default all that is stored; with history, only steps with predecessors count.
    """
    columns = read_columns(path, names and without_history(names))
    if names and has_history(names):
        columns = with_history(columns, names)
    return columns.at(part_of(columns.ymd, columns.tod, part, held_out=held_out))


def part_of(ymd: np.ndarray, tod: np.ndarray, part: str, *, held_out: int = HELD_OUT) -> np.ndarray:
    """Time indices of a part; see `load_part`."""
    if part not in PARTS:
        raise InputError(f"Unknown part {part!r}; expected one of {', '.join(PARTS)}.")
    if part in ("all", "unseen"):
        return np.arange(ymd.size)
    train, test = held_out_steps(ymd, tod, test=held_out)
    return train if part == "train" else test


def pack(
    data: Path,
    out: Path,
    *,
    layout: str | None = None,
    grid: Path | None = None,
    split: str | None = None,
    months: str = ".*",
    stride: int | None = None,
    normalization: Path | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Callable[..., None] = silent,
) -> str:
    """Pack columns of any layout into the store `out`; returns one line that says what was done.

    layout, grid, split, months, stride, normalization: see `open_steps`. skip_bad: go on without time steps
    that are damaged or incomplete, and count them. A packing that was stopped goes on after the chunks that
    are complete, when it is called again with the same of these.
    """
    from ..jax_models.data.climsim_raw import Skipped
    from ..jax_models.data.packing import unfinished
    from ..jax_models.data.steps import open_steps
    from ..jax_models.data.store import write_store

    require_absent(out, overwrite=overwrite, inputs=[data])
    skipped = Skipped()
    found = open_steps(
        data, layout=layout, grid=grid, split=split, months=months, stride=stride,
        normalization=normalization, skipped=skipped if skip_bad else None,
    )  # fmt: skip
    origin = {
        "data": str(Path(data).resolve()), "format": layout, "grid": grid and str(Path(grid).resolve()),
        "split": split, "months": months, "stride": stride, "time_steps": found.count,
    }  # fmt: skip
    with unfinished(out, origin, skipped.reasons, overwrite=overwrite) as journal:

        def counted():
            for number, step in enumerate(found.iterate(journal.last), len(journal.stamps) + 1):
                progress(number, found.count)
                yield step

        written = write_store(
            journal.folder, counted(), found.grid, capacity=found.count, names=found.names, journal=journal
        )
    return f"{out}: {written} time steps × {found.grid.ncol} columns; {skipped.summary()}."
