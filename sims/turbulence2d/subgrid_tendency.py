"""Exact subgrid tendency Π from a fine field: what an LES lacks, in the form that its right-hand side takes.

With G the filter (a smooth kernel, then truncation to the modes that the LES carries) and A(ω) = −u·∇ω,
free of aliasing,

    ∂(Gω)/∂t = A_LES(Gω) + linear terms + GF + Π        Π = G A(ω) − A_LES(Gω)

so Π is ADDED to the right-hand side of the LES. A_LES keeps the modes that the LES carries: |k| < N_c/2, or
the two thirds of a dealiased LES. Labels for learning take a smooth kernel at least 2Δ_c wide (Δ_c =
2π/N_c): with narrower ones, and with block means, they are mostly aliasing noise. `flux_tendency` is the
textbook variant −∇·(G(uω) − Gu Gω) in which G is the smooth kernel alone and truncation comes last; it
differs by the triads that the truncation removes.
"""

from typing import Any

import numpy as np

from ...contracts.errors import InputError
from .filtering import carried_mask, coarse_grain, resample_hat
from .numerics import carried_wavenumber
from .statistics.spectra import velocity_hat, wavenumbers

Array = Any


def product_grid(highest: int) -> int:
    """Smallest size 2^a or 3·2^a, a ≥ 1, on which a product of modes ≤ `highest` is exact on them."""
    needed = 3 * highest + 1
    sizes = (factor * 2**power for power in range(1, 32) for factor in (1, 3))
    return min(size for size in sizes if size >= needed)


def to_grid(field_hat: Array) -> Array:
    """Values on the grid, [..., y, x], of a half spectrum [..., ky, kx]."""
    xp = field_hat.__array_namespace__()
    return xp.fft.irfft2(field_hat, s=(field_hat.shape[-2], field_hat.shape[-2]), axes=(-2, -1))


def flux_divergence(u: Array, v: Array, scalar: Array) -> Array:
    """Half spectrum of −∂(u s)/∂x − ∂(v s)/∂y from values on the grid, [..., ky, kx]."""
    xp = scalar.__array_namespace__()
    ky, kx = wavenumbers(scalar.shape[-2])
    return -1j * (kx * xp.fft.rfft2(u * scalar) + ky * xp.fft.rfft2(v * scalar))


def advection(vorticity_hat: Array, highest: int) -> Array:
    """A(ω) = −u·∇ω of the modes ≤ `highest` on those modes, free of aliasing, on the grid of the argument."""
    grid = vorticity_hat.shape[-2]
    carried = carried_mask(grid, highest)
    # The product is exact on the modes ≤ highest of any grid with more than 3·highest points.
    padded = resample_hat(vorticity_hat * carried, grid if grid > 3 * highest else product_grid(highest))
    u_hat, v_hat = velocity_hat(padded)
    product = flux_divergence(to_grid(u_hat), to_grid(v_hat), to_grid(padded))
    return resample_hat(product, grid) * carried


def subgrid_tendency(
    vorticity_hat: Array,
    *,
    coarse: int,
    transfer: np.ndarray,
    fine_highest: int,
    coarse_highest: int | None = None,
) -> tuple[Array, Array]:
    """(Gω, Π) on `coarse` points per side, each [..., ky, kx], for an LES that carries modes ≤
    `coarse_highest`.

    vorticity_hat: fine field, [..., ky, kx].
    transfer: smooth kernel on the fine grid (ones: sharp cut alone).
    fine_highest: highest mode that the DNS carries.
    coarse_highest: default N_c/2 − 1.
    """
    highest = carried_wavenumber(coarse, "none") if coarse_highest is None else coarse_highest
    if highest > carried_wavenumber(coarse, "none"):
        raise InputError(
            f"a grid of {coarse} points carries modes up to {coarse // 2 - 1}, asked for {highest}"
        )
    mask = carried_mask(coarse, highest)
    filtered = coarse_grain(vorticity_hat, coarse, transfer) * mask
    filtered_advection = coarse_grain(advection(vorticity_hat, fine_highest), coarse, transfer) * mask
    return filtered, filtered_advection - advection(filtered, highest)


def refilter_pair(
    filtered_hat: Array, tendency_hat: Array, *, ratio: np.ndarray, highest: int
) -> tuple[Array, Array]:
    """The pair (G'ω, Π') of another filter and truncation, from (Gω, Π) that carries all of |k| < N_c/2.

    With R = Ĝ'/Ĝ and P the projection on modes ≤ `highest`: Π' = P R[Π + A(Gω)] − A'(P R Gω), exactly. This
    is how the pairs of a reference file become labels for a dealiased LES (`highest` = ⌊(N_c−1)/3⌋).

    ratio: R on the half spectrum, [ky, kx].
    """
    grid = filtered_hat.shape[-2]
    kept = carried_mask(grid, highest) * ratio
    filtered_advection = tendency_hat + advection(filtered_hat, carried_wavenumber(grid, "none"))
    refiltered = filtered_hat * kept
    return refiltered, filtered_advection * kept - advection(refiltered, highest)


def flux_tendency(vorticity_hat: Array, *, coarse: int, transfer: np.ndarray) -> Array:
    """−∇·(G(uω) − Gu Gω) with the smooth kernel `transfer` on the fine grid, then truncated, [..., ky, kx].

    Products are formed on the fine grid, whose modes must be well below its Nyquist wavenumber (a dealiased
    DNS).
    """
    filtered = vorticity_hat * transfer
    fluxes = [
        flux_divergence(to_grid(u_hat), to_grid(v_hat), to_grid(field))
        for field in (vorticity_hat, filtered)
        for u_hat, v_hat in [velocity_hat(field)]
    ]
    return coarse_grain(fluxes[0] * transfer - fluxes[1], coarse)
