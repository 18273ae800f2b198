"""The ClimSim pipeline: raw files → store → emulators as bundles → verdict. One function a stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..contracts.bundle import Bundle
from ..contracts.errors import InputError
from ..contracts.files import require_absent, writing
from ..contracts.provenance import provenance
from ..contracts.variables import RAW_INPUTS, RAW_TARGETS, V1_TARGETS, FeatureSet, feature_set
from ..jax_models.data.columns import ColumnSet, fields_of, inputs_of
from ..jax_models.data.source import read_columns
from ..jax_models.data.splits import absolute_seconds, held_out_steps, runs_of, times_of
from .progress import silent

if TYPE_CHECKING:
    from ..jax_models.training_set import StreamedSet, TrainingSet

HELD_OUT = 12  # time steps of a small file that no emulator sees in training
PARTS = ("train", "test", "all", "unseen")
MEMORY_GB = 4.0  # rows of a store that take more are streamed


def load_part(
    path: Path, part: str, *, held_out: int = HELD_OUT, names: tuple[str, ...] | None = None
) -> ColumnSet:
    """Columns of a packed file or store: `train` (all but the held-out steps), `test` (those), or `all`."""
    columns = read_columns(path, names)
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
    that are damaged or incomplete, and count them.
    """
    from ..jax_models.data.climsim_raw import Skipped
    from ..jax_models.data.steps import open_steps
    from ..jax_models.data.store import write_store

    require_absent(out, overwrite=overwrite)
    skipped = Skipped()
    found = open_steps(
        data, layout=layout, grid=grid, split=split, months=months, stride=stride,
        normalization=normalization, skipped=skipped if skip_bad else None,
    )  # fmt: skip

    def counted():
        for number, step in enumerate(found.iterate()):
            progress(number + 1, found.count)
            yield step

    with writing(out, overwrite=overwrite) as temporary:
        written = write_store(temporary, counted(), found.grid, capacity=found.count, names=found.names)
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
    checkpoint_dir: Path | None = None,
    platforms: tuple[str, ...] = ("cpu", "cuda"),
    memory_gb: float = MEMORY_GB,
    grid: Path | None = None,
    overwrite: bool = False,
    progress: Callable[..., None] = silent,
) -> Path:
    """Train the recipe `emulator` on columns and write it as the bundle `out`; returns `out`.

    data: packed file, store, or raw files. memory_gb: training rows of a store that take more are streamed;
    raw files, which need the grid-info file `grid`, always are.
    """
    from ..jax_models.emulator_bundle import export_emulator
    from ..jax_models.emulator_training import train_emulator
    from ..jax_models.recipes import recipe

    require_absent(out, overwrite=overwrite)
    chosen = recipe(emulator)
    rows = training_rows(
        data, feature_set(chosen.features), part, held_out=held_out, memory_gb=memory_gb, grid=grid
    )
    result = train_emulator(
        chosen, rows, seed=seed, epochs=epochs, checkpoint_dir=checkpoint_dir, progress=progress
    )
    config = {
        "emulator": emulator, "features": chosen.features, "data": Path(data).name, "part": part,
        "time_steps": rows.seconds.size, "held_out": held_out, "seed": seed, "steps": result.steps,
        "reading": rows.reading, "trained_on": runs_of(rows.seconds),
    }  # fmt: skip
    export_emulator(
        out,
        result.model,
        rows.sample.inputs,
        name=emulator,
        description=f"ClimSim column physics, {emulator} on {chosen.features} inputs. {chosen.note}".strip(),
        config=json.dumps(config),
        platforms=platforms,
        overwrite=overwrite,
    )
    return Path(out)


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
    source = open_source(data, grid=grid)
    times = part_of(*source.stamps.T, part, held_out=held_out)
    streamed = StreamedSet(source, features, times)
    # Fields and matrices are both held.
    if found == "store" and 8 * len(streamed) * (features.n_in + features.n_out) <= memory_gb * 1e9:
        columns = load_part(data, part, held_out=held_out, names=stored_names(features))
        return TrainingSet(columns, features)
    return streamed


