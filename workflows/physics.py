"""`subgrid physics`: the convection scheme on files of columns or sequences, and files of generated columns."""

from pathlib import Path

import numpy as np

from ..contracts.errors import FileError, InputError
from ..contracts.files import require_absent, writing
from ..contracts.provenance import provenance
from ..sims.convection.mskf import convect
from ..sims.convection.status import refusals
from ..sims.convection.variables import (
    CODES,
    INTEGERS,
    INTERFACES,
    OPTIONAL_INTEGERS,
    PROFILES,
    SCALARS,
    STATE,
    STATE_PROFILES,
    STATE_SCALARS,
    Variable,
)
from .progress import Progress, silent

# What the state is called in the files: on entry, and on exit where the names differ.
ENTRY_NAMES = {"w0avg": "w0avg_in", "nca": "nca_in", "pratec": "pratec_in", "raincv": "raincv_in"}
EXIT_NAMES = {"w0avg": "w0avg_out"}
# Tendencies on entry are uniform in a column of the reference file.
UNIFORM_TENDENCIES = {
    "rthcuten": "tend_in_rth",
    "rqvcuten": "tend_in_rqv",
    "rqccuten": "tend_in_hyd",
    "rqrcuten": "tend_in_hyd",
    "rqicuten": "tend_in_hyd",
    "rqscuten": "tend_in_hyd",
    "rucuten": "tend_in_ruv",
    "rvcuten": "tend_in_ruv",
}
CHUNK = 4096  # columns read, computed and written at a time


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

    Dimensions `column`, `lev` and `ilev`; variables `variables.PROFILES`, `w`, `w0avg_in`, `SCALARS` and
    `nlev`, and optionally the other integers, `nca_in`, `pratec_in`, `raincv_in` and `tend_in_*`.

    Returns one sentence on what was found. Raises FileError or InputError.
    """
    require_absent(target, overwrite=overwrite)
    with open_columns(source) as dataset, writing(target, overwrite=overwrite) as temporary:
        count = dataset.dimensions["column"].size
        outcomes = []
        with create(temporary, dataset, ("column",), precision, mode) as output:
            for start in range(0, count, CHUNK):
                part = slice(start, min(start + CHUNK, count))
                columns = read_columns(dataset, part)
                answer = convect(columns, mode=mode, precision=precision, threads=threads)
                write_columns(output, part, answer, columns["nlev"])
                outcomes.append((answer["exit_code"], answer["status"]))
                progress(part.stop, count)
    codes, status = (np.concatenate(part) for part in zip(*outcomes, strict=True))
    return summary(codes, status, target)


def open_columns(source: Path):
    """The dataset, with its dimensions and required variables checked."""
    from netCDF4 import Dataset

    try:
        dataset = Dataset(source)
    except OSError as error:
        raise FileError(f"{source} cannot be read as NetCDF ({error}); give a file of columns.") from error
    dataset.set_auto_mask(False)
    for dimension in ("column", "lev", "ilev"):
        if dimension not in dataset.dimensions:
            raise FileError(
                f"{source} has no dimension '{dimension}' in its root group; expected column, lev, ilev."
            )
    if dataset.dimensions["column"].size == 0:
        raise FileError(f"{source} holds no columns; give at least one.")
    required = [v.name for v in PROFILES + INTERFACES + SCALARS] + ["w0avg_in", "nlev"]
    missing = [name for name in required if name not in dataset.variables]
    if missing:
        raise FileError(f"{source} lacks the variables {', '.join(missing)}; add them to its root group.")
    return dataset


def read_columns(dataset, part: slice) -> dict[str, np.ndarray]:
    """The columns `part` under the names of the scheme."""
    names = [v.name for v in PROFILES + INTERFACES + SCALARS] + ["nlev"]
    columns = {name: dataset[name][part] for name in names}
    columns["w0avg"] = dataset["w0avg_in"][part]
    for name in OPTIONAL_INTEGERS:
        if name in dataset.variables:
            columns[name] = dataset[name][part]
    for name in ("nca", "pratec", "raincv"):
        if ENTRY_NAMES[name] in dataset.variables:
            columns[name] = dataset[ENTRY_NAMES[name]][part]
    shape = columns["t"].shape
    for name, entry in UNIFORM_TENDENCIES.items():
        if entry in dataset.variables:
            columns[name] = np.broadcast_to(dataset[entry][part][:, None], shape)
    return columns


def create(path: Path, source, leading: tuple[str, ...], precision: str, mode: str):
    """An output file with the dimensions of `source` and a variable for every output."""
    from netCDF4 import Dataset

    output = Dataset(path, "w")
    for name in (*leading, "lev"):
        output.createDimension(name, source.dimensions[name].size)
    kind = {"double": "f8", "single": "f4"}.get(precision)
    if kind is None:
        raise InputError(f"The precision {precision!r} is unknown; it is double or single.")
    for variable in STATE + CODES:
        dimensions = (*leading, "lev") if variable in STATE_PROFILES else leading
        define(output, variable, "i4" if variable in CODES else kind, dimensions)
    output.setncatts(
        provenance()
        | {
            "title": "Multi-scale Kain-Fritsch convection",
            "mode": mode,
            "precision": precision,
            "source": Path(source.filepath()).name,
        }
    )
    return output


def define(output, variable: Variable, kind: str, dimensions: tuple[str, ...]) -> None:
    """One variable of the output file with its unit."""
    created = output.createVariable(
        EXIT_NAMES.get(variable.name, variable.name), kind, dimensions, compression="zlib", complevel=1
    )
    created.units = variable.units
    created.long_name = variable.long_name


def write_columns(output, part: slice, answer: dict[str, np.ndarray], nlev: np.ndarray) -> None:
    """Outputs of the columns `part`; levels above `nlev` stay missing."""
    used = np.arange(answer["rthcuten"].shape[1]) < np.asarray(nlev)[:, None]
    for variable in STATE + CODES:
        values = answer[variable.name]
        if variable in STATE_PROFILES:
            values = np.ma.masked_array(values, ~used)
        output[EXIT_NAMES.get(variable.name, variable.name)][part] = values


def summary(codes: np.ndarray, status: np.ndarray, target: Path) -> str:
    """One line: how many columns convect, which were refused and why."""
    text = (
        f"{target}: {codes.size} columns, {np.sum(codes == 1)} deep, {np.sum(codes == 2)} shallow, "
        f"{np.sum(codes == 0)} held, {np.sum((codes < 0) & (status == 0))} without convection"
    )
    if np.any(status):
        text += f", {np.count_nonzero(status)} refused: " + "; ".join(refusals(status))
    return text + "."


__all__ = ["INTEGERS", "STATE_SCALARS", "run_mskf"]
