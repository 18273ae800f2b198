"""`subgrid train climsim`: columns → an emulator as a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..contracts.bundle import Bundle
from ..contracts.errors import InputError
from ..contracts.feature_sets import FeatureSet, feature_set
from ..contracts.files import require_absent
from ..jax_models.data.history import HistorySource, has_history
from ..jax_models.data.splits import runs_of
from .climsim import HELD_OUT, load_part, part_of
from .progress import silent

if TYPE_CHECKING:
    from ..jax_models.recipes import Recipe
    from ..jax_models.sampling import RareRegimes
    from ..jax_models.training import TrainingResult
    from ..jax_models.training_set import StreamedSet, TrainingSet

TRAINED_ON = ("train", "all")
MEMORY_GB = 4.0  # rows of a store that take more are streamed


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

    if part not in TRAINED_ON:
        raise InputError(f"--part: found {part!r}, expected one of {', '.join(TRAINED_ON)}.")
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
        "planned_steps": result.planned, "stopped": result.stopped,
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
    if not result.stopped:
        return words
    return f"{words.rstrip('.')}. Stopped after {result.steps} of {result.planned} updates."


def ending(bundle: Path, data: Path) -> str:
    """What the command says of a bundle that it has written: whether it was stopped, and how to score it."""
    words = f"{bundle}: try `subgrid validate climsim --model {bundle} --data {data} --out scores`"
    made = json.loads(Bundle.open(bundle).config)
    if not made["stopped"]:
        return words
    return (
        f"Training was stopped after {made['steps']} of {made['planned_steps']} updates; with --checkpoint "
        f"the same command and --overwrite goes on from there.\n{words}"
    )


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
