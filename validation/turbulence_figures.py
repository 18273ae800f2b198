"""Figures of an LES comparison: spectra, probability density, vorticity pictures, agreement of hosts."""

import base64
from collections.abc import Mapping
from io import BytesIO

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

Statistics = Mapping[str, np.ndarray]
# Paul Tol's bright scheme: distinct to colour-blind readers too.
COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#66ccee", "#ccbb44")
DNS, FILTERED = "black", "#777777"

plt.rcParams.update(
    {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}
)


def spectra(runs: Mapping[str, Statistics], dns: Statistics, filtered: Statistics | None, carried: int):
    """Enstrophy spectra of the runs over their carried modes, and of the DNS with its standard error."""
    figure, (axis, ratio) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    k = np.arange(1, carried + 1)
    reference, error = dns["spectrum"][k], dns["spectrum_error"][k]
    axis.fill_between(k, reference - 2 * error, reference + 2 * error, color=DNS, alpha=0.2, lw=0)
    axis.plot(k, reference, color=DNS, lw=2, label="DNS")
    ratio.axhline(1, color=DNS, lw=2)
    ratio.fill_between(k, 1 - 2 * error / reference, 1 + 2 * error / reference, color=DNS, alpha=0.2, lw=0)
    if filtered is not None:
        axis.plot(k, filtered["spectrum"][k], color=FILTERED, ls="--", label="DNS, Gaussian-filtered")
        ratio.plot(k, filtered["spectrum"][k] / reference, color=FILTERED, ls="--")
    for colour, (name, run) in zip(COLOURS, runs.items(), strict=False):
        axis.plot(k, run["spectrum"][k], color=colour, label=name)
        ratio.plot(k, run["spectrum"][k] / reference, color=colour)
    axis.set(xscale="log", yscale="log", xlabel="wavenumber k", ylabel="enstrophy spectrum Z(k)")
    ratio.set(xscale="log", yscale="log", xlabel="wavenumber k", ylabel="Z(k) / DNS")
    axis.legend(fontsize=9)
    return figure


def densities(
    runs: Mapping[str, Statistics], dns: Statistics, filtered: Statistics | None, edges: np.ndarray
):
    """Probability densities of ω/σ on a logarithmic axis, with the bootstrap band of the DNS."""
    figure, axis = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    centres = 0.5 * (edges[1:] + edges[:-1])
    shown = np.abs(centres) < 8
    axis.fill_between(
        centres[shown], dns["pdf_lower"][shown], dns["pdf_upper"][shown], color=DNS, alpha=0.2, lw=0
    )
    lines = [("DNS, sharp cut", dns, DNS, "-")]
    if filtered is not None:
        lines.append(("DNS, Gaussian-filtered", filtered, FILTERED, "--"))
    lines += [(name, run, colour, "-") for colour, (name, run) in zip(COLOURS, runs.items(), strict=False)]
    for name, statistics, colour, style in lines:
        density = np.where(statistics["pdf"] > 0, statistics["pdf"], np.nan)
        axis.plot(centres[shown], density[shown], color=colour, ls=style, label=name)
    axis.set(yscale="log", ylim=(1e-6, 2), xlabel="vorticity / σ of the DNS", ylabel="probability density")
    axis.legend(fontsize=9)
    return figure


def vorticity_pictures(fields: Mapping[str, np.ndarray], sigma: float):
    """Snapshots side by side on one colour scale (±3σ of the DNS)."""
    columns = min(3, len(fields))
    rows = -(-len(fields) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.4 * columns, 3.6 * rows), layout="constrained", squeeze=False
    )
    for axis in axes.flat[len(fields) :]:
        axis.remove()
    for axis, (name, field) in zip(axes.flat, fields.items(), strict=False):
        image = axis.imshow(
            field, origin="lower", cmap="RdBu_r", vmin=-3 * sigma, vmax=3 * sigma, extent=(0, 2, 0, 2)
        )
        axis.set_title(name, fontsize=10)
        axis.set(xticks=(0, 1, 2), yticks=(0, 1, 2), xlabel="x / π", ylabel="y / π")
        axis.label_outer()
    figure.colorbar(image, ax=figure.axes, label="vorticity", shrink=0.8, aspect=30)
    return figure


def host_differences(time: Mapping[str, np.ndarray], difference: Mapping[str, np.ndarray]):
    """Relative difference between two hosts against time, one line a pair of runs."""
    figure, axis = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
    for colour, name in zip(COLOURS, difference, strict=False):
        axis.plot(time[name], difference[name], color=colour, marker="o", ms=3, label=name)
    axis.axhline(np.finfo(np.float32).eps, color=FILTERED, ls="--", label="rounding of float32")
    axis.axhline(np.finfo(np.float64).eps, color=FILTERED, ls=":", label="rounding of float64")
    axis.set(yscale="log", ylim=(1e-17, 10), xlabel="time", ylabel="rms difference / rms vorticity")
    axis.legend(fontsize=9, loc="center right")
    return figure


def as_data_uri(figure) -> str:
    """The figure as a PNG inside a URI, so that a report is one file; closes the figure."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
