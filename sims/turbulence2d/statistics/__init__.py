"""Statistics of two-dimensional turbulence: spectra, transfer, distribution, and their accumulation over
time.

Every function takes NumPy or JAX arrays (also inside `jit`) and answers in kind; leading axes are a
batch (under strict rank promotion, `vmap` does it).
"""

from .accumulate import BlockMeans, SnapshotReservoir
from .bootstrap import confidence_band, moving_block_means, standard_error
from .budgets import budgets
from .distribution import HistogramBins, exceedance, histogram, raw_moments, shape_moments
from .spectra import (
    direction_spectra,
    mode_energy,
    mode_enstrophy,
    mode_sum,
    shell_count,
    shell_spectrum,
    velocity_hat,
)
from .transfer import mode_energy_transfer, mode_enstrophy_transfer

__all__ = [
    "BlockMeans",
    "HistogramBins",
    "SnapshotReservoir",
    "budgets",
    "confidence_band",
    "direction_spectra",
    "exceedance",
    "histogram",
    "mode_energy",
    "mode_energy_transfer",
    "mode_enstrophy",
    "mode_enstrophy_transfer",
    "mode_sum",
    "moving_block_means",
    "raw_moments",
    "shape_moments",
    "shell_count",
    "shell_spectrum",
    "standard_error",
    "velocity_hat",
]
