"""The page of `subgrid validate closure`: all closures of a grid in one table, figures; HTML and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..contracts.errors import FileError
from ..contracts.files import remove
from ..contracts.provenance import provenance
from ..contracts.reference import Reference, read_reference
from ..validation.flow_statistics import reference_bins
from ..validation.page import Figure, Page, Section, Table, write_report
from .progress import Progress, silent
from .validate_closure import GridValidation, Validation, ValidationPlan, numbers, validate_closures

COLUMNS = {
    "spectrum_log_error": "spectrum error",
    "spectrum_inside_dns_band": "k inside DNS band",
    "spectrum_reward": "reward of mean spectrum",
    "kurtosis": "kurtosis",
    "exceedance_ratio_3_sigma": "P(>3σ) / DNS",
    "exceedance_ratio_4_sigma": "P(>4σ) / DNS",
    "exceedance_ratio_5_sigma": "P(>5σ) / DNS",
    "survived": "survived",
    "cost": "s per unit time",
}
WORST_DIRECTION = {"spectrum_error_worst_direction": "spectrum error, worse direction"}


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
    FileError: a report is there already (unless `overwrite`), before anything runs.
    """
    present = [path for path in (directory / "report.html", directory / "report.json") if path.exists()]
    if present and not overwrite:
        raise FileError(f"{present[0]} exists; give another directory or allow overwriting.")
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
        sections += [
            Section(
                f"{heading}scores", _what_is_compared(validation.plan), [score_table(found, validation.plan)]
            ),
            Section(f"{heading}spectra, densities, transfers", (), (), figures(found, reference, learned)),
            Section(f"{heading}tuned constants", (), [constants_table(found)]),
        ]
    grids = ", ".join(f"{n}²" for n in validation.grids)
    title = f"Closures of {case.name} ({case.description}) on {grids} points"
    summary = " ".join(_summary(n, found, learned) for n, found in validation.grids.items())
    return Page(title, summary, sections, provenance())


def _what_is_compared(plan: ValidationPlan) -> list[str]:
    return [
        "Everything is compared with the DNS cut sharply to the modes of the LES. Constants were tuned in "
        f"{plan.copies} simulations of {plan.tuning_time:g} time units each, from training states: by grid "
        "search for the reward of the training and for that of the mean spectrum, and by ensemble Kalman "
        "inversion on the logarithm of the spectrum in no more simulations. “Spectrum error” is the RMS of "
        "log10(Z/Z_DNS); “k inside DNS band” is the share of wavenumbers (of the worse direction) at which "
        "the mean spectrum lies where that of another DNS would, sampled for as long."
    ]


def score_table(found: GridValidation, plan: ValidationPlan) -> Table:
    """One row a closure: value and 95 % band of each column; last what natural variability scores."""
    columns = dict(COLUMNS)
    if len(found.target["spectrum_directions"]) > 1:
        columns = {"spectrum_log_error": columns["spectrum_log_error"], **WORST_DIRECTION, **columns}
    rows = [[name, *(_cell(score, c) for c in columns)] for name, score in found.scores.items()]
    rows.append(["another DNS, sampled for as long", *(_cell(found.natural, c) for c in columns)])
    return Table(
        ["closure", *columns.values()],
        rows,
        f"{plan.seeds} simulations of T = {plan.plan.time:g} from held-out states, after a spin-up of "
        f"{plan.plan.spin_up:g}; in brackets 95 % bands by bootstrap over simulations. The filtered DNS has "
        f"kurtosis {found.target['moments'][2]:.2f}. Time is that of one simulation among all of its row's "
        "group, side by side on the device named below.",
    )


def _cell(score: Mapping[str, Any], column: str) -> str:
    value, band = score.get(column), score.get(f"{column}_band")
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:.3g}" if band is None else f"{value:.3g} ({band[0]:.3g} … {band[1]:.3g})"


def constants_table(found: GridValidation) -> Table:
    """The constants that each way of tuning chose, and what they cost."""
    rows = []
    for family, best in found.tuned.items():
        kalman = found.kalman[family]
        failed = sum(row["failed"] for row in kalman.history)
        tried = kalman.members * len(kalman.history)
        rows.append([f"{family}, search by reward", _constants(best.by_reward), str(len(best.table)), ""])
        rows.append([f"{family}, search by spectrum", _constants(best.by_spectrum), str(len(best.table)), ""])
        rows.append([f"{family}, ensemble Kalman", _constants(kalman.constants), str(tried), str(failed)])
    return Table(["tuning", "constants", "sets of constants tried", "of them blown up"], rows)


def _constants(chosen: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in chosen.items())


def _summary(n: int, found: GridValidation, learned: Sequence[str]) -> str:
    """The verdict on one grid, made of the numbers only."""
    column = "spectrum_reward"
    others = {
        name: score[column] for name, score in found.scores.items() if name not in learned and column in score
    }
    sentences = [f"N = {n}:"]
    if others:
        best = max(others, key=others.get)
        sentences.append(
            f"the best baseline by the reward of its mean spectrum is {best} ({others[best]:.3g})."
        )
    for name in learned:
        score = found.scores[name]
        if column not in score:
            sentences.append(f"No simulation with {name} survived.")
            continue
        sentences.append(
            f"{name} has {score[column]:.3g}, kurtosis {score['kurtosis']:.2f} (DNS "
            f"{score['kurtosis_reference']:.2f}) and {score['exceedance_ratio_3_sigma']:.2f} times the P(>3σ) "
            f"of the filtered DNS; {100 * score['survived']:.0f} % of its simulations survived."
        )
    return " ".join(sentences)


def figures(found: GridValidation, reference: Reference, learned: Sequence[str]) -> list[Figure]:
    """Spectra over the DNS, densities and transfers: the learned closures and the best baselines."""
    from ..validation import closure_figures
    from ..validation.turbulence_figures import as_data_uri

    shown = [*learned, *_best_others(found, learned)][: closure_figures.SHOWN]
    runs = {name: found.statistics[name] for name in shown}
    bins, carried = reference_bins(reference), found.environment.grid.carried
    return [
        Figure(
            as_data_uri(closure_figures.spectrum_ratios(runs, found.target, found.dns_band)),
            "Time-mean enstrophy spectra over that of the cut DNS; the band is where another DNS would lie.",
        ),
        Figure(
            as_data_uri(closure_figures.density_comparison(runs, found.target, bins.centres)),
            "Probability density of the vorticity; the band is the cut DNS.",
        ),
        Figure(
            as_data_uri(closure_figures.transfers(runs, found.target, carried)),
            "Rates at which the closure feeds enstrophy and energy to a shell: negative is dissipation, "
            "positive backscatter. Black: the exact transfer of the sharp cut, from the DNS states of the reference "
            "(128²).",
        ),
    ]


def _best_others(found: GridValidation, learned: Sequence[str]) -> list[str]:
    scored = [
        name for name, score in found.scores.items() if name not in learned and "spectrum_log_error" in score
    ]
    return sorted(scored, key=lambda name: found.scores[name]["spectrum_log_error"])[:4]
