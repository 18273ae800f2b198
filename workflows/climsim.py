"""The ClimSim pipeline: raw files → store → emulators as bundles → verdict. One function a stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..contracts.errors import InputError
from ..contracts.feature_sets import FeatureSet, feature_set
from ..contracts.files import require_absent
from ..jax_models.data.columns import ColumnSet
from ..jax_models.data.history import HistorySource, has_history, with_history, without_history
from ..jax_models.data.source import read_columns
from ..jax_models.data.splits import held_out_steps, runs_of
from .progress import silent

if TYPE_CHECKING:
    from ..jax_models.recipes import Recipe
    from ..jax_models.sampling import RareRegimes
    from ..jax_models.training import TrainingResult
    from ..jax_models.training_set import StreamedSet, TrainingSet

HELD_OUT = 12  # time steps of a small file that no emulator sees in training
PARTS = ("train", "test", "all", "unseen")
MEMORY_GB = 4.0  # rows of a store that take more are streamed


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


def train(
    data: Path,
    out: Path,
    emulator: str,
    *,
    part: str = "train",
    held_out: int = HELD_OUT,
    seed: int = 0,
    epochs: int | None = None,
    features: str | None = None,
    compute: str | None = None,
    sampling: RareRegimes | None = None,
    devices: int | None = None,
    checkpoint_dir: Path | None = None,
    seconds: float | None = None,
    platforms: tuple[str, ...] = ("cpu", "cuda"),
    memory_gb: float = MEMORY_GB,
    grid: Path | None = None,
    overwrite: bool = False,
    progress: Callable[..., None] = silent,
) -> Path:
    """Train the recipe `emulator` on columns and write it as the bundle `out`; returns `out`.

    data: packed file, store, or raw files. memory_gb: training rows of a store that take more are streamed;
    raw files, which need the grid-info file `grid`, always are. features, compute, sampling: instead of the
    recipe's; only a recipe for V1, which takes what it is given, can have other features.
    seconds: stop training after this wall time; the bundle is then marked as stopped, and a run with the same
    checkpoint goes on.
    devices: over how many the rows of each batch are divided; default 1, and all in a run of several
    processes (`jax.distributed`), each of which calls this while the first one writes. The bundle records it.
    """
    from ..jax_models.devices import is_first_process, training_devices
    from ..jax_models.emulator_bundle import export_emulator
    from ..jax_models.emulator_training import train_emulator

    require_absent(out, overwrite=overwrite, inputs=[data])
    chosen = _recipe(emulator, features=features, compute=compute, sampling=sampling)
    rows = training_rows(
        data, feature_set(chosen.features), part, held_out=held_out, memory_gb=memory_gb, grid=grid
    )
    spread = training_devices(devices)
    result = train_emulator(
        chosen, rows, seed=seed, epochs=epochs, devices=spread, checkpoint_dir=checkpoint_dir,
        seconds=seconds, progress=progress,
    )  # fmt: skip
    if not is_first_process():
        return Path(out)
    config = {
        "emulator": emulator, "features": chosen.features, "data": Path(data).name, "part": part,
        "time_steps": rows.seconds.size, "held_out": held_out, "seed": seed, "steps": result.steps,
        "planned_steps": result.planned, "stopped": result.steps < result.planned,
        "batch": chosen.batch, "learning_rate": chosen.learning_rate, "weight_decay": chosen.weight_decay,
        "ema_decay": chosen.ema_decay, "compute": chosen.compute, "parameters": "float32",
        "devices": len(spread), "sampling": chosen.sampling and asdict(chosen.sampling),
        "reading": rows.reading, "trained_on": runs_of(rows.seconds),
    }  # fmt: skip
    export_emulator(
        out,
        result.model,
        rows.sample.inputs,
        name=emulator,
        description=_description(chosen, result),
        config=json.dumps(config),
        platforms=platforms,
        overwrite=overwrite,
    )
    return Path(out)


def _recipe(
    emulator: str, *, features: str | None, compute: str | None, sampling: RareRegimes | None
) -> Recipe:
    """The recipe with what is given in the place of its own."""
    from ..jax_models.recipes import recipe

    chosen = recipe(emulator)
    if features and features != chosen.features != "V1":
        raise InputError(
            f"--features: {emulator} is made for {chosen.features}, found {features}; recipes for V1 take "
            "others."
        )
    changes = {"features": features, "compute": compute, "sampling": sampling}
    return replace(chosen, **{name: value for name, value in changes.items() if value})


def _description(chosen: Recipe, result: TrainingResult) -> str:
    words = f"ClimSim column physics, {chosen.name} on {chosen.features} inputs. {chosen.note}".strip()
    if result.steps == result.planned:
        return words
    return f"{words.rstrip('.')}. Stopped after {result.steps} of {result.planned} updates."


def training_rows(
    data: Path,
    features: FeatureSet,
    part: str,
    *,
    held_out: int = HELD_OUT,
    memory_gb: float = MEMORY_GB,
    grid: Path | None = None,
) -> TrainingSet | StreamedSet:
    """Rows of a part of the data, in memory where they fit and streamed where not; see `train`."""
    from ..jax_models.data.columns import stored_names
    from ..jax_models.data.source import format_of, open_source
    from ..jax_models.training_set import StreamedSet, TrainingSet

    found = format_of(data)
    if found == "packed":
        return TrainingSet(load_part(data, part, held_out=held_out, names=stored_names(features)), features)
    source, names = open_source(data, grid=grid), stored_names(features)
    if has_history(names):
        source = HistorySource(source)
    times = part_of(*source.stamps.T, part, held_out=held_out)
    streamed = StreamedSet(source, features, times)
    # Fields and matrices are both held.
    if found == "store" and 8 * len(streamed) * (features.n_in + features.n_out) <= memory_gb * 1e9:
        return TrainingSet(load_part(data, part, held_out=held_out, names=names), features)
    return streamed
