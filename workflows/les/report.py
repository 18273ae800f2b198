"""The report of an LES comparison: one HTML page, and every number in JSON."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...contracts.provenance import provenance
from ...sims.turbulence2d.cases import get_case
from ...sims.turbulence2d.initial import resample
from ...validation import turbulence_figures as figures
from ...validation.page import Figure, Page, Section, Table, write_report
from .comparison import Comparison, Run, compare

A_PRIORI = {
    "gm2": "gradient model GM2 (data check and baseline)",
    "gm4": "gradient model GM4",
    "network": "network",
    "closure": "network with limited backscatter, as it runs",
}
SCORES = (
    *("closure (host)", "spectrum error", "σ / σ_DNS", "kurtosis (DNS)", "P(>3σ) ratio", "P(>4σ) ratio"),
    *("s per unit time", "of it in closure"),
)


def report_runs(
    paths: Sequence[Path], reference_path: Path, directory: Path, *, spinup: float, overwrite: bool = False
) -> tuple[Path, str]:
    """Write `report.html` and `report.json` into `directory`; return the page's path and what it says.

    Args:
        paths: LES outputs of one case, grid and dealiasing; any closures and hosts.
        reference_path: reference file of that case.
        spinup: time left out of the statistics at the start of each run.
    """
    found = compare(paths, reference_path, spinup)
    origin = provenance() | {"reference": f"{reference_path.name}: {found.reference.attributes['command']}"}
    sections = [_scores(found), _flow(found), *_hosts(found), *_a_priori(found)]
    numbers = {
        "runs": found.numbers,
        "reference": {"dns": found.dns, "filtered_dns": found.filtered or {}},
        "hosts": {p.label: {"time": p.time, "relative_difference": p.difference} for p in found.hosts},
        "a_priori": found.a_priori,
    }
    page = Page(_title(found), _summary(found), sections, origin)
    return write_report(directory, page, numbers, overwrite=overwrite), page.summary


def _title(found: Comparison) -> str:
    case = get_case(found.runs[0].attributes["case"])
    dns = found.reference.attributes["grid"]
    return f"LES of case {case.name} ({case.description}) on {found.grid}² points against DNS on {dns}²"


def _summary(found: Comparison) -> str:
    """The verdict in a few sentences, made of the numbers only."""
    sentences = []
    formulas = [run for run in found.runs if not run.is_learned]
    errors = {run.label: found.numbers[run.label]["against_dns"]["spectrum_log_error"] for run in formulas}
    if formulas:
        best = min(errors, key=errors.get)
        sentences.append(
            f"Of the formulas, {best} is nearest to the spectrum of the DNS (error {errors[best]:.3f})."
        )
    for run in found.runs:
        if run.is_learned:
            scores = found.numbers[run.label][run.yardstick]
            target = "filtered DNS" if run.yardstick == "against_filtered_dns" else "DNS"
            sentences.append(
                f"The learned closure {run.label} reproduces the spectrum of the {target} with error "
                f"{scores['spectrum_log_error']:.3f} and {scores['exceedance_ratio_3_sigma']:.2f} times its "
                f"P(>3σ), at {run.cost:.2g} s per unit of time."
            )
    for pair in found.hosts:
        sentences.append(
            f"Hosts agree on {pair.label} to {pair.difference[1]:.1e} at t = {pair.time[1]:.2g}."
        )
    return " ".join(sentences)


def _scores(found: Comparison) -> Section:
    paragraphs = [
        "Spectrum error is the root mean square of log10(Z/Z_DNS) over the carried wavenumbers (0.1: 26 %). "
        "Ratios are to the DNS: 1 is right. Tails are the share of points where |ω| exceeds so many σ."
    ]
    tables = [_score_table(found, "against_dns", "Against the DNS, sharply cut")]
    if found.filtered is not None:
        tables.append(_score_table(found, "against_filtered_dns", "Against the Gaussian-filtered DNS"))
        paragraphs.append(
            "The supervised closure was trained on Gaussian-filtered DNS, so its resolved field is the "
            "filtered one and the second table is its yardstick; the others claim the sharply cut field and "
            "are judged by the first."
        )
    return Section("Scores and cost", paragraphs, tables)


def _score_table(found: Comparison, against: str, caption: str) -> Table:
    return Table(SCORES, [_row(run, found.numbers[run.label], against) for run in found.runs], caption)


def _row(run: Run, numbers: dict, against: str) -> list[str]:
    scores, closure_seconds = numbers[against], numbers.get("closure_seconds")
    return [
        run.label if numbers["state"] == "complete" else f"{run.label}, {numbers['state']}",
        f"{scores['spectrum_log_error']:.3f}",
        f"{scores['sigma_ratio']:.3f}",
        f"{scores['kurtosis']:.2f} ({scores['kurtosis_reference']:.2f})",
        f"{scores['exceedance_ratio_3_sigma']:.2f}",
        f"{scores['exceedance_ratio_4_sigma']:.2f}",
        f"{run.cost:.3g}",
        "–" if closure_seconds is None else f"{closure_seconds / numbers['wall_seconds']:.0%}",
    ]


def _flow(found: Comparison) -> Section:
    # One curve a closure: the hosts of one closure would draw the same one.
    unique = {run.closure: run for run in reversed(found.runs)}
    shown = [run for run in found.runs if unique[run.closure] is run]
    statistics = {run.label: run.statistics for run in shown}
    state = found.reference["states/vorticity"][-1].astype(np.float64)
    pictures = {"DNS (sharp cut)": resample(state, found.grid)}
    if found.filtered is not None:
        pictures["DNS (Gaussian-filtered)"] = found.reference["pairs/vorticity"][-1]
    pictures |= {run.label: run.output.vorticity[-1] for run in shown}
    drawn = {
        "One-dimensional enstrophy spectra (left), ratio to the DNS (right); band: two standard errors.": (
            figures.spectra(statistics, found.dns, found.filtered, found.carried)
        ),
        "Probability density of the vorticity; band: 95 % bootstrap interval of the DNS.": (
            figures.densities(statistics, found.dns, found.filtered, found.reference["bin_edge"])
        ),
        "Vorticity at the end of each run, and of the DNS at one instant (the flow is chaotic: compare "
        "structure and amplitude, not places).": figures.vorticity_pictures(pictures, found.reference.sigma),
    }
    return Section(
        "Spectra, distribution, flow",
        figures=[Figure(figures.as_data_uri(figure), caption) for caption, figure in drawn.items()],
    )


def _hosts(found: Comparison) -> list[Section]:
    if not found.hosts:
        return []
    figure = figures.host_differences(
        {pair.label: pair.time[1:] for pair in found.hosts},
        {pair.label: pair.difference[1:] for pair in found.hosts},
    )
    caption = (
        "Difference of the same run in two hosts. It starts at the rounding of the network (float32) or of "
        "the solver (float64) and grows as the flow's own chaos makes any difference grow, until the two "
        "flows are independent."
    )
    return [Section("Agreement of the hosts", figures=[Figure(figures.as_data_uri(figure), caption)])]


def _a_priori(found: Comparison) -> list[Section]:
    rows = [
        [text, f"{found.a_priori[key]:.4f}", f"{found.a_priori[f'transfer_{key}']:.3f}"]
        for key, text in A_PRIORI.items()
        if key in found.a_priori
    ]
    if not rows:
        return []
    text = (
        "Before any coupling: the closure's tendency against the exact one of filtered DNS snapshots that "
        "were held out of the training. It says nothing of stability: GM2 correlates well and blows up."
    )
    table = Table(("model", "correlation with the exact tendency", "enstrophy transfer / exact"), rows)
    return [Section("A-priori test", [text], [table])]
