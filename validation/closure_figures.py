"""Figures of a comparison of closures: spectra over the DNS, densities, transfers, policy maps; arrays in."""

from collections.abc import Mapping, Sequence

import numpy as np

from .turbulence_figures import COLOURS, DNS, plt

Statistics = Mapping[str, np.ndarray]
RATIO_TICKS = (0.2, 0.5, 0.7, 1.0, 1.4, 2.0, 5.0)
SHOWN = len(COLOURS)
"""As many closures as a figure can tell apart."""


def spectrum_ratios(runs: Mapping[str, Statistics], target: Statistics, band: np.ndarray):
    """Z/Z_DNS of each direction against k; `band` (2, K) is where another DNS would lie."""
    directions, carried = target["spectrum_directions"].shape
    k = np.arange(1, carried + 1)
    figure, axes = plt.subplots(
        1, directions, figsize=(10.5, 4.2), layout="constrained", squeeze=False, sharey=True
    )
    titles = ("",) if directions == 1 else ("along x", "along y")
    for direction, (axis, title) in enumerate(zip(axes[0], titles, strict=True)):
        axis.axhline(1.0, color=DNS, lw=1.5)
        axis.fill_between(k, *band, color=DNS, alpha=0.2, lw=0, label="another DNS, 95 %")
        for colour, (name, run) in zip(COLOURS, runs.items(), strict=False):
            ratio = run["spectrum_directions"][direction] / target["spectrum_directions"][direction]
            axis.plot(k, ratio, color=colour, label=name)
        axis.set(yscale="log", xlabel=f"wavenumber k {title}".rstrip(), ylim=(0.2, 5))
        axis.minorticks_off()
        _wavenumber_axis(axis, carried)
    axes[0, 0].set(ylabel="Z(k) / DNS")
    axes[0, 0].set_yticks(RATIO_TICKS, [f"{tick:g}" for tick in RATIO_TICKS])
    axes[0, 0].legend(fontsize=8)
    return figure


def _wavenumber_axis(axis, carried: int) -> None:
    """Logarithmic, with powers of two as plain numbers."""
    ticks = [2**i for i in range(carried.bit_length())]
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.set_xticks(ticks, [str(tick) for tick in ticks])


def density_comparison(runs: Mapping[str, Statistics], target: Statistics, centres: np.ndarray):
    """Densities of ω/σ_ref on a logarithmic axis, with the band of the cut DNS."""
    figure, axis = plt.subplots(figsize=(10.5, 4.2), layout="constrained")
    inside, shown = target["pdf_lower"] > 0, np.abs(centres) < 8
    bounds = (target[name][inside] for name in ("pdf_lower", "pdf_upper"))
    axis.fill_between(centres[inside], *bounds, color=DNS, alpha=0.2, lw=0, label="DNS, cut, 95 %")
    lines = [("DNS, cut", target["pdf"], DNS)]
    lines += [(name, run["pdf"], colour) for colour, (name, run) in zip(COLOURS, runs.items(), strict=False)]
    for name, density, colour in lines:
        positive = np.where(density > 0, density, np.nan)
        axis.plot(centres[shown], positive[shown], color=colour, lw=1.2, label=name)
    axis.set(yscale="log", ylim=(1e-6, 2), xlabel="vorticity / σ_ref", ylabel="probability density")
    axis.legend(fontsize=8)
    return figure


def transfers(runs: Mapping[str, Statistics], target: Statistics, carried: int):
    """P_Z(k) and P_E(k) fed by the closure to each shell, and by the cut scales of the DNS where known."""
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.6), layout="constrained")
    k = np.arange(1, carried + 1)
    for axis, name, label in zip(
        axes,
        ("enstrophy_transfer", "energy_transfer"),
        ("enstrophy fed to shell k, $P_Z$", "energy fed to shell k, $P_E$"),
        strict=True,
    ):
        axis.axhline(0.0, color="#bbbbbb", lw=0.8)
        if name in target:
            axis.plot(k, target[name][k], color=DNS, lw=2, label="DNS, exact")
        for colour, (closure, run) in zip(COLOURS, runs.items(), strict=False):
            axis.plot(k, run[name][k], color=colour, label=closure)
        axis.set(xlabel="wavenumber k", ylabel=label)
        _wavenumber_axis(axis, carried)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    return figure


def action_curves(
    invariants: np.ndarray, actions: np.ndarray, names: Sequence[str], components: Sequence[str]
):
    """Mean action against each invariant in bins of equal population, with the spread within a bin.

    invariants (n, F), actions (n, C).
    """
    kept = [i for i in range(invariants.shape[1]) if np.ptp(invariants[:, i]) > 1e-6]
    rows, columns = actions.shape[1], len(kept)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.5 * columns, 2.6 * rows), layout="constrained", squeeze=False, sharey="row"
    )
    for column, index in enumerate(kept):
        centres, groups = equal_bins(invariants[:, index])
        for row in range(rows):
            axis = axes[row, column]
            mean = np.array([actions[group, row].mean() for group in groups])
            spread = np.array([actions[group, row].std() for group in groups])
            axis.fill_between(centres, mean - spread, mean + spread, color=COLOURS[0], alpha=0.2, lw=0)
            axis.plot(centres, mean, color=COLOURS[0], marker="o", ms=3)
            if row == rows - 1:
                axis.set_xlabel(names[index], fontsize=9)
            if column == 0:
                axis.set_ylabel(components[row], fontsize=9)
    return figure


def action_maps(
    vorticity: np.ndarray,
    invariant: np.ndarray,
    actions: np.ndarray,
    name: str,
    components: Sequence[str],
    *,
    fewest: int = 3,
):
    """Mean action in bins of ω/σ and of one invariant; bins with less than `fewest` samples stay empty.

    vorticity (n,), invariant (n,), actions (n, C).
    """
    figure, axes = plt.subplots(
        1, actions.shape[1], figsize=(4.8 * actions.shape[1], 3.8), layout="constrained", squeeze=False
    )
    edges = [np.linspace(*np.quantile(values, [0.002, 0.998]), 25) for values in (vorticity, invariant)]
    count = np.histogram2d(vorticity, invariant, edges)[0]
    for axis, action, component in zip(axes[0], actions.T, components, strict=True):
        total = np.histogram2d(vorticity, invariant, edges, weights=action)[0]
        mean = np.where(count >= fewest, total / np.maximum(count, 1), np.nan)
        image = axis.pcolormesh(*edges, mean.T, cmap="viridis", shading="flat")
        axis.set(xlabel="vorticity / σ_ref", ylabel=name)
        figure.colorbar(image, ax=axis, label=component)
    return figure


def equal_bins(values: np.ndarray, count: int = 12) -> tuple[np.ndarray, list[np.ndarray]]:
    """(mean of each bin, indices of each bin) of bins that hold equally many values; one bin for each
    value where there are few."""
    distinct = np.unique(values)
    if len(distinct) <= count:
        return distinct, [np.flatnonzero(values == value) for value in distinct]
    groups = np.array_split(np.argsort(values, kind="stable"), count)
    groups = [group for group in groups if len(group)]
    return np.array([values[group].mean() for group in groups]), groups
