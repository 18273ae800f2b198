"""The page of `subgrid validate closure`: all closures of a grid in one table, figures; HTML and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jax

from ..contracts.files import remove, require_absent
from ..contracts.provenance import provenance
from ..contracts.reference import Reference, read_reference
from ..validation.page import Page, write_report
from .closure_evaluation.grid import GridValidation, ValidationPlan
from .closure_evaluation.sections import grid_sections
from .progress import Progress, silent
from .validate_closure import Validation, numbers, validate_closures


def validate_closure(
    closures: Mapping[str, Path],
    reference: Path,
    directory: Path,
    plan: ValidationPlan,
    *,
    grids: Sequence[int] = (),
    dt: float | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Validation:
    """Judge closures beside all baselines and write `report.html` and `report.json` into `directory`.

    Finished runs are kept in `directory`/parts until the report is written; the same call continues from
    them.
    FileError, before anything runs: a report is there already (unless `overwrite`), or cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("report.html", "report.json"):
        require_absent(directory / name, overwrite=overwrite)
    parts = directory / "parts"
    validation = validate_closures(
        closures, reference, plan, grids=grids, dt=dt, parts=parts, progress=progress
    )
    page = make_page(validation, read_reference(reference), tuple(closures))
    write_report(directory, page, numbers(validation), overwrite=overwrite)
    remove(parts)
    return validation


def make_page(validation: Validation, reference: Reference, learned: Sequence[str]) -> Page:
    """The report of a validation; `learned` are the names of the learned closures."""
    case = next(iter(validation.grids.values())).environment.case
    sections = []
    for n, found in validation.grids.items():
        heading = f"N = {n}: " if len(validation.grids) > 1 else ""
        sections += grid_sections(found, validation.plan, reference, learned, heading)
    grids = ", ".join(f"{n}²" for n in validation.grids)
    title = f"Closures of {case.name} ({case.description}) on {grids} points"
    origin = provenance() | {"device": jax.devices()[0].device_kind}
    return Page(title, summary(validation, learned), sections, origin)


def summary(validation: Validation, learned: Sequence[str]) -> str:
    """The verdict on all grids, made of the numbers only."""
    return " ".join(_summary(n, found, learned) for n, found in validation.grids.items())


def _summary(n: int, found: GridValidation, learned: Sequence[str]) -> str:
    """The verdict on one grid."""
    column = "spectrum_reward"
    others = {
        name: score[column] for name, score in found.scores.items() if name not in learned and column in score
    }
    sentences = [f"N = {n}:"]
    if others:
        best = max(others, key=others.get)
        sentences.append(
            f"the best of the others by the reward of its mean spectrum is {best} ({others[best]:.3g})."
        )
    for name in learned:
        score = found.scores[name]
        if column not in score:
            sentences.append(f"No simulation with {name} survived.")
            continue
        sentences.append(
            f"{name} has {score[column]:.3g}, kurtosis {score['kurtosis']:.2f} (DNS "
            f"{score['kurtosis_reference']:.2f}) and {score['exceedance_ratio_3_sigma']:.2f} times the "
            f"P(>3σ) of the filtered DNS; {100 * score['survived']:.0f} % of its simulations survived."
        )
    return " ".join(sentences)
