"""Published and measured figures of the three cases that our references are checked against.

They come from the data of Mojgani et al. (arXiv 2312.00907) at 1024², five snapshots a case, and from an
independent pseudo-spectral DNS at 1024² of the same equation. The bands are what such sampling allows: the
large scales turn over slowly, so second moments vary by several percent between runs of some tens of time
units, fourth moments and tails, which few vortices carry, by a quarter and more.
"""

from dataclasses import dataclass

from ..contracts.errors import InputError
from ..contracts.reference import Reference
from .turbulence import enstrophy_fraction, slope

# σ_ref of the histograms and exceedances: a round number near the standard deviation of each case's DNS.
SIGMA_REFERENCE = {"k4b0": 6.3, "k4b20": 10.7, "k25b0": 13.9}


@dataclass(frozen=True)
class ReferenceValue:
    """A figure, of the field cut to `grid` points (0: of the DNS itself), and its relative tolerance.

    quantity: sigma, enstrophy, kurtosis, exceedance_3, exceedance_4, enstrophy_fraction (at k < grid/2),
        or slope (over `stretch` of wavenumbers).
    """

    quantity: str
    grid: int
    value: float
    tolerance: float
    stretch: tuple[int, int] = (0, 0)


def _per_grid(quantity: str, values: dict[int, float], tolerance: float) -> tuple[ReferenceValue, ...]:
    return tuple(ReferenceValue(quantity, grid, value, tolerance) for grid, value in values.items())


REFERENCE_VALUES: dict[str, tuple[ReferenceValue, ...]] = {
    "k4b0": (
        ReferenceValue("sigma", 0, 6.33, 0.06),
        ReferenceValue("enstrophy", 0, 20.1, 0.12),
        *_per_grid("kurtosis", {32: 4.6, 64: 4.3, 128: 4.1}, 0.3),
        *_per_grid("exceedance_3", {32: 0.0066, 64: 0.0067, 128: 0.0070}, 0.8),
        *_per_grid("enstrophy_fraction", {16: 0.795, 32: 0.891, 64: 0.947, 128: 0.981}, 0.04),
        ReferenceValue("slope", 0, -1.71, 0.15, (8, 60)),
    ),
    "k4b20": (
        ReferenceValue("sigma", 0, 10.67, 0.06),
        ReferenceValue("enstrophy", 0, 56.9, 0.12),
        *_per_grid("kurtosis", {32: 2.33, 64: 2.25, 128: 2.25}, 0.15),
    ),
    "k25b0": (
        ReferenceValue("sigma", 0, 13.88, 0.05),
        ReferenceValue("enstrophy", 0, 96.4, 0.10),
        *_per_grid("kurtosis", {32: 3.15, 64: 5.38, 128: 6.65}, 0.35),
        *_per_grid("exceedance_3", {64: 0.0057, 128: 0.0122}, 0.6),
        *_per_grid("enstrophy_fraction", {16: 0.265, 32: 0.505, 64: 0.786, 128: 0.917}, 0.12),
        ReferenceValue("slope", 0, -2.17, 0.12, (35, 150)),
    ),
}


def measured(reference: Reference, wanted: ReferenceValue) -> float:
    """What the reference file says of that quantity; InputError for a quantity that it does not have."""
    level = reference.level(wanted.grid) if wanted.grid and wanted.quantity != "enstrophy_fraction" else 0
    spectrum = reference["enstrophy_mean"]
    quantities = {
        "sigma": lambda: reference["moments"][level, 0],
        "enstrophy": lambda: reference["enstrophy_shell"].sum(),
        "kurtosis": lambda: reference["moments"][level, 2],
        "exceedance_3": lambda: reference["exceedance"][level, 0],
        "exceedance_4": lambda: reference["exceedance"][level, 1],
        "enstrophy_fraction": lambda: enstrophy_fraction(spectrum, wanted.grid),
        "slope": lambda: slope(spectrum, *wanted.stretch),
    }
    if wanted.quantity not in quantities:
        raise InputError(f"Unknown quantity {wanted.quantity!r}; known: {', '.join(quantities)}.")
    return float(quantities[wanted.quantity]())


def compare(reference: Reference) -> list[tuple[ReferenceValue, float, bool]]:
    """(expected, found, whether within the band) for every figure known of the reference's case."""
    rows = []
    for wanted in REFERENCE_VALUES.get(reference.attributes["case"], ()):
        found = measured(reference, wanted)
        rows.append((wanted, found, abs(found - wanted.value) <= wanted.tolerance * abs(wanted.value)))
    return rows
