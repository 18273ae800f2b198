"""Labels for supervised closures from the pairs of a reference file: other filter widths, other truncations.

The pairs are stored for the widest use (all of |k| < N_c/2, Gaussian width 2Δ_c). A dealiased LES carries
two thirds of the modes, so that its effective spacing is π/K > Δ_c, and the truncation contributes to Π
what no local model can know: on a k4b0 field at N_c = 64 the gradient model GM2 correlates with Π at 0.81,
0.95, 0.98 for widths 2, 2.5 and 3Δ_c if all modes are carried, at 0.50, 0.72, 0.88 if the LES is dealiased.
Wider kernels make cleaner labels and a smoother flow."""

import numpy as np

from ...contracts.errors import InputError
from .filtering import gaussian
from .numerics import Dealiasing, carried_wavenumber
from .subgrid_tendency import refilter_pair


def subgrid_labels(
    vorticity: np.ndarray,
    tendency: np.ndarray,
    *,
    stored_width: float,
    width: float | None = None,
    dealiasing: Dealiasing = "two_thirds",
) -> tuple[np.ndarray, np.ndarray]:
    """(Gω, Π) on the grid, each [pair, y, x] float64, for an LES with `dealiasing` and a Gaussian of `width`.

    vorticity, tendency: `pairs/vorticity` and `pairs/tendency` of the file.   stored_width: its attribute
    `pair_filter_width`.   width: Δ_f ≥ stored_width wanted, default the stored one.
    """
    if vorticity.shape != tendency.shape:
        raise InputError(f"Pairs need equal shapes, found {vorticity.shape} and {tendency.shape}.")
    wanted = stored_width if width is None else width
    if wanted < stored_width:
        raise InputError(
            f"The pairs were filtered with width {stored_width}; labels of width {wanted} are gone."
        )
    grid = vorticity.shape[-1]
    filtered, label = refilter_pair(
        np.fft.rfft2(vorticity.astype(float)),
        np.fft.rfft2(tendency.astype(float)),
        ratio=gaussian(grid, wanted) / gaussian(grid, stored_width),
        highest=carried_wavenumber(grid, dealiasing),
    )
    shape, axes = (grid, grid), (-2, -1)
    return np.fft.irfft2(filtered, s=shape, axes=axes), np.fft.irfft2(label, s=shape, axes=axes)
