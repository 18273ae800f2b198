"""From bundles and columns to a verdict: every model on the steps that none of them has seen."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..contracts.bundle import Bundle
from ..contracts.errors import InputError
from ..contracts.feature_sets import FeatureSet
from ..contracts.files import require_absent, writing
from ..contracts.provenance import provenance
from ..contracts.variables import RAW_INPUTS, RAW_TARGETS, V1_TARGETS, VARIABLES
from ..jax_models.data.columns import ColumnSet, fields_of, inputs_of
from ..jax_models.data.history import has_history, with_history
from ..jax_models.data.source import read_columns
from ..jax_models.data.splits import absolute_seconds, times_of
from .climsim import HELD_OUT, part_of
from .climsim_outputs import is_outputs, name_of_outputs, read_outputs, trained_on
from .progress import silent


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
    Where a model has history features, all are scored on the steps that have two predecessors in the data.
    """
    from ..validation.climsim.report import write_report
    from ..validation.climsim.scores import require_names, score

    require_absent(out, overwrite=overwrite, inputs=(data, *models))
    require_names([name_of(model) for model in models], reference)
    remembers = [_remembers(model) for model in models]
    columns = read_columns(data)
    if any(remembers):
        columns = with_history(columns)
    columns = columns.at(part_of(columns.ymd, columns.tod, part, held_out=held_out))
    if part == "unseen":
        columns = unseen(columns, models)
    case = case_of(columns)
    emulations = []
    for number, model in enumerate(models):
        emulations.append(emulate(model, columns, case))
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
    seen = np.concatenate([_trained_on(model) for model in models])
    new = np.flatnonzero(~np.isin(absolute_seconds(columns.ymd, columns.tod), seen))
    if new.size == 0:
        raise InputError(
            f"All {columns.steps} time steps were seen in training by one of the models; give other data, or "
            "say --part all to score them nevertheless."
        )
    return columns.at(new)


def name_of(model: Path) -> str:
    """What the report calls it: as the bundle is called, or as the file of outputs says.

    A bundle whose training was stopped says so: unet-400-of-2016.
    """
    if is_outputs(model):
        return name_of_outputs(model)
    name = Path(model).name.removesuffix(".bundle")
    config = _config(Bundle.open(model)) if Path(model).is_dir() else {}
    return f"{name}-{config['steps']}-of-{config['planned_steps']}" if config.get("stopped") else name


def _config(bundle: Bundle) -> dict:
    """What a bundle says of its training; nothing where somebody else made it."""
    return json.loads(bundle.config) if bundle.config.startswith("{") else {}


def _remembers(model: Path) -> bool:
    """Whether its inputs hold history features. Raises InputError for a bundle of anything but columns."""
    if is_outputs(model):
        return False
    names = [field.name for field in Bundle.open(model).inputs]
    foreign = [name for name in names if name not in VARIABLES]
    if foreign:
        raise InputError(
            f"{model} is no emulator of column physics: found the input {foreign[0]!r}, expected quantities "
            "of contracts/variables.py; give a bundle of `subgrid train climsim`."
        )
    return has_history(names)


def _trained_on(model: Path) -> np.ndarray:
    """Times of the training steps that the bundle or file of outputs names, seconds."""
    if is_outputs(model):
        return trained_on(model)
    return times_of(_config(Bundle.open(model)).get("trained_on", []))


def case_of(columns: ColumnSet):
    """What emulators are judged against: whatever inputs and targets the columns hold."""
    from ..validation.climsim.scores import Case

    inputs = {name: columns.field(name) for name in (*RAW_INPUTS, "coszrs_end") if columns.has(name)}
    targets = {name: columns.field(name) for name in RAW_TARGETS if columns.has(name)}
    mass = columns.grid.layer_mass(columns.field("state_ps"))
    grid = columns.grid
    return Case(inputs, targets, mass, grid.area, grid.lat, grid.lon, columns.ymd)


def emulate(model: Path, columns: ColumnSet, case=None):
    """Run one bundle over all columns; its ensemble too, if it has one and there is a case to judge it by.

    A file of outputs is read instead.
    """
    from ..jax_models.emulator_bundle import load_emulator, load_ensemble
    from ..jax_models.program_cost import flops_per_column
    from ..validation.climsim.scores import Emulation

    if is_outputs(model):
        return read_outputs(model, columns)
    features, predict, bundle = load_emulator(model)
    missing = [name for name in V1_TARGETS if name not in features.outputs]
    if missing:
        raise InputError(f"{model} gives no {', '.join(missing)}; validation needs the V1 outputs.")
    matrix = inputs_of(columns, features)
    outputs = fields_of(predict(matrix), features, columns.grid.ncol)
    parameters = sum(int(np.prod(p.shape)) for p in bundle.parameters)
    draw = load_ensemble(model) if case is not None else None
    calibration = {} if draw is None else calibrate(draw, matrix, features, case)
    return Emulation(name_of(model), outputs, parameters, flops_per_column(bundle), calibration)


def calibrate(draw: Callable, matrix: np.ndarray, features: FeatureSet, case) -> dict:
    """Calibration by output of an ensemble, step by step; each column's seed is its row."""
    from ..validation.climsim.calibration import Calibration

    ncol = case.area.size
    found = {name: Calibration() for name in features.outputs if name in case.targets}
    for step in range(case.ymd.size):
        rows, times = slice(step * ncol, (step + 1) * ncol), slice(step, step + 1)
        members = draw(matrix[rows], np.arange(rows.start, rows.stop) % np.iinfo(np.int32).max)
        fields = fields_of(np.moveaxis(members, 1, 0).reshape(-1, features.n_out), features, ncol)
        for name, calibration in found.items():
            truth = case.energy(name, case.targets[name][times], times)
            calibration.add(case.energy(name, fields[name][:, None], times), truth)
    return found
