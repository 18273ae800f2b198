"""`subgrid physics mskf`: the convection scheme on files of columns or sequences."""

from pathlib import Path

import numpy as np

from ..contracts.columns import Variable
from ..contracts.columns_file import (
    create_answers,
    define,
    open_columns,
    open_dataset,
    read_columns,
    read_ordered,
    write_answers,
)
from ..contracts.errors import FileError, InputError
from ..contracts.files import require_absent, writing
from ..sims.convection.mskf import KINDS, MODES, convect
from ..sims.convection.sequence import march
from ..sims.convection.status import REASONS, refusals
from .progress import Progress, silent

CHUNK = 4096  # columns read, computed and written at a time
SEQUENCE_PROFILES = ("p", "pi", "rho", "dz8w", "u", "v", "th_forcing", "qv_forcing")
SEQUENCE_SCALARS = (
    *("nlev", "stepcu", "dx", "dt", "cudt", "ust", "hfx", "pblh", "zol"),
    *("w_amplitude", "w_period"),
)


def run_mskf(
    source: Path,
    target: Path,
    *,
    precision: str = "double",
    mode: str = "clean",
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> str:
    """Convection in every column of the root group of `source`, written to `target` by the reference names.

    contracts/columns_file.py says what a file of columns holds. Returns one sentence on what was found, with
    the columns that were refused. Raises FileError or InputError.
    """
    require_options(precision, mode)
    require_absent(target, overwrite=overwrite, inputs=[source])
    codes, status = [], []
    with open_columns(source) as dataset, writing(target, overwrite=overwrite) as temporary:
        sizes = {name: dataset.dimensions[name].size for name in ("column", "lev")}
        attributes = {"mode": mode, "source": Path(source).name}
        with create_answers(temporary, sizes, precision, attributes) as output:
            output["status"].reasons = reasons()
            for start in range(0, sizes["column"], CHUNK):
                part = slice(start, min(start + CHUNK, sizes["column"]))
                columns = read_columns(dataset, part)
                answer = convect(columns, mode=mode, precision=precision, threads=threads)
                write_answers(output, part, answer, columns["nlev"])
                codes.append(answer["exit_code"])
                status.append(answer["status"])
                progress(part.stop, sizes["column"])
    return summary(np.concatenate(codes), np.concatenate(status), target)


def run_mskf_sequences(
    source: Path,
    target: Path,
    *,
    precision: str = "double",
    mode: str = "clean",
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> str:
    """Replay the group `sequences` of `source` (first step, forcing, w) with the scheme in the loop.

    Written to the group `sequences` of `target`: outputs by step, `t`, `qv`, `nca_end` and `rainc`.
    """
    require_options(precision, mode)
    require_absent(target, overwrite=overwrite, inputs=[source])
    column, steps = read_sequences(source)
    answer = march(column, steps, mode=mode, precision=precision, threads=threads, progress=progress)
    with writing(target, overwrite=overwrite) as temporary:
        write_sequences(
            temporary, answer, column["nlev"], precision, {"mode": mode, "source": Path(source).name}
        )
    text = (
        f"{target}: {answer['t'].shape[0]} sequences of {steps} steps, "
        f"rain {np.min(answer['rainc'][:, -1]):.4g} to {np.max(answer['rainc'][:, -1]):.4g} mm"
    )
    return text + refused(answer["status"].max(axis=1), "sequence") + "."


def read_sequences(source: Path) -> tuple[dict[str, np.ndarray], int]:
    """Initial profiles and forcing of the group `sequences`, and its number of steps."""
    with open_dataset(source) as dataset:
        if "sequences" not in dataset.groups:
            raise FileError(f"{source} has no group 'sequences'; give a file with sequences.")
        group = dataset["sequences"]
        group.set_auto_mask(False)
        shapes = dict.fromkeys(SEQUENCE_SCALARS, ("seq",))
        shapes |= dict.fromkeys(SEQUENCE_PROFILES, ("seq", "lev")) | {"w_base": ("seq", "ilev")}
        shapes |= dict.fromkeys(("t", "qv"), ("seq", "step", "lev"))
        missing = [name for name in shapes if name not in group.variables]
        if missing:
            raise FileError(f"{source}: the group 'sequences' lacks {', '.join(missing)}.")
        column = {name: read_ordered(group[name], shape) for name, shape in shapes.items()}
    if not column["t"].size:
        raise FileError(f"{source}: the group 'sequences' holds no steps; give at least one of one sequence.")
    steps = column["t"].shape[1]
    return column | {name: column[name][:, 0] for name in ("t", "qv")}, steps


def write_sequences(path: Path, answer: dict, nlev: np.ndarray, precision: str, attributes: dict) -> None:
    """Outputs of the sequences, step by step."""
    count, steps, levels = answer["t"].shape
    sizes = {"seq": count, "step": steps, "lev": levels}
    with create_answers(path, sizes, precision, attributes, "sequences") as dataset:
        output = dataset["sequences"]
        output["status"].reasons = reasons()
        write_answers(output, slice(None), answer, nlev)
        for name, units, meaning in (
            ("t", "K", "temperature at the start of the step"),
            ("qv", "kg kg-1", "water vapour mixing ratio at the start of the step"),
        ):
            define(output, Variable(name, units, meaning), name, "f8", ("seq", "step", "lev"))
            used = np.arange(levels) < nlev[:, None, None]
            output[name][:] = np.ma.masked_array(answer[name], ~np.broadcast_to(used, answer[name].shape))
        for name, units, meaning in (
            ("rainc", "mm", "convective rain since the start"),
            ("nca_in", "s", "hold at the start of the step"),
            ("nca_end", "s", "hold at the end of the step"),
            ("called", "1", "1: the scheme was called in this step"),
        ):
            define(output, Variable(name, units, meaning), name, "f8", ("seq", "step"))
            output[name][:] = answer[name]


def require_options(precision: str, mode: str) -> None:
    """Raise InputError for an unknown precision or mode."""
    if precision not in KINDS:
        raise InputError(f"The precision {precision!r} is unknown; it is one of {', '.join(KINDS)}.")
    if mode not in MODES:
        raise InputError(f"The mode {mode!r} is unknown; it is one of {', '.join(MODES)}.")


def summary(codes: np.ndarray, status: np.ndarray, target: Path) -> str:
    """One line: how many columns convect, which were refused and why."""
    text = (
        f"{target}: {codes.size} columns, {np.sum(codes == 1)} deep, {np.sum(codes == 2)} shallow, "
        f"{np.sum(codes == 0)} held, {np.sum((codes < 0) & (status == 0))} without convection"
    )
    return text + refused(status, "column") + "."


def refused(status: np.ndarray, what: str) -> str:
    """Tail of the closing line: how many columns or sequences were refused, and why the first ones."""
    if not np.any(status):
        return ""
    return f", {np.count_nonzero(status)} refused: " + "; ".join(refusals(status, what))


def reasons() -> str:
    """What each status says, for the attribute of the variable."""
    return "; ".join(f"{status}: {reason}" for status, reason in REASONS.items())
