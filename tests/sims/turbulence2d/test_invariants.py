"""Advection conserves what its form can: enstrophy always, energy where products hold no aliases."""

import numpy as np
import pytest

from subgrid.sims.turbulence2d.cases import Case
from subgrid.sims.turbulence2d.grid import Grid, expand
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics

IDEAL = Case("ideal", 0, 0.0, 0.0, 0.0, "inviscid, unforced")


def advection_hat(solver, field, dealiasing):
    """Â of a field: what one step of ab2cn leaves for the next."""
    numerics = Numerics(1e-3, "ab2cn", dealiasing)
    state = solver.initial_state(field, numerics)
    after = solver.make_step(IDEAL, field.shape[0], numerics)(state)
    return np.asarray(state.vorticity_hat), np.asarray(after.previous_advection_hat)


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_advection_creates_no_enstrophy_and_dealiased_no_energy(solver, inner, stream_hat, dealiasing):
    # A flat spectrum up to the largest carried wavenumber, so that aliasing is as bad as it gets.
    field = np.random.default_rng(3).standard_normal((32, 32))
    vorticity_hat, advection = advection_hat(solver, field, dealiasing)
    psi_hat = stream_hat(vorticity_hat, dealiasing)
    size = np.sqrt(inner(advection, advection))
    if dealiasing == "two_thirds":
        assert abs(inner(psi_hat, advection)) < 1e-14 * size * np.sqrt(inner(psi_hat, psi_hat))
    assert abs(inner(vorticity_hat, advection)) < 1e-14 * size
    assert abs(advection[0, 0]) == 0.0


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_inviscid_run_keeps_its_invariants(solver, inner, stream_hat, dealiasing):
    numerics = Numerics(1e-3, "ifrk4", dealiasing)
    start = solver.initial_state(random_vorticity(32, seed=8, peak_wavenumber=5), numerics)
    end = solver.march(solver.make_step(IDEAL, 32, numerics), start, 1000)

    def invariants(state):
        hat = np.asarray(state.vorticity_hat)
        return inner(hat, hat), -inner(stream_hat(hat, dealiasing), hat)

    assert np.linalg.norm(np.asarray(end.vorticity_hat - start.vorticity_hat)) > 0.1 * np.linalg.norm(
        np.asarray(start.vorticity_hat)
    )
    (enstrophy, energy), (enstrophy_before, energy_before) = invariants(end), invariants(start)
    assert enstrophy == pytest.approx(enstrophy_before, rel=1e-9)
    if dealiasing == "two_thirds":
        assert energy == pytest.approx(energy_before, rel=1e-9)


def test_dealiased_product_equals_the_padded_one(solver):
    n, fine = 32, 64
    field = np.random.default_rng(1).standard_normal((n, n))
    vorticity_hat, advection = advection_hat(solver, field, "two_thirds")
    grid, big = Grid(n), Grid(fine, "none")
    rows = np.rint(grid.ky[:, 0]).astype(int)
    padded = np.zeros((fine, fine // 2 + 1), dtype=complex)
    padded[rows, : grid.carried + 1] = vorticity_hat * (fine / n) ** 2
    kx, ky = np.arange(fine // 2 + 1)[None, :], big.ky
    stream = padded / np.where(kx**2 + ky**2 > 0, kx**2 + ky**2, 1)

    def on_grid(spectrum):
        return np.fft.irfft2(spectrum, s=(fine, fine))

    product = on_grid(1j * ky * stream) * on_grid(1j * kx * padded)
    product += on_grid(-1j * kx * stream) * on_grid(1j * ky * padded)
    exact = -np.fft.rfft2(product)[rows, : grid.carried + 1] * grid.mask * (n / fine) ** 2
    np.testing.assert_allclose(advection, exact, atol=1e-13 * np.abs(exact).max())


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_modes_that_are_not_carried_stay_zero(solver, dealiasing):
    case, numerics = Case("forced", 4, 20.0, 5e-5, 0.1, ""), Numerics(1e-3, "ifrk4", dealiasing)
    state = solver.initial_state(np.random.default_rng(1).standard_normal((16, 16)), numerics)
    state = solver.march(solver.make_step(case, 16, numerics), state, 5)
    hat, grid = np.asarray(state.vorticity_hat), Grid(16, dealiasing)
    assert np.all(hat[grid.mask == 0.0] == 0.0)
    full = np.fft.rfft2(np.asarray(solver.vorticity(state)))
    np.testing.assert_allclose(full, expand(hat, 16), atol=1e-12 * np.abs(full).max())
