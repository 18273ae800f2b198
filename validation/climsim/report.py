"""One HTML page and one JSON file that say which emulator is good, by how much, and where it is not."""

import json
from pathlib import Path

import numpy as np

from ...contracts.variables import V1_TARGETS
from ..page import Figure, Page, Section, Table, render
from . import figures, published
from .scores import Case, Emulation, band_labels


def write_report(
    folder: Path, case: Case, emulations: list[Emulation], scores: dict, *, data: str, pressure: np.ndarray
) -> str:
    """Write scores.json, index.html and figures into `folder` (exists); return the one-sentence verdict.

    pressure: (nlev,) mean mid-level pressure [hPa]. data: what was scored, for the reader.
    """
    folder = Path(folder)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1, allow_nan=False) + "\n")
    pictures = _draw(folder, case, emulations, scores, pressure)
    sentence = verdict_sentence(scores)
    page = Page(
        f"ClimSim: verdict on {len(scores['models'])} emulators",
        sentence,
        [
            *map(_section, _tables(scores)),
            Section("Figures", figures=[Figure(name, name) for name in pictures]),
        ],
        {
            "data": f"{scores['time_steps']} time steps, {scores['columns']} columns of {data}",
            "definitions": "docs/physics/climsim.md; all numbers are in scores.json",
            **scores.get("provenance", {}),
        },
    )
    (folder / "index.html").write_text(render(page))
    return sentence


def _section(table: dict) -> Section:
    rows = [[row["name"], *row["cells"]] for row in table["rows"]]
    notes = [table["note"]] if table["note"] else []
    return Section(table["title"], notes, [Table(["", *table["head"]], rows)])


def verdict_sentence(scores: dict) -> str:
    """The best model by mean MAE ratio, with its interval and what is noise."""
    reference = scores["reference"]
    versus = {m: e["versus_reference"] for m, e in scores["models"].items() if m != reference}
    versus = {m: v for m, v in versus.items() if "mean of V1" in v}
    if not versus:
        return f"{reference} was scored alone; give a second model to compare."
    best = min(versus, key=lambda m: versus[m]["mean of V1"]["value"])
    mean = versus[best]["mean of V1"]
    lower = [n for n, v in versus[best].items() if n != "mean of V1" and v["verdict"] == "lower"]
    total = len(versus[best]) - 1
    return (
        f"{best} has {100 * (mean['value'] - 1):+.1f} % MAE against {reference}, mean of the V1 variables "
        f"(95 % interval {100 * (mean['low'] - 1):+.1f} to {100 * (mean['high'] - 1):+.1f} %), "
        f"beyond noise lower in {len(lower)} of {total}."
    )


def _draw(folder: Path, case: Case, emulations: list[Emulation], scores: dict, pressure) -> list[str]:
    figures.profiles(folder / "profiles.png", case, emulations, pressure)
    figures.histograms(folder / "histograms.png", case, emulations)
    drawn = ["profiles.png", "histograms.png"]
    if len(emulations) > 1:
        figures.ratios(folder / "ratios.png", scores)
        drawn.insert(0, "ratios.png")
    for emulation in emulations:
        figures.zonal_r_squared(folder / f"zonal_{emulation.name}.png", case, emulation, pressure)
        figures.error_maps(folder / f"maps_{emulation.name}.png", case, emulation)
        drawn += [f"zonal_{emulation.name}.png", f"maps_{emulation.name}.png"]
    return drawn


def _tables(scores: dict) -> list[dict]:
    short = ["dT/dt", "dq/dt", *(name.removeprefix("cam_out_") for name in V1_TARGETS[2:])]
    kinds = (
        ("mae", "MAE [W m⁻²]", "Area-weighted; time, then columns, then levels."),
        ("rmse", "RMSE [W m⁻²]", "Root per column, then the mean over columns."),
        ("bias", "Bias [W m⁻²]", "Prediction minus data."),
        ("r2", "R² of 2023", "Per column over time, plain mean over columns; blank where it is not finite."),
        (
            "r2_pooled",
            "R² of the Kaggle edition",
            "Time and columns pooled; not comparable with the one above.",
        ),
    )
    tables = []
    for kind, title, note in kinds:
        rows = [
            _row(m, [e["variables"].get(n, {}).get(kind) for n in V1_TARGETS])
            for m, e in scores["models"].items()
        ]
        if kind == "mae":
            rows += [_row(f"{m} (published)", [v[n] for n in V1_TARGETS]) for m, v in published.MAE.items()]
            note += " Published: full scoring split, trained on 10 million columns."
        tables.append({"title": title, "note": note, "head": short, "rows": rows})
    return [
        *tables,
        _ratio_table(scores),
        _invariant_table(scores),
        _cost_table(scores),
        _latitude_table(scores),
    ]


def _ratio_table(scores: dict) -> dict:
    head = [*(n.removeprefix("cam_out_") for n in V1_TARGETS), "mean of V1"]
    rows = []
    for model, entry in scores["models"].items():
        cells = []
        for name in (*V1_TARGETS, "mean of V1"):
            v = entry["versus_reference"].get(name)
            cells.append(f"{v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}] {v['verdict']}" if v else "")
        rows.append({"name": model, "cells": cells})
    note = "MAE over that of the reference, 95 % bootstrap interval over days; `noise` where 1 lies inside."
    return {"title": f"Against {scores['reference']}", "note": note, "head": head, "rows": rows}


def _invariant_table(scores: dict) -> dict:
    checks = sorted({c for e in [scores["truth"], *scores["models"].values()] for c in e["invariants"]})
    rows = [
        _row(check, [scores["truth"]["invariants"].get(check)]
             + [e["invariants"].get(check) for e in scores["models"].values()])
        for check in checks
    ]  # fmt: skip
    note = "What physics says without looking at the target; the data close the water budget on average only."
    return {"title": "Conservation and sign", "note": note, "head": ["data", *scores["models"]], "rows": rows}


def _cost_table(scores: dict) -> dict:
    keys = ("skill", "skill_per_million_parameters", "skill_per_megaflop")
    rows = [
        _row(m, [e["parameters"], e["flops_per_column"], *(e["economy"].get(k) for k in keys)])
        for m, e in scores["models"].items()
    ]
    note = "Skill: mean over the ten V1 variables of the pooled R², capped at 0."
    return {
        "title": "Skill and cost",
        "note": note,
        "head": ["parameters", "FLOP per column", *keys],
        "rows": rows,
    }


def _latitude_table(scores: dict) -> dict:
    rows = [
        _row(f"{m}: {n}", e["variables"][n]["mae_by_latitude"])
        for m, e in scores["models"].items() for n in ("ptend_t", "cam_out_NETSW", "cam_out_PRECC")
        if n in e["variables"]
    ]  # fmt: skip
    return {"title": "MAE by latitude [W m⁻²]", "note": "", "head": band_labels(), "rows": rows}


def _row(name: str, values: list) -> dict:
    return {"name": name, "cells": ["" if v is None else f"{v:.4g}" for v in values]}
