"""Tables of the ClimSim report from its scores; every number is in scores.json."""

from ...contracts.variables import V1_TARGETS
from ..page import Section, Table
from . import published
from .scores import band_labels

SHORT = ("dT/dt", "dq/dt", *(name.removeprefix("cam_out_") for name in V1_TARGETS[2:]))
PUBLISHED_NOTE = "Published: quoted; full scoring split, trained on 10 million columns."
KINDS = (
    ("mae", "MAE [W m⁻²]", "Area-weighted; time, then columns, then levels.", published.MAE),
    ("rmse", "RMSE [W m⁻²]", "Root per column, then the mean over columns.", published.RMSE),
    ("bias", "Bias [W m⁻²]", "Prediction minus data.", {}),
    (
        "r2",
        "R² of 2023",
        "Per column over time, plain mean over columns; blank where it is not finite.",
        published.R2,
    ),
    (
        "r2_pooled",
        "R² of the Kaggle edition",
        "Time and columns pooled; not comparable with the one above.",
        {},
    ),
)


def sections(scores: dict) -> list[Section]:
    """All tables in the order of the page."""
    return [
        *_metrics(scores),
        *_crps(scores),
        _against_reference(scores),
        _pairs(scores),
        _regimes(scores),
        _extremes(scores),
        _by_latitude(scores),
        _invariants(scores),
        _costs(scores),
    ]


def _metrics(scores: dict) -> list[Section]:
    found = []
    for kind, title, note, quoted in KINDS:
        rows = [
            _row(model, [entry["variables"].get(n, {}).get(kind) for n in V1_TARGETS])
            for model, entry in scores["models"].items()
        ]
        rows += _quoted(quoted)
        notes = [f"{note} {PUBLISHED_NOTE}" if quoted else note]
        found.append(Section(title, notes, [Table(["", *SHORT], rows)]))
    return found


def _quoted(table: published.Scores) -> list[list[str]]:
    return [_row(f"{model} (published)", [values[n] for n in V1_TARGETS]) for model, values in table.items()]


def _crps(scores: dict) -> list[Section]:
    """CRPS and calibration, if a model has an ensemble."""
    having = {m: e["ensemble"] for m, e in scores["models"].items() if e["ensemble"]}
    if not having:
        return []
    rows = [_row(m, [e.get(n, {}).get("crps") for n in V1_TARGETS]) for m, e in having.items()]
    spread = [_row(m, [e.get(n, {}).get("spread_over_error") for n in V1_TARGETS]) for m, e in having.items()]
    members = ", ".join(f"{m}: {next(iter(e.values()))['members']} members" for m, e in having.items())
    note = f"Fair estimator, {members}. A deterministic model's CRPS is its MAE. {PUBLISHED_NOTE}"
    return [
        Section("CRPS [W m⁻²]", [note], [Table(["", *SHORT], rows + _quoted(published.CRPS))]),
        Section(
            "Spread over error",
            ["Spread over the error of the ensemble mean; 1 if calibrated, below 1 overconfident."],
            [Table(["", *SHORT], spread)],
        ),
    ]


def _against_reference(scores: dict) -> Section:
    head = [*SHORT, "mean of V1"]
    rows = [
        [model, *(_interval(entry["versus_reference"].get(n)) for n in (*V1_TARGETS, "mean of V1"))]
        for model, entry in scores["models"].items()
    ]
    note = (
        "MAE over that of the reference, 95 % bootstrap interval over days (a single day has none); `noise` "
        "where 1 lies inside."
    )
    return Section(f"Against {scores['reference']}", [note], [Table(["", *head], rows)])


def _pairs(scores: dict) -> Section:
    """Each model against each other, mean of the V1 variables."""
    names = list(scores["models"])
    rows = [[one, *(_interval(scores["pairs"][one].get(other)) for other in names)] for one in names]
    note = (
        "Mean MAE ratio over the V1 variables of the model in the row to that in the column, paired by step."
    )
    return Section("Each against each", [note], [Table(["", *names], rows)])


def _regimes(scores: dict) -> Section:
    """MAE within parts of the globe."""
    entries = scores["models"].items()
    names = list(next(iter(scores["models"].values()))["variables"]["cam_out_PRECC"]["mae_by_regime"])
    rows = [
        _row(f"{model}: {short}", [e["variables"][n]["mae_by_regime"].get(r) for r in names])
        for n, short in zip(V1_TARGETS, SHORT, strict=True) if n in SHOWN
        for model, e in entries if n in e["variables"]
    ]  # fmt: skip
    note = "Of three variables; all are in scores.json. Rain is that of the data."
    return Section("MAE by regime [W m⁻²]", [note], [Table(["", *names], rows)])


SHOWN = ("ptend_t", "cam_out_NETSW", "cam_out_PRECC")


def _extremes(scores: dict) -> Section:
    """Predicted over true high quantiles of |x|."""
    rows = []
    for model, entry in scores["models"].items():
        pairs = [entry["variables"].get(n, {}).get("extremes", {}).get("0.999") for n in V1_TARGETS]
        rows.append(_row(model, [p[0] / p[1] if p and p[1] else None for p in pairs]))
    note = "99.9 % quantile of |x| of the prediction over that of the data: below 1, extremes are missed."
    return Section("Extremes", [note], [Table(["", *SHORT], rows)])


def _by_latitude(scores: dict) -> Section:
    rows = [
        _row(f"{m}: {short}", e["variables"][n]["mae_by_latitude"])
        for n, short in zip(V1_TARGETS, SHORT, strict=True) if n in SHOWN
        for m, e in scores["models"].items() if n in e["variables"]
    ]  # fmt: skip
    return Section("MAE by latitude [W m⁻²]", [], [Table(["", *band_labels()], rows)])


def _invariants(scores: dict) -> Section:
    checks = sorted({c for e in [scores["truth"], *scores["models"].values()] for c in e["invariants"]})
    entries = {"data": scores["truth"], **scores["models"]}
    rows = [_row(name, [e["invariants"].get(check) for check in checks]) for name, e in entries.items()]
    note = "What physics says without looking at the target; the data close the water budget on average only."
    return Section("Conservation and sign", [note], [Table(["", *checks], rows)])


def _costs(scores: dict) -> Section:
    keys = ("skill", "skill_per_million_parameters", "skill_per_megaflop")
    rows = [
        _row(m, [e["parameters"], e["flops_per_column"] or None, *(e["economy"].get(k) for k in keys)])
        for m, e in scores["models"].items()
    ]
    head = ["parameters", "FLOP per column", "skill", "skill per million parameters", "skill per MFLOP"]
    note = "Skill: mean over the ten V1 variables of the pooled R², capped at 0. FLOP: loops multiplied out."
    return Section("Skill and cost", [note], [Table(["", *head], rows)])


def _interval(found: dict | None) -> str:
    if found is None or found["value"] is None:
        return "" if found is None else found["verdict"]
    if found["low"] is None:
        return f"{found['value']:.3f}\nno interval"
    return f"{found['value']:.3f} {found['verdict']}\n{found['low']:.3f} to {found['high']:.3f}"


def _row(name: str, values: list) -> list[str]:
    return [name, *("" if v is None else f"{v:,}" if isinstance(v, int) else f"{v:.4g}" for v in values)]