def validate(
    models: list[Path],
    data: Path,
    out: Path,
    *,
    part: str = "unseen",
    held_out: int = HELD_OUT,
    reference: str | None = None,
    overwrite: bool = False,
    progress: Callable[..., None] = silent,
) -> str:
    """Score bundles on a packed file, write `out`/scores.json, index.html and figures; returns the verdict.

    part: `unseen` leaves out the steps that any of the models was trained on; `test` takes the held-out steps
        of a small file, `all` every step, seen or not.
    reference: name of the model that the others are compared with; default the first.
    """
    from ..validation.climsim.report import write_report
    from ..validation.climsim.scores import score

    require_absent(out, overwrite=overwrite)
    columns = load_part(data, part, held_out=held_out)
    if part == "unseen":
        columns = unseen(columns, models)
    case = case_of(columns)
    emulations = []
    for number, model in enumerate(models):
        emulations.append(emulate(model, columns))
        progress(number + 1, len(models) + 1)
    scores = score(case, emulations, reference=reference)
    scores["data"] = {
        "file": Path(data).name,
        "part": part,
        "ymd": columns.ymd.tolist(),
        "tod": columns.tod.tolist(),
    }
    scores["provenance"] = provenance()
    pressure = columns.grid.midpoint_pressure(columns.field("state_ps")).mean(axis=(0, 1)) / 100
    with writing(out, overwrite=overwrite) as folder:
        folder.mkdir()
        sentence = write_report(
            folder, case, emulations, scores, data=f"{Path(data).name} ({part})", pressure=pressure
        )
    progress(1, 1)
    return sentence


def unseen(columns: ColumnSet, models: list[Path]) -> ColumnSet:
    """The steps that none of the bundles was trained on. Raises InputError if none is left."""
    seen = np.concatenate([_trained_on(Bundle.open(model)) for model in models])
    new = np.flatnonzero(~np.isin(absolute_seconds(columns.ymd, columns.tod), seen))
    if new.size == 0:
        raise InputError(
            f"All {columns.steps} time steps were seen in training by one of the models; give other data, or "
            "say --part all to score them nevertheless."
        )
    return columns.at(new)


def _trained_on(bundle: Bundle) -> np.ndarray:
    """Times of the training steps that the bundle names, seconds."""
    return times_of(json.loads(bundle.config).get("trained_on", []) if bundle.config.startswith("{") else [])


def case_of(columns: ColumnSet):
    """What emulators are judged against, from columns that hold inputs and targets."""
    from ..validation.climsim.scores import Case

    inputs = {name: columns.field(name) for name in (*RAW_INPUTS, "coszrs_end")}
    targets = {name: columns.field(name) for name in RAW_TARGETS}
    mass = columns.grid.layer_mass(columns.field("state_ps"))
    grid = columns.grid
    return Case(inputs, targets, mass, grid.area, grid.lat, grid.lon, columns.ymd)


def emulate(model: Path, columns: ColumnSet):
    """Run one bundle over all columns."""
    from ..jax_models.emulator_bundle import flops_per_column, load_emulator
    from ..validation.climsim.scores import Emulation

    features, predict, bundle = load_emulator(model)
    missing = [name for name in V1_TARGETS if name not in features.outputs]
    if missing:
        raise InputError(f"{model} gives no {', '.join(missing)}; validation needs the V1 outputs.")
    matrix = predict(inputs_of(columns, features))
    outputs = fields_of(matrix, features, columns.grid.ncol)
    parameters = sum(int(np.prod(p.shape)) for p in bundle.parameters)
    name = Path(model).name.removesuffix(".bundle")
    return Emulation(name, outputs, parameters, flops_per_column(bundle))
