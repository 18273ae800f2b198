"""One HTML page and one JSON file that say which emulator is good, by how much, and where it is not."""

import json
from pathlib import Path

import numpy as np

from ..page import Figure, Page, Section, render
from . import figures
from .scores import Case, Emulation
from .tables import sections

LEGIBLE = 7  # models in one figure of curves

CAPTIONS = {
    "ratios": "Mean absolute error over that of the reference, best on top, with 95 % intervals over days.",
    "profiles": "Errors and biases of the tendencies over height; of many models the reference and the best.",
    "histograms": "Are the tails of the data there? Of many models the reference and the best.",
    "calibration": "Rank of the truth among the members (flat if calibrated), and error against spread.",
    "zonal": "Skill of 10-degree means by latitude and pressure.",
    "maps": "Mean absolute error by place.",
}


def write_report(
    folder: Path, case: Case, emulations: list[Emulation], scores: dict, *, data: str, pressure: np.ndarray
) -> str:
    """Write scores.json, index.html and figures into `folder` (exists); return the one-sentence verdict.

    pressure: (nlev,) mean mid-level pressure [hPa]. data: what was scored, for the reader.
    """
    folder = Path(folder)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1, allow_nan=False) + "\n")
    overview, *places = _draw(folder, case, emulations, scores, pressure)
    sentence = verdict_sentence(scores)
    page = Page(
        f"ClimSim: verdict on {len(scores['models'])} emulators",
        sentence,
        [overview, *sections(scores), *places],
        {
            "data": f"{scores['time_steps']} time steps, {scores['columns']} columns of {data}",
            "definitions": "docs/physics/climsim.md; all numbers are in scores.json",
            **scores.get("provenance", {}),
        },
    )
    (folder / "index.html").write_text(render(page))
    return sentence


def verdict_sentence(scores: dict) -> str:
    """The best model by mean MAE ratio, with its interval and what is noise, and over how many time steps."""
    over = f"{scores['time_steps']} time step{'s' * (scores['time_steps'] > 1)}"
    reference = scores["reference"]
    versus = {m: e["versus_reference"] for m, e in scores["models"].items() if m != reference}
    versus = {m: v for m, v in versus.items() if "mean of V1" in v}
    if not versus:
        skill = scores["models"][reference]["economy"]["skill"]
        return (
            f"{reference} was scored alone over {over}: skill {skill:.3f} (mean pooled R² of the V1 "
            "variables); give a second model to compare."
        )
    best = min(versus, key=lambda m: versus[m]["mean of V1"]["value"])
    mean = versus[best]["mean of V1"]
    lower = [n for n, v in versus[best].items() if n != "mean of V1" and v["verdict"] == "lower"]
    total = len(versus[best]) - 1
    found = f"{best} has {100 * (mean['value'] - 1):+.1f} % MAE against {reference}, mean of the V1 variables"
    if mean["low"] is None:
        return f"{found}, over {over}; no interval, since these are of one day."
    return (
        f"{found} (95 % interval {100 * (mean['low'] - 1):+.1f} to {100 * (mean['high'] - 1):+.1f} %), "
        f"beyond noise lower in {len(lower)} of {total}; over {over}."
    )


def _draw(folder: Path, case: Case, emulations: list[Emulation], scores: dict, pressure) -> list[Section]:
    """Write the pictures; the sections that show them."""
    shown = _foremost(emulations, scores)
    figures.profiles(folder / "profiles.png", case, shown, pressure)
    figures.histograms(folder / "histograms.png", case, shown)
    overview = ["profiles.png", "histograms.png"]
    if len(emulations) > 1:
        figures.ratios(folder / "ratios.png", scores)
        overview.insert(0, "ratios.png")
    if any(e.calibration for e in emulations):
        figures.calibration(folder / "calibration.png", scores)
        overview.append("calibration.png")
    sections = [_pictures("Figures", overview)]
    for emulation in emulations:
        names = [f"zonal_{emulation.name}.png", f"maps_{emulation.name}.png"]
        figures.zonal_r_squared(folder / names[0], case, emulation, pressure)
        figures.error_maps(folder / names[1], case, emulation)
        sections.append(_pictures(f"Where {emulation.name} is good", names))
    return sections


def _foremost(emulations: list[Emulation], scores: dict) -> list[Emulation]:
    """The reference and the models of least error: curves of more cannot be told apart."""
    kept = {scores["reference"], *figures.by_mean_ratio(scores)[: LEGIBLE - 1]}
    return [e for e in emulations if e.name in kept]


def _pictures(heading: str, names: list[str]) -> Section:
    return Section(
        heading, figures=[Figure(name, CAPTIONS[name.split("_")[0].split(".")[0]]) for name in names]
    )
