"""Figures of the ClimSim report, each a PNG; matplotlib only, without a display."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter

from ...contracts.variables import V1_TARGETS, variable
from . import metrics
from .scores import Case, Emulation

PROFILES = ("ptend_t", "ptend_q0001")
TICKS, CLOSE_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10), (0.7, 0.8, 0.9, 1, 1.2, 1.4)  # of ratios


def zonal_r_squared(path: Path, case: Case, emulation: Emulation, pressure: np.ndarray) -> None:
    """R² of 10-degree means over time against sine of latitude and pressure [hPa]; contours 0.7, 0.9.

    Over daily means where the data hold whole days (the scoring split), else over steps; the title says.
    """
    daily = metrics.holds_whole_days(case.ymd)
    figure, axes = _canvas(len(PROFILES), (11, 4.2))
    centre = 0.5 * (metrics.BAND_EDGES[1:] + metrics.BAND_EDGES[:-1])
    for axis, name in zip(axes, PROFILES, strict=True):
        p, y = (case.energy(name, f) for f in (emulation.outputs[name], case.targets[name]))
        if daily:
            p, y = (metrics.daily_means(field, case.ymd) for field in (p, y))
        skill = metrics.zonal_r_squared(p, y, case.lat, case.area)
        x = np.sin(np.deg2rad(centre))
        mesh = axis.pcolormesh(x, pressure, skill.T, vmin=0, vmax=1, cmap="Blues", shading="nearest")
        axis.contour(x, pressure, skill.T, levels=[0.7, 0.9], colors=["orange", "yellow"])
        axis.set(title=name, xlabel="latitude", ylabel="pressure [hPa]", ylim=(1000, 5))
        axis.set_xticks(np.sin(np.deg2rad([-60, -30, 0, 30, 60])), ["60S", "30S", "0", "30N", "60N"])
        figure.colorbar(mesh, ax=axis, label="R² of zonal means")
    over = "daily means" if daily else f"{case.ymd.size} time steps"
    _save(figure, path, f"{emulation.name}: where the tendencies are predictable (R² over {over})")


def error_maps(path: Path, case: Case, emulation: Emulation) -> None:
    """Time-mean absolute error of each V1 variable on the map, W m⁻²."""
    names = [n for n in V1_TARGETS if n in emulation.outputs]
    figure, axes = _canvas(len(names), (15, 6), rows=2)
    for axis, name in zip(axes, names, strict=False):
        p, y = (case.energy(name, f) for f in (emulation.outputs[name], case.targets[name]))
        error = np.abs(p - y).mean(axis=0)
        error = error.mean(axis=-1) if error.ndim == 2 else error
        dots = axis.scatter(case.lon, case.lat, c=error, s=14, cmap="magma_r", vmin=0)
        axis.set(title=name, xlim=(0, 360), ylim=(-90, 90))
        figure.colorbar(dots, ax=axis, shrink=0.8)
    _save(figure, path, f"{emulation.name}: mean absolute error [W m⁻²]")


def profiles(path: Path, case: Case, emulations: list[Emulation], pressure: np.ndarray) -> None:
    """MAE and bias of the tendencies over height."""
    figure, axes = _canvas(4, (13, 4.8))
    panels = [(n, kind) for n in PROFILES for kind in ("mean_absolute_error", "bias")]
    for axis, (name, kind) in zip(axes, panels, strict=True):
        y = case.energy(name, case.targets[name])
        for emulation in emulations:
            values = getattr(metrics, kind)(case.energy(name, emulation.outputs[name]), y)
            axis.plot(values, pressure, lw=1.2, label=emulation.name)
        axis.axvline(0, color="0.5", lw=0.8)
        axis.set(ylim=(1000, 5), xlabel="W m⁻²", title=f"{name}: {kind.replace('_', ' ')}")
    axes[0].set_ylabel("pressure [hPa]")
    axes[0].legend(fontsize=7)
    _save(figure, path, "Errors over height")


def histograms(path: Path, case: Case, emulations: list[Emulation]) -> None:
    """Distribution of each V1 variable in the data and in the emulations, logarithmic counts."""
    figure, axes = _canvas(len(V1_TARGETS), (15, 6), rows=2)
    for axis, name in zip(axes, V1_TARGETS, strict=True):
        target = case.targets[name].ravel()
        edges = np.linspace(*np.quantile(target, [0, 1]), 60)
        axis.hist(target, edges, color="0.8", label="data")
        for emulation in emulations:
            if name in emulation.outputs:
                axis.hist(np.clip(emulation.outputs[name].ravel(), edges[0], edges[-1]), edges,
                          histtype="step", label=emulation.name)  # fmt: skip
        axis.set(yscale="log", title=name, xlabel=variable(name).units)
    axes[0].legend(fontsize=6)
    _save(figure, path, "Distributions: are the tails there?")


def ratios(path: Path, scores: dict) -> None:
    """MAE over the reference's MAE with 95 % intervals: a panel for each V1 variable, a row for each model.

    The best model is on top.
    """
    versus = {m: e["versus_reference"] for m, e in scores["models"].items() if m != scores["reference"]}
    ranked = by_mean_ratio(scores)[::-1]
    names = list(dict.fromkeys(name for found in versus.values() for name in found))
    figure, axes = _canvas(len(names), (15, 2.2 + 0.42 * len(ranked)), rows=2)
    columns = len(axes) // 2
    for number, (axis, name) in enumerate(zip(axes, names, strict=False)):
        for place, model in enumerate(ranked):
            found = versus[model].get(name)
            if found is None or found["value"] is None:
                continue
            value, low, high = (found[key] for key in ("value", "low", "high"))
            bars = None if low is None else [[value - low], [high - value]]
            colour = {"lower": "tab:blue", "higher": "tab:red"}.get(found["verdict"], "0.5")
            axis.errorbar(value, place, xerr=bars, fmt="o", ms=4, color=colour)
        axis.axvline(1, color="0.5", lw=0.8)
        axis.set(title=name.removeprefix("cam_out_"), xscale="log", ylim=(-0.6, len(ranked) - 0.4))
        axis.set_yticks(range(len(ranked)), ranked if number % columns == 0 else [])
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        low, high = axis.get_xlim()
        axis.xaxis.set_major_locator(FixedLocator(TICKS if high > 2.5 * low else CLOSE_TICKS))
        axis.grid(axis="y", lw=0.3)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    _save(figure, path, f"MAE over that of {scores['reference']}, 95 % intervals over days (grey: noise)")


def by_mean_ratio(scores: dict) -> list[str]:
    """Models but the reference, that of least mean ratio first; those without one last."""
    mean = {m: e["versus_reference"].get("mean of V1", {}).get("value") for m, e in scores["models"].items()}
    others = (m for m in mean if m != scores["reference"])
    return sorted(others, key=lambda m: np.inf if mean[m] is None else mean[m])


def calibration(path: Path, scores: dict) -> None:
    """Rank histograms, and error of the ensemble mean against spread, per V1 variable."""
    having = {m: e["ensemble"] for m, e in scores["models"].items() if e["ensemble"]}
    figure, axes = _canvas(2 * len(V1_TARGETS), (17, 10.5), rows=4)
    for place, name in enumerate(V1_TARGETS):
        row, column = divmod(place, 5)
        ranks, skill = axes[10 * row + column], axes[10 * row + 5 + column]
        for number, (model, found) in enumerate(having.items()):
            if name not in found:
                continue
            colour = f"C{number}"
            histogram = np.asarray(found[name]["rank_histogram"])
            ranks.stairs(histogram * histogram.size, baseline=None, lw=1.3, color=colour, label=model,
                         edges=np.linspace(0, 1, histogram.size + 1))  # fmt: skip
            spread, error, _ = np.asarray(found[name]["spread_skill"]).T
            skill.loglog(spread, error, "o-", ms=3, color=colour)
        ranks.axhline(1, color="0.5", lw=0.8)
        ranks.set(
            title=name.removeprefix("cam_out_"), xlabel="rank of the truth", yscale="log", ylim=(0.1, 10)
        )
        ranks.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
        low, high = skill.get_xlim()
        skill.loglog([low, high], [low, high], color="0.5", lw=0.8)
        skill.set(xlabel="spread [W m⁻²]")
        for axis in (skill.xaxis, skill.yaxis, ranks.yaxis):
            axis.set_minor_formatter(NullFormatter())
        if column == 0:
            ranks.set_ylabel("frequency over uniform")
            skill.set_ylabel("error [W m⁻²]")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(having))
    _save(figure, path, "Calibration: frequency of ranks over the uniform one; error against spread")


def _canvas(panels: int, size: tuple[float, float], rows: int = 1):
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, -(-panels // rows), squeeze=False)
    return figure, list(grid.ravel())


def _save(figure: Figure, path: Path, title: str) -> None:
    figure.suptitle(title)
    figure.savefig(path, dpi=90)
