"""Pairs of filtered vorticity and exact subgrid tendency, as a reference file of a DNS holds them."""

from dataclasses import dataclass

import numpy as np

from ..contracts.errors import InputError
from ..contracts.reference import Reference
from ..sims.turbulence2d.cases import get_case
from ..sims.turbulence2d.filtering import gaussian, resample_hat
from ..sims.turbulence2d.numerics import Numerics, carried_wavenumber, check_grid
from ..sims.turbulence2d.subgrid_tendency import refilter_pair


@dataclass(frozen=True)
class Pairs:
    """Filtered vorticity and exact subgrid tendency, each (pairs, grid, grid) float32; `width` is Δ_f."""

    vorticity: np.ndarray
    tendency: np.ndarray
    held_out: np.ndarray
    width: float
    carried: int

    def subset(self, *, held_out: bool) -> tuple[np.ndarray, np.ndarray]:
        """The pairs for testing, or those for training."""
        chosen = self.held_out == held_out
        return self.vorticity[chosen], self.tendency[chosen]


def load_pairs(
    reference: Reference, *, grid: int, dealiasing: str, filter_width: float | None = None
) -> Pairs:
    """The pairs of a reference file, refiltered and cut to the modes that the LES carries, on its grid.

    filter_width: Δ_f in grid spacings of the pairs; None for the width that they have.

    Raises InputError for a grid that cannot carry the forcing, or needs more than the pairs hold.
    """
    case = get_case(reference.attributes["case"])
    check_grid(case, grid, Numerics(dt=1.0, dealiasing=dealiasing))
    stored_carried = int(reference.attributes["pair_largest_wavenumber"])
    stored_width = float(reference.attributes["pair_filter_width"])
    pair_grid = reference["pairs/vorticity"].shape[-1]
    carried = carried_wavenumber(grid, dealiasing)
    if carried > stored_carried:
        raise InputError(
            f"--grid {grid} with dealiasing {dealiasing} carries |k| up to {carried}, but "
            f"the pairs of the reference hold |k| up to {stored_carried}; take a smaller grid "
            f"(two_thirds: at most {3 * stored_carried + 3}, none: at most {2 * stored_carried + 2})."
        )
    width = stored_width
    if filter_width is not None:
        width = filter_width * 2 * np.pi / pair_grid
        if width < stored_width:
            raise InputError(
                f"--filter-width: found {filter_width}, but the pairs were filtered with "
                f"{stored_width * pair_grid / 2 / np.pi:g} grid spacings; expected at least that."
            )
    hats = refilter_pair(
        np.fft.rfft2(reference["pairs/vorticity"].astype(np.float64)),
        np.fft.rfft2(reference["pairs/tendency"].astype(np.float64)),
        ratio=gaussian(pair_grid, width) / gaussian(pair_grid, stored_width),
        highest=carried,
    )
    shape = (grid, grid)
    vorticity, tendency = (np.fft.irfft2(resample_hat(hat, grid), s=shape).astype(np.float32) for hat in hats)
    return Pairs(vorticity, tendency, reference["pairs/held_out"].astype(bool), width, carried)
