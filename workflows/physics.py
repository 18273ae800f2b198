"""`subgrid physics mskf`: the convection scheme on files of columns or sequences."""

from pathlib import Path

import numpy as np

from ..contracts.columns_file import (
    create_answers,
    open_columns,
    open_dataset,
    read_columns,
    write_answers,
)
from ..contracts.errors import FileError, InputError
from ..contracts.files import require_absent, writing
from ..sims.convection.mskf import KINDS, MODES, convect
from ..sims.convection.sequence import march
from ..sims.convection.status import refusals
from .progress import Progress, silent

CHUNK = 4096  # columns read, computed and written at a time
FORCING = ("th_forcing", "qv_forcing", "w_base", "w_amplitude", "w_period")
SEQUENCE_INPUTS = ("p", "pi", "rho", "dz8w", "u", "v", "dx", "dt", "cudt", "ust", "hfx", "pblh", "zol")


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
) -> str:
    """Replay the group `sequences` of `source` (first step, forcing, w) with the scheme in the loop.

    Written to the group `sequences` of `target`: outputs by step, `t`, `qv`, `nca_end` and `rainc`.
    """
    require_options(precision, mode)
    require_absent(target, overwrite=overwrite, inputs=[source])
    with open_dataset(source) as dataset:
        if "sequences" not in dataset.groups:
            raise FileError(f"{source} has no group 'sequences'; give a file with sequences.")
        group = dataset["sequences"]
        group.set_auto_mask(False)
        names = ("nlev", "stepcu", *SEQUENCE_INPUTS, *FORCING)
        missing = [name for name in (*names, "t", "qv") if name not in group.variables]
        if missing:
            raise FileError(f"{source}: the group 'sequences' lacks {', '.join(missing)}.")
        column = {name: group[name][:] for name in names}
        column |= {name: group[name][:, 0] for name in ("t", "qv")}
        steps = group.dimensions["step"].size
    answer = march(column, steps, mode=mode, precision=precision, threads=threads)
    with writing(target, overwrite=overwrite) as temporary:
        write_sequences(
            temporary, answer, column["nlev"], precision, {"mode": mode, "source": Path(source).name}
        )
    return (
        f"{target}: {answer['t'].shape[0]} sequences of {steps} steps, "
        f"rain {np.min(answer['rainc'][:, -1]):.4g} to {np.max(answer['rainc'][:, -1]):.4g} mm."
    )


def write_sequences(path: Path, answer: dict, nlev: np.ndarray, precision: str, attributes: dict) -> None:
    """Outputs of the sequences, step by step."""
    count, steps, levels = answer["t"].shape
    sizes = {"seq": count, "step": steps, "lev": levels}
    with create_answers(path, sizes, precision, attributes, "sequences") as dataset:
        output = dataset["sequences"]
        write_answers(output, slice(None), answer, nlev)
        for name, units in (("t", "K"), ("qv", "kg kg-1")):
            output.createVariable(name, "f8", ("seq", "step", "lev")).units = units
            used = np.arange(levels) < nlev[:, None, None]
            output[name][:] = np.ma.masked_array(answer[name], ~np.broadcast_to(used, answer[name].shape))
        for name, units in (("rainc", "mm"), ("nca_in", "s"), ("nca_end", "s"), ("called", "1")):
            output.createVariable(name, "f8", ("seq", "step")).units = units
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
    if np.any(status):
        text += f", {np.count_nonzero(status)} refused: " + "; ".join(refusals(status))
    return text + "."
