"""What is measured of one snapshot: a dictionary of small arrays, to be averaged by `BlockMeans`.

`flow_sample` serves every run (DNS or LES); `reference_sample` adds what only a DNS can say: the
distribution of its sharp-filtered fields, and the transfer to the scales that an LES lacks.
"""

from dataclasses import dataclass

from ..cases import Case
from ..filtering import coarse_grain, gaussian
from ..gradient_model import gradient_model, pattern_correlation
from ..subgrid_tendency import advection, subgrid_tendency, to_grid
from .budgets import budgets
from .distribution import HistogramBins, exceedance, histogram, raw_moments
from .spectra import Array, direction_spectra, mode_energy, mode_enstrophy, shell_spectrum
from .transfer import mode_energy_transfer, mode_enstrophy_transfer

DEFAULT_BINS = HistogramBins()


@dataclass(frozen=True)
class Measures:
    """What to measure, and against what.

    case: the equation's constants.
    sigma_reference: σ_ref of the histogram, dimensionless.
    bins: of ω/σ_ref.
    """

    case: Case
    sigma_reference: float
    bins: HistogramBins = DEFAULT_BINS


@dataclass(frozen=True, kw_only=True)
class ReferenceMeasures(Measures):
    """What a DNS measures in addition.

    levels: grids of the sharp-filtered fields.
    pair_grid: grid of the Gaussian-filtered pairs (Gω, Π).
    pair_width: Δ_f of their filter.
    carried: highest mode of the DNS.
    """

    levels: tuple[int, ...]
    pair_grid: int
    pair_width: float
    carried: int


def flow_sample(vorticity_hat: Array, measures: Measures) -> dict[str, Array]:
    """Spectra, budgets and distribution of one snapshot [ky, kx] (kx = 0 … N/2); all dimensionless."""
    enstrophy, energy = mode_enstrophy(vorticity_hat), mode_energy(vorticity_hat)
    enstrophy_x, enstrophy_y = direction_spectra(enstrophy)
    energy_x, energy_y = direction_spectra(energy)
    enstrophy_budget, energy_budget = budgets(vorticity_hat, measures.case)
    return {
        "enstrophy_x": enstrophy_x,
        "enstrophy_y": enstrophy_y,
        "energy_x": energy_x,
        "energy_y": energy_y,
        "enstrophy_shell": shell_spectrum(enstrophy),
        "energy_shell": shell_spectrum(energy),
        "enstrophy_budget": enstrophy_budget,
        "energy_budget": energy_budget,
        **distribution_sample(vorticity_hat, measures),
    }


def distribution_sample(vorticity_hat: Array, measures: Measures) -> dict[str, Array]:
    """Histogram fractions, raw moments and exceedances of one snapshot [ky, kx]."""
    vorticity = to_grid(vorticity_hat)
    return {
        "histogram": histogram(vorticity, measures.sigma_reference, measures.bins),
        "raw_moments": raw_moments(vorticity),
        "exceedance": exceedance(vorticity, measures.sigma_reference),
    }


def reference_sample(vorticity_hat: Array, measures: ReferenceMeasures) -> dict[str, Array]:
    """`flow_sample`, squares for deviations, filtered levels, and transfers of one DNS snapshot [ky, kx]."""
    xp = vorticity_hat.__array_namespace__()
    sample = flow_sample(vorticity_hat, measures)
    for quantity in ("enstrophy", "energy"):
        mean = 0.5 * (sample[f"{quantity}_x"] + sample[f"{quantity}_y"])
        sample |= {f"{quantity}_mean": mean, f"{quantity}_mean_squared": mean**2}
    advected = advection(vorticity_hat, measures.carried)
    sample["advection_enstrophy_transfer"] = shell_spectrum(mode_enstrophy_transfer(vorticity_hat, advected))
    sample["advection_energy_transfer"] = shell_spectrum(mode_energy_transfer(vorticity_hat, advected))
    levels = [coarse_grain(vorticity_hat, level) for level in measures.levels]
    filtered = [distribution_sample(level, measures) for level in levels]
    for name in ("histogram", "raw_moments", "exceedance"):
        sample[name] = xp.stack([sample[name], *(level[name] for level in filtered)])
    for level in levels:
        along_x, along_y = direction_spectra(mode_enstrophy(level))
        sample[f"enstrophy_level_{level.shape[-2]}"] = 0.5 * (along_x + along_y)
    return sample | _subgrid_sample(vorticity_hat, measures)


def _subgrid_sample(vorticity_hat: Array, measures: ReferenceMeasures) -> dict[str, Array]:
    xp = vorticity_hat.__array_namespace__()
    filtered, tendency = reference_pair(vorticity_hat, measures)
    models = [gradient_model(filtered, measures.pair_width, order=order) for order in (2, 4)]
    return {
        "subgrid_enstrophy_transfer": shell_spectrum(mode_enstrophy_transfer(filtered, tendency)),
        "subgrid_energy_transfer": shell_spectrum(mode_energy_transfer(filtered, tendency)),
        "gradient_correlation": xp.stack([pattern_correlation(model, tendency) for model in models]),
    }


def reference_pair(vorticity_hat: Array, measures: ReferenceMeasures) -> tuple[Array, Array]:
    """(Gω, Π) half spectra on the pair grid, for an LES that carries all of |k| < N_c/2."""
    kernel = gaussian(vorticity_hat.shape[-2], measures.pair_width)
    return subgrid_tendency(
        vorticity_hat, coarse=measures.pair_grid, transfer=kernel, fine_highest=measures.carried
    )
