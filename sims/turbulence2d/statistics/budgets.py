"""Budgets of energy and enstrophy of the forced β-plane equation.

    d/dt ½⟨ω²⟩      = ⟨ωF⟩    − ν⟨|∇ω|²⟩ − r⟨ω²⟩
    d/dt ½⟨u² + v²⟩ = ⟨−ψF⟩   − ν⟨ω²⟩    − r⟨u² + v²⟩

Advection and the β-term drop out of both. Terms are signed: injection positive on average, losses negative.
"""

from ..cases import Case
from ..grid import Grid, expand, forcing_hat
from .spectra import Array, inverse_square_wavenumber, mode_energy, mode_enstrophy, mode_sum, wavenumbers
from .transfer import mode_enstrophy_transfer

BUDGET_TERMS = ("injection", "viscous", "drag")


def budgets(vorticity_hat: Array, case: Case) -> tuple[Array, Array]:
    """(enstrophy, energy) budget terms, each [..., 3] in the order of `BUDGET_TERMS`; dimensionless rates."""
    xp = vorticity_hat.__array_namespace__()
    grid = vorticity_hat.shape[-2]
    ky, kx = wavenumbers(grid)
    forcing = xp.asarray(expand(forcing_hat(Grid(grid, "none"), case), grid)) + 0j
    injected = mode_enstrophy_transfer(vorticity_hat, xp.broadcast_to(forcing, vorticity_hat.shape))
    enstrophy, energy = mode_enstrophy(vorticity_hat), mode_energy(vorticity_hat)
    terms_enstrophy = [
        mode_sum(injected),
        -2.0 * case.viscosity * mode_sum(enstrophy * (kx**2 + ky**2)),
        -2.0 * case.drag * mode_sum(enstrophy),
    ]
    terms_energy = [
        mode_sum(injected * inverse_square_wavenumber(grid)),
        -2.0 * case.viscosity * mode_sum(enstrophy),
        -2.0 * case.drag * mode_sum(energy),
    ]
    return xp.stack(terms_enstrophy, axis=-1), xp.stack(terms_energy, axis=-1)
