"""Tables of a closure report: the scores of every row, the constants that were tuned."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...validation.page import Table
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
