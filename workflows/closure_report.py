"""The page of `subgrid validate closure`: all closures in one table, spectra and densities; HTML and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..contracts.errors import FileError
from ..contracts.provenance import provenance
from ..contracts.reference import Reference, read_reference
from ..validation.flow_statistics import reference_bins
from ..validation.page import Figure, Page, Section, Table, write_report
from ..validation.turbulence import spectrum_log_error, spectrum_reward
from .validate_closure import Validation, ValidationPlan, numbers, validate_policies

COLUMNS = {
    "spectrum_log_error": "spectrum error",
    "spectrum_reward": "reward of mean spectrum",
    "kurtosis": "kurtosis",
    "exceedance_ratio_3_sigma": "P(>3σ) / DNS",
    "exceedance_ratio_4_sigma": "P(>4σ) / DNS",
    "exceedance_ratio_5_sigma": "P(>5σ) / DNS",
    "survived": "survived",
}


def validate_closure(
    policies: Mapping[str, Path],
    reference: Path,
    directory: Path,
    plan: ValidationPlan,
    *,
    overwrite: bool = False,
) -> Validation:
    """Evaluate policies beside all baselines and write `report.html` and `report.json` into `directory`.

    FileError: a report is there already (unless `overwrite`), before anything runs.
    """
    present = [path for path in (directory / "report.html", directory / "report.json") if path.exists()]
    if present and not overwrite:
        raise FileError(f"{present[0]} exists; give another directory or allow overwriting.")
    validation = validate_policies(policies, reference, plan)
    stored = read_reference(reference, validation.environment.case)
    page = make_page(validation, stored, plan, tuple(policies))
    write_report(directory, page, numbers(validation, plan), overwrite=overwrite)
    return validation


def table_rows(scores: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """One row a closure: value and 95 % band of each column."""
    return [[name, *(_cell(score, column) for column in COLUMNS)] for name, score in scores.items()]


def _cell(score: Mapping[str, Any], column: str) -> str:
    value, band = score.get(column), score.get(f"{column}_band")
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:.3g}" if band is None else f"{value:.3g} ({band[0]:.3g} … {band[1]:.3g})"


def noise_floor(reference: Reference, carried: int) -> dict[str, float]:
    """Scores of the first half of the DNS against all of it: what natural variability alone costs."""
    spectra = np.exp(reference["log_enstrophy"].astype(float))[:, : carried + 1]
    half, whole = spectra[: len(spectra) // 2].mean(0), spectra.mean(0)
    half[0] = whole[0] = 0.0
    return {
        "spectrum_log_error": spectrum_log_error(half, whole, highest=carried),
        "spectrum_reward": spectrum_reward(half, whole),
    }


def make_page(
    validation: Validation, reference: Reference, plan: ValidationPlan, learned: Sequence[str]
) -> Page:
    """The report of a validation; `learned` are the names of the policies."""
    environment = validation.environment
    floor = noise_floor(reference, environment.grid.carried)
    kurtosis = float(validation.target["moments"][2])
    table = Table(
        ["closure", *COLUMNS.values()],
        [
            *table_rows(validation.scores),
            ["DNS, first half of the run against all of it", *(_cell(floor, column) for column in COLUMNS)],
        ],
        f"{plan.seeds} simulations of T = {plan.plan.time:g} from held-out states, after a spin-up of "
        f"{plan.plan.spin_up:g}; in brackets 95 % bands by bootstrap over simulations. The filtered DNS has "
        f"kurtosis {kurtosis:.2f}.",
    )
    return Page(
        f"Learned closures of {environment.case.name} on {environment.n}² points",
        _summary(validation, learned),
        [
            Section(
                "Scores",
                [
                    "Everything is compared with the DNS cut sharply to the modes of the LES. Constants were "
                    f"tuned in {plan.copies} simulations of {plan.tuning_time:g} time units each, from "
                    "training states, by the reward of the training and by that of the mean spectrum."
                ],
                [table],
            ),
            Section("Spectra and densities", (), (), figures(validation, reference, learned)),
        ],
        provenance(),
    )


def _summary(validation: Validation, learned: Sequence[str]) -> str:
    """The verdict, made of the numbers only."""
    column = "spectrum_reward"
    others = {
        name: score[column]
        for name, score in validation.scores.items()
        if name not in learned and column in score
    }
    best = max(others, key=others.get)
    sentences = [f"The best baseline by the reward of its mean spectrum is {best} ({others[best]:.3g})."]
    for name in learned:
        score = validation.scores[name]
        if column not in score:
            sentences.append(f"No simulation with {name} survived.")
            continue
        sentences.append(
            f"{name} has {score[column]:.3g}, kurtosis {score['kurtosis']:.2f} and "
            f"{score['exceedance_ratio_3_sigma']:.2f} times the P(>3σ) of the filtered DNS; "
            f"{100 * score['survived']:.0f} % of its simulations survived."
        )
    return " ".join(sentences)


def figures(validation: Validation, reference: Reference, learned: Sequence[str]) -> list[Figure]:
    """Spectra relative to the filtered DNS and densities of ω/σ_ref: the learned closures and the best four
    others."""
    import matplotlib.pyplot as plt

    from ..validation.turbulence_figures import COLOURS, DNS, as_data_uri

    shown = [*learned, *_best_others(validation, learned)][: len(COLOURS)]
    k = np.arange(1, validation.environment.grid.carried + 1)
    spectrum, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    density, log_axis = plt.subplots(figsize=(7, 4), layout="constrained")
    bins, target = reference_bins(reference), validation.target
    inside = np.abs(bins.centres) < 8
    axis.axhline(1.0, color=DNS)
    level = reference.level(validation.environment.n)
    bounds = (reference[name][level][inside] for name in ("pdf_lower", "pdf_upper"))
    log_axis.fill_between(bins.centres[inside], *bounds, color=DNS, alpha=0.2, lw=0, label="DNS, cut")
    for colour, name in zip(COLOURS, shown, strict=False):
        found = validation.statistics[name]
        axis.plot(k, found["spectrum"][1:] / target["spectrum"][1:], color=colour, label=name)
        positive = np.where(found["pdf"] > 0, found["pdf"], np.nan)
        log_axis.plot(bins.centres[inside], positive[inside], color=colour, label=name)
    axis.set(xscale="log", yscale="log", xlabel="wavenumber k", ylabel="Z(k) / DNS")
    log_axis.set(yscale="log", ylim=(1e-6, 2), xlabel="vorticity / σ_ref", ylabel="probability density")
    axis.legend(fontsize=8)
    log_axis.legend(fontsize=8)
    return [
        Figure(as_data_uri(spectrum), "Time-mean enstrophy spectra over that of the cut DNS."),
        Figure(as_data_uri(density), "Probability density of the vorticity; the band is the cut DNS."),
    ]


def _best_others(validation: Validation, learned: Sequence[str]) -> list[str]:
    scored = [
        name
        for name, score in validation.scores.items()
        if name not in learned and "spectrum_log_error" in score
    ]
    return sorted(scored, key=lambda name: validation.scores[name]["spectrum_log_error"])[:4]


def learning_curve(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Reward, blow-ups and exploration against the iteration, as a PNG at `path`."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = ("reward", "blow_ups", "exploration")
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    for axis, name in zip(axes, names, strict=True):
        axis.plot([numbers[name] for numbers in history])
        axis.set(xlabel="iteration", title=name.replace("_", "-"))
    figure.savefig(path, dpi=110)
    plt.close(figure)
