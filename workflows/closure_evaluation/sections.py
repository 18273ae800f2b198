"""The parts of a closure report for one grid: tables, figures, policy maps, survival."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...contracts.reference import Reference
from ...validation import closure_figures
from ...validation.flow_statistics import reference_bins
from ...validation.page import Figure, Section, Table
from ...validation.turbulence_figures import as_data_uri
from .grid import GridValidation, ValidationPlan

COLUMNS = {
    "spectrum_log_error": "spectrum error",
    "spectrum_inside_dns_band": "k inside DNS band",
    "spectrum_reward": "reward of mean spectrum",
    "kurtosis": "kurtosis",
    "exceedance_ratio_3_sigma": "P(>3σ) / DNS",
    "exceedance_ratio_4_sigma": "P(>4σ) / DNS",
    "exceedance_ratio_5_sigma": "P(>5σ) / DNS",
    "survived": "survived",
    "cost": "ms per unit time",
}
MILLISECONDS = 1e3
SHARES = ("spectrum_inside_dns_band", "survived")
WORST_DIRECTION = {"spectrum_error_worst_direction": "spectrum error, worse direction"}


def grid_sections(
    found: GridValidation, plan: ValidationPlan, reference: Reference, learned: Sequence[str], heading: str
) -> list[Section]:
    """All sections of a grid; `heading` begins their titles."""
    return [
        Section(f"{heading}Scores", what_is_compared(plan), [score_table(found, plan)]),
        Section(f"{heading}Spectra, densities, transfers", (), (), figures(found, reference, learned)),
        *policy_sections(found, heading),
        *survival_sections(found, heading),
        Section(f"{heading}Tuned constants", (), [constants_table(found)]),
    ]


def what_is_compared(plan: ValidationPlan) -> list[str]:
    """The paragraph above the table."""
    return [
        "Everything is compared with the DNS cut sharply to the modes of the LES. Constants were tuned in "
        f"{plan.copies} × {plan.tuning_time:g} time units for each set of them, from training states: by "
        "grid search for the reward of the training and for that of the mean spectrum, and by ensemble "
        "Kalman inversion on the logarithm of the spectrum in no more simulations. “Spectrum error” is the "
        "RMS of log10(Z/Z_DNS); “k inside DNS band” is the share of wavenumbers (of the worse direction) at "
        "which the mean spectrum lies where that of another DNS would, sampled for as long."
    ]


def score_table(found: GridValidation, plan: ValidationPlan) -> Table:
    """One row a closure: value and 95 % band of each column; last what natural variability scores."""
    columns = dict(COLUMNS)
    if len(found.target["spectrum_directions"]) > 1:
        columns = {"spectrum_log_error": columns["spectrum_log_error"], **WORST_DIRECTION, **columns}
    # A column that has no number anywhere says nothing: the DNS of k4b20 never exceeds 4σ.
    known = [c for c in columns if any(_is_known(score.get(c)) for score in found.scores.values())]
    columns = {column: columns[column] for column in known}
    rows = [[name, *(_cell(score, c) for c in columns)] for name, score in found.scores.items()]
    rows.append(["another DNS, sampled for as long", *(_cell(found.natural, c) for c in columns)])
    return Table(
        ["closure", *columns.values()],
        rows,
        f"{plan.seeds} simulations of T = {plan.plan.time:g} from held-out states, after a spin-up of "
        f"{plan.plan.spin_up:g}; below each value its 95 % band by bootstrap over simulations. The "
        f"filtered DNS has kurtosis {found.target['moments'][2]:.2f}. Time is that of one simulation among "
        "all of its row's group, side by side on the device named below.",
    )


def _is_known(value: float | None) -> bool:
    return value is not None and bool(np.isfinite(value))


def _cell(score: Mapping[str, Any], column: str) -> str:
    value, band = score.get(column), score.get(f"{column}_band")
    if not _is_known(value):
        return "–"
    if column == "survived" and "blow_up_time" in score:
        return f"{value:.0%}\nothers end at {score['blow_up_time']:.3g}"
    if column == "cost":
        return f"{MILLISECONDS * value:.3g}"
    form = ".0%" if column in SHARES else ".3g"
    return f"{value:{form}}" if band is None else f"{value:{form}}\n{band[0]:{form}} … {band[1]:{form}}"


def constants_table(found: GridValidation) -> Table:
    """The constants that each way of tuning chose, and what they cost."""
    rows = []
    for family, best in found.tuned.items():
        tried = str(len(best.table))
        rows.append([f"{family}, search by reward", _constants(best.by_reward), tried, ""])
        rows.append([f"{family}, search by spectrum", _constants(best.by_spectrum), tried, ""])
    for family, kalman in found.kalman.items():
        failed = sum(row["failed"] for row in kalman.history)
        tried = kalman.members * len(kalman.history)
        rows.append([f"{family}, ensemble Kalman", _constants(kalman.constants), str(tried), str(failed)])
    return Table(["tuning", "constants", "sets of constants tried", "of them blown up"], rows)


def _constants(chosen: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in chosen.items())


def figures(found: GridValidation, reference: Reference, learned: Sequence[str]) -> list[Figure]:
    """Spectra over the DNS, densities and transfers: learned closures and the best of each tuned family."""
    shown = [*learned, *_best_of_families(found, learned)][: closure_figures.SHOWN]
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
            "positive backscatter. Black: the exact transfer of the sharp cut, from the "
            "states of the reference (128²).",
        ),
    ]


def policy_sections(found: GridValidation, heading: str) -> list[Section]:
    """What every policy does where."""
    sections = []
    for name, policy in found.maps.items():
        correlations = policy.correlations()
        curves = closure_figures.action_curves(
            policy.invariants, policy.actions, policy.invariant_names, policy.action_names
        )
        rows = [
            [component, f"{mean:.3g}", f"{spread:.3g}", *(f"{value:.2f}" for value in row)]
            for component, mean, spread, row in zip(
                policy.action_names, policy.actions.mean(0), policy.actions.std(0), correlations, strict=True
            )
        ]
        header = ["action (−1 … 1)", "mean", "spread", *policy.invariant_names]
        caption = "Mean and spread of the actions, and their correlation with what the agents see."
        pictures = [
            Figure(
                as_data_uri(curves),
                "Mean action against what agents see, as they see it; shaded: ± one spread.",
            )
        ]
        if policy.place is not None:
            header.append("transfer ωΠ")
            strongest = policy.telling_invariant()
            joint = closure_figures.action_maps(
                policy.place[:, 0],
                policy.invariants[:, strongest],
                policy.actions,
                policy.invariant_names[strongest],
                policy.action_names,
            )
            pictures.append(
                Figure(
                    as_data_uri(joint),
                    "Mean action against vorticity and the invariant that it follows most.",
                )
            )
        sections.append(
            Section(
                f"{heading}What {name} does",
                (),
                [Table(header, rows, caption)],
                pictures,
            )
        )
    return sections


def survival_sections(found: GridValidation, heading: str) -> list[Section]:
    """How long simulations lasted, if that was asked."""
    if not found.survival:
        return []
    rows = [
        [
            name,
            f"{np.isinf(survival.ended).sum()} of {survival.ended.size}",
            "–" if survival.fraction == 1.0 else f"{survival.first_end:.4g}",
        ]
        for name, survival in found.survival.items()
    ]
    one = next(iter(found.survival.values()))
    caption = f"Simulations of T = {one.time:g} ({one.time / found.environment.numerics.dt:.3g} time steps)."
    return [Section(f"{heading}Survival", (), [Table(["closure", "survived", "first end"], rows, caption)])]


def _best_of_families(found: GridValidation, learned: Sequence[str]) -> list[str]:
    """The row with the smallest spectrum error of each family whose constants were tuned."""
    best = []
    for family in dict.fromkeys([*found.kalman, *found.tuned]):
        errors = {
            name: score["spectrum_log_error"]
            for name, score in found.scores.items()
            if name.startswith(family) and name not in learned and "spectrum_log_error" in score
        }
        if errors:
            best.append(min(errors, key=errors.get))
    return best
