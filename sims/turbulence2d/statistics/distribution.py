"""One-point distribution of the vorticity: histogram on ω/σ_ref, moments, tail exceedance.

σ_ref is one number per case, chosen before a run and recorded with its results, so that the histograms of a
DNS, of its filtered fields and of every LES share their bins. Time averages are taken of what each function
returns (fractions and raw moments); `shape_moments` comes last, because kurtosis is not an average of
kurtoses.
"""

from dataclasses import dataclass

import numpy as np

from ....contracts.errors import InputError
from .spectra import Array, sum_by_label

EXCEEDANCE_THRESHOLDS = (3.0, 4.0, 5.0)


@dataclass(frozen=True)
class HistogramBins:
    """Equal bins of ω/σ_ref on [−limit, limit]; values beyond go to one bin at either end.

    limit: outer edge in units of σ_ref, dimensionless.
    count: number of bins inside.
    """

    limit: float = 15.0
    count: int = 300

    def __post_init__(self):
        if not (np.isfinite(self.limit) and self.limit > 0 and self.count > 0):
            raise InputError(
                f"Histogram bins need a positive limit and count, found {self.limit} and {self.count}."
            )

    @property
    def width(self) -> float:
        """Width of a bin in units of σ_ref."""
        return 2.0 * self.limit / self.count

    @property
    def edges(self) -> np.ndarray:
        """Edges in units of σ_ref, (count + 1,)."""
        return np.linspace(-self.limit, self.limit, self.count + 1)

    @property
    def centres(self) -> np.ndarray:
        """Centres in units of σ_ref, (count,)."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])


def histogram(vorticity: Array, sigma_reference: float, bins: HistogramBins) -> Array:
    """Fractions of the points of `vorticity` [y, x] in each bin, (count + 2,): below, bins…, above; sum 1."""
    xp = vorticity.__array_namespace__()
    scaled = (vorticity.reshape(-1) / sigma_reference + bins.limit) / bins.width
    labels = xp.clip(xp.floor(scaled) + 1.0, 0.0, bins.count + 1.0).astype(np.int32)
    counts = sum_by_label(xp.ones(labels.shape, np.int32), labels, bins.count + 2)
    return counts / labels.size


def probability_density(fractions: Array, bins: HistogramBins) -> Array:
    """Density of ω/σ_ref per bin, [..., count], from `histogram` fractions [..., count + 2]."""
    return fractions[..., 1:-1] / bins.width


def raw_moments(vorticity: Array) -> Array:
    """⟨ω⟩, ⟨ω²⟩, ⟨ω³⟩, ⟨ω⁴⟩ over the last two axes, [..., 4]."""
    xp = vorticity.__array_namespace__()
    square = vorticity * vorticity
    powers = (vorticity, square, square * vorticity, square * square)
    return xp.stack([power.mean((-2, -1)) for power in powers], axis=-1)


def shape_moments(moments: Array) -> Array:
    """Standard deviation, skewness, kurtosis (Gaussian: 3), [..., 3], of mean `raw_moments` [..., 4]."""
    xp = moments.__array_namespace__()
    first, second, third, fourth = (moments[..., i] for i in range(4))
    variance = second - first**2
    central_third = third - 3.0 * first * second + 2.0 * first**3
    central_fourth = fourth - 4.0 * first * third + 6.0 * first**2 * second - 3.0 * first**4
    return xp.stack([xp.sqrt(variance), central_third / variance**1.5, central_fourth / variance**2], axis=-1)


def exceedance(
    vorticity: Array, sigma_reference: float, thresholds: tuple[float, ...] = EXCEEDANCE_THRESHOLDS
) -> Array:
    """P(|ω| > t σ_ref) over the last two axes for each t of `thresholds`, [..., len(thresholds)]."""
    xp = vorticity.__array_namespace__()
    magnitude = xp.abs(vorticity)
    return xp.stack([(magnitude > t * sigma_reference).mean((-2, -1)) for t in thresholds], axis=-1)
