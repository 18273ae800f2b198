"""Products with DFT matrices, which accelerators use on small grids, are the FFT to rounding."""

import jax
import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d import jax_solver, transforms
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.initial import random_vorticity
from subgrid.sims.turbulence2d.numerics import Numerics


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("n", "columns"), [(8, 5), (32, 11), (32, 17)])
def test_matrices_are_the_fft(n, columns, precision):
    rng, close = np.random.default_rng(n), 100 * np.finfo(precision).eps
    field = rng.standard_normal((3, n, n)).astype(precision)
    # The imaginary parts at kx = 0 and N/2 belong to no field: both forms must drop them alike.
    spectrum = rng.standard_normal((2, n, columns)) + 1j * rng.standard_normal((2, n, columns))
    full = np.pad(spectrum, [(0, 0), (0, 0), (0, n // 2 + 1 - columns)])

    hat = transforms.spectrum_by_matrices(jax.numpy.asarray(field), columns)
    expected_hat = np.fft.rfft2(field.astype("float64"))[..., :columns]
    np.testing.assert_allclose(hat, expected_hat, atol=close * np.abs(expected_hat).max())
    assert hat.dtype == np.result_type(precision, np.complex64)

    back = transforms.grid_by_matrices(jax.numpy.asarray(spectrum, hat.dtype))
    expected = np.fft.irfft2(full, s=(n, n))
    np.testing.assert_allclose(back, expected, atol=close * np.abs(expected).max())
    assert back.dtype == precision


def test_an_ensemble_marches_alike_with_both(monkeypatch):
    numerics = Numerics(1e-2, "ifrk4", "none")
    start = jax_solver.initial_state(np.stack([random_vorticity(16, seed=s) for s in range(2)]), numerics)

    def end():
        step = jax_solver.make_step(get_case("k4b0"), 16, numerics, get_closure("vortex_sparing"))
        return np.asarray(jax_solver.vorticity(jax_solver.march(step, start, 50)))

    by_fft = end()
    products = []
    monkeypatch.setattr(transforms, "_by_matrices", lambda n: products.append(n) or True)
    np.testing.assert_allclose(end(), by_fft, atol=1e-11)
    assert products
