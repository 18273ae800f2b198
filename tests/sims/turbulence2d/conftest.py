"""Both Python twins behind one fixture, and the quadratic invariants of a spectrum."""

import importlib

import numpy as np
import pytest

from subgrid.sims.turbulence2d.grid import Grid


@pytest.fixture(params=["numpy_solver", "jax_solver"])
def solver(request):
    if request.param == "jax_solver":
        pytest.importorskip("jax")
    return importlib.import_module(f"subgrid.sims.turbulence2d.{request.param}")


@pytest.fixture
def inner():
    """⟨ab⟩ over the domain of two real fields given by their spectra (N, K+1)."""

    def mean_product(a_hat, b_hat) -> float:
        a_hat, b_hat = np.asarray(a_hat), np.asarray(b_hat)
        terms = np.real(np.conj(a_hat) * b_hat)
        return float((2.0 * terms.sum() - terms[:, 0].sum()) / a_hat.shape[0] ** 4)

    return mean_product


@pytest.fixture
def stream_hat():
    """ψ̂ = −ω̂/k² of a spectrum (N, K+1)."""

    def of(vorticity_hat, dealiasing):
        return -np.asarray(vorticity_hat) * Grid(vorticity_hat.shape[0], dealiasing).inverse_k2

    return of
