"""The statistics of an LES output, and of the DNS that it should reproduce, under the same names."""

from collections.abc import Iterable

import numpy as np

from ..contracts.errors import InputError
from ..contracts.reference import Reference
from ..sims.turbulence2d.cases import Case
from ..sims.turbulence2d.statistics import (
    BlockMeans,
    HistogramBins,
    confidence_band,
    moving_block_means,
    shape_moments,
    standard_error,
)
from ..sims.turbulence2d.statistics.distribution import probability_density
from ..sims.turbulence2d.statistics.sample import Measures, flow_sample

BOOTSTRAP = {"replicas": 400, "seed": 0}
MEANS = ("energy_shell", "enstrophy_shell", "enstrophy_budget", "energy_budget", "exceedance")


def flow_statistics(
    vorticity: Iterable[np.ndarray], case: Case, reference: Reference
) -> dict[str, np.ndarray]:
    """Time means over the snapshots [y, x] of `vorticity`, streamed; bins and σ_ref are the reference's.

    Returns `spectrum` (mean one-dimensional enstrophy spectrum, k = 0 … N/2−1) and `spectrum_error`, `pdf`
    with `pdf_lower` and `pdf_upper`, `exceedance`, `moments` (σ, skewness, kurtosis) and `moments_error`,
    shell spectra and budgets. InputError: fewer than two snapshots.
    """
    measures = Measures(case, float(reference.attributes["sigma_reference"]), reference_bins(reference))
    means = BlockMeans()
    for field in vorticity:
        sample = flow_sample(np.fft.rfft2(np.asarray(field, dtype=float)), measures)
        sample["spectrum"] = 0.5 * (sample["enstrophy_x"] + sample["enstrophy_y"])
        means.add(sample)
    if means.count < 2:
        raise InputError(f"Statistics of a flow need at least 2 snapshots, found {means.count}: run longer.")
    density = probability_density(means.block_means("histogram"), measures.bins)
    lower, upper = confidence_band(density, **BOOTSTRAP)
    replicas = moving_block_means(means.block_means("raw_moments"), **BOOTSTRAP)
    return {
        **{name: means.mean(name) for name in MEANS},
        "spectrum": means.mean("spectrum"),
        "spectrum_error": standard_error(means.block_means("spectrum")),
        "pdf": probability_density(means.mean("histogram"), measures.bins),
        "pdf_lower": lower,
        "pdf_upper": upper,
        "moments": shape_moments(means.mean("raw_moments")),
        "moments_error": shape_moments(replicas).std(axis=0),
    }


def reference_statistics(reference: Reference, grid: int, largest_wavenumber: int) -> dict[str, np.ndarray]:
    """What an LES on `grid` points that carries modes ≤ `largest_wavenumber` should show, under the same
    names.

    The distribution is that of the level whose cut is nearest, `level_grid`; the spectrum is that of the
    DNS itself, as in Mojgani et al., up to the Nyquist wavenumber of the LES (for modes beyond
    `largest_wavenumber` it has none).
    """
    if grid > int(reference.attributes["grid"]):
        raise InputError(f"The reference has {reference.attributes['grid']} points per side, the run {grid}.")
    cuts = np.maximum(reference["level_grid"] // 2 - 1, 1)
    level = int(np.argmin(np.abs(np.log(cuts / max(largest_wavenumber, 1)))))
    names = ("pdf", "pdf_lower", "pdf_upper", "exceedance", "exceedance_error", "moments", "moments_error")
    return {
        "spectrum": reference["enstrophy_mean"][: grid // 2],
        "spectrum_error": reference["enstrophy_mean_error"][: grid // 2],
        **{name: reference[name][level] for name in names},
        "level_grid": reference["level_grid"][level],
    }


def reference_bins(reference: Reference) -> HistogramBins:
    """The bins of the reference's densities."""
    edges = reference["bin_edge"]
    return HistogramBins(limit=float(edges[-1]), count=len(edges) - 1)
