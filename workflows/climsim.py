"""The ClimSim pipeline: raw files → packed file → emulators as bundles → verdict. One function a stage."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..contracts.bundle import Bundle
from ..contracts.errors import InputError
from ..contracts.files import require_absent, writing
from ..contracts.provenance import provenance
from ..contracts.variables import RAW_INPUTS, RAW_TARGETS, V1_TARGETS
from ..jax_models.data.columns import ColumnSet, fields_of, inputs_of
from ..jax_models.data.source import read_columns
from ..jax_models.data.splits import held_out_steps, official_split
from .progress import silent

HELD_OUT = 12  # time steps of a small file that no emulator sees in training
PARTS = ("train", "test", "all", "unseen")
MOST_STAMPS = 2000  # a bundle names its training steps up to this number


def load_part(path: Path, part: str, *, held_out: int = HELD_OUT) -> ColumnSet:
    """Columns of a packed file: `train` (all but the held-out steps), `test` (those), or `all` of them."""
    if part not in PARTS:
        raise InputError(f"Unknown part {part!r}; expected one of {', '.join(PARTS)}.")
    columns = read_columns(path)
    if part in ("all", "unseen"):
        return columns
    train, test = held_out_steps(columns.ymd, columns.tod, test=held_out)
    return columns.at(train if part == "train" else test)


def pack(
    raw: Path,
    grid: Path,
    out: Path,
    *,
    split: str | None = None,
    months: str = ".*",
    stride: int | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Callable[..., None] = silent,
) -> str:
    """Pack raw mli/mlo pairs below `raw` into the store `out`; returns one line that says what was done.

    grid: ClimSim's grid-info file. split: an official split by name. months: pattern for YYYY-MM.
    skip_bad: go on without time steps that are damaged or incomplete, and count them.
    """
    from ..jax_models.data.climsim_raw import Skipped, find_pairs, read_steps
    from ..jax_models.data.grid import read_grid
    from ..jax_models.data.store import write_store

    require_absent(out, overwrite=overwrite)
    skipped = Skipped()
    chosen = official_split(split) if split else None
    pairs = find_pairs(raw, split=chosen, months=months, stride=stride, skipped=skipped if skip_bad else None)
    geometry = read_grid(grid)

    def steps():
        read = read_steps(pairs, skipped=skipped if skip_bad else None)
        for number, (pair, fields) in enumerate(read):
            progress(number + 1, len(pairs))
            yield pair.ymd, pair.tod, fields

    with writing(out, overwrite=overwrite) as temporary:
        written = write_store(temporary, steps(), geometry, capacity=len(pairs))
    return f"{out}: {written} time steps × {geometry.ncol} columns; {skipped.summary()}."


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
    overwrite: bool = False,
    progress: Callable[..., None] = silent,
) -> Path:
    """Train the recipe `emulator` on a packed file and write it as the bundle `out`; returns `out`."""
    from ..jax_models.emulator_bundle import export_emulator
    from ..jax_models.emulator_training import train_emulator
    from ..jax_models.recipes import recipe, training_data

    require_absent(out, overwrite=overwrite)
    chosen = recipe(emulator)
    rows = training_data(load_part(data, part, held_out=held_out), emulator)
    result = train_emulator(
        chosen, rows, seed=seed, epochs=epochs, checkpoint_dir=checkpoint_dir, progress=progress
    )
    config = {
        "emulator": emulator, "features": chosen.features, "data": Path(data).name, "part": part,
        "time_steps": rows.columns.steps, "held_out": held_out, "seed": seed, "steps": result.steps,
        "trained_on": stamps(rows.columns)[:MOST_STAMPS],
    }  # fmt: skip
    export_emulator(
        out,
        result.model,
        rows.inputs,
        name=emulator,
        description=f"ClimSim column physics, {emulator} on {chosen.features} inputs. {chosen.note}".strip(),
        config=json.dumps(config),
        platforms=platforms,
        overwrite=overwrite,
    )
    return Path(out)


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


def stamps(columns: ColumnSet) -> list[str]:
    """`YYYYMMDD-sssss` of each time step."""
    return [f"{ymd}-{tod:05d}" for ymd, tod in zip(columns.ymd.tolist(), columns.tod.tolist(), strict=True)]


def unseen(columns: ColumnSet, models: list[Path]) -> ColumnSet:
    """The steps that none of the bundles names as training steps. Raises InputError if none is left."""
    seen = {stamp for model in models for stamp in _trained_on(Bundle.open(model))}
    new = np.flatnonzero([stamp not in seen for stamp in stamps(columns)])
    if new.size == 0:
        raise InputError(
            f"All {columns.steps} time steps were seen in training by one of the models; give other data, or "
            "say --part all to score them nevertheless."
        )
    return columns.at(new)


def _trained_on(bundle: Bundle) -> list[str]:
    return json.loads(bundle.config).get("trained_on", []) if bundle.config.startswith("{") else []


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
