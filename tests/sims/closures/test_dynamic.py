"""The dynamic coefficient against an independent evaluation of the Germano identity with full fft2."""

import numpy as np
import pytest

from subgrid.sims.closures import get_closure
from subgrid.sims.turbulence2d.grid import Grid
from subgrid.sims.turbulence2d.initial import random_vorticity, taylor_green


def reference_coefficient(vorticity, power, clipping):
    """docs/physics/turbulence2d.md, written out with fft2 on all modes of a field without Nyquist modes."""
    n = vorticity.shape[0]
    k = np.fft.fftfreq(n, 1.0 / n)
    kx, ky = k[None, :], k[:, None]
    k2 = kx**2 + ky**2
    safe = np.where(k2 > 0, k2, 1.0)
    cut = (np.abs(kx) < n / 4) & (np.abs(ky) < n / 4)

    def field(hat):
        return np.fft.ifft2(hat).real

    def test(values):
        return field(np.fft.fft2(values) * cut)

    def parts(omega):
        hat = np.fft.fft2(omega)
        psi = -hat / safe
        u, v = field(-1j * ky * psi), field(1j * kx * psi)
        omega_x, omega_y = field(1j * kx * hat), field(1j * ky * hat)
        u_x, u_y, v_x = field(kx * ky * psi), field(ky**2 * psi), field(-(kx**2) * psi)
        strain = 2.0 * np.sqrt(u_x**2 + (0.5 * (u_y + v_x)) ** 2)
        scale = strain if power == 2 else np.hypot(omega_x, omega_y)
        return u * omega_x + v * omega_y, scale, field(-k2 * hat)

    width = 2 * np.pi / n
    advection, scale, laplacian = parts(vorticity)
    advection_f, scale_f, laplacian_f = parts(test(vorticity))
    leonard = test(advection) - advection_f
    model = width**power * test(scale * laplacian) - (2 * width) ** power * scale_f * laplacian_f
    product = leonard * model
    if clipping == "pointwise":
        product = np.where(product > 0, product, 0.0)
    return product.mean() / (model**2).mean()


@pytest.mark.parametrize("clipping", ["pointwise", "none"])
@pytest.mark.parametrize(("name", "power"), [("dynamic_smagorinsky", 2), ("dynamic_leith", 3)])
@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_coefficient_satisfies_the_germano_identity(make_flow, name, power, clipping, dealiasing):
    flow = make_flow(random_vorticity(32, seed=7), dealiasing)
    carried = np.asarray(flow.vorticity())
    expected = reference_coefficient(carried, power, clipping)
    closure = get_closure(name, clipping=clipping)
    assert float(closure.coefficient(flow)) == pytest.approx(expected, rel=1e-10)
    if clipping == "pointwise":
        assert expected > 0.0


@pytest.mark.parametrize("name", ["dynamic_smagorinsky", "dynamic_leith"])
def test_flow_without_advection_needs_no_closure(make_flow, name):
    # Taylor-Green: u·∇ω = 0 at both levels, so L = 0 and c = 0 though M is not.
    flow = make_flow(taylor_green(32, 3, amplitude=5.0))
    assert abs(float(get_closure(name, clipping="none").coefficient(flow))) < 1e-12


@pytest.mark.parametrize("name", ["dynamic_smagorinsky", "dynamic_leith"])
def test_unclipped_coefficient_may_be_negative(make_flow, name):
    closure = get_closure(name, clipping="none")
    values = [float(closure.coefficient(make_flow(random_vorticity(32, seed, 3.0)))) for seed in range(12)]
    assert min(values) < 0.0 < max(values)


@pytest.mark.parametrize("name", ["dynamic_smagorinsky", "dynamic_leith"])
def test_coefficient_has_no_dimension(make_flow, name):
    field = random_vorticity(32, seed=1, peak_wavenumber=3)
    closure = get_closure(name)
    value = float(closure.coefficient(make_flow(field)))
    assert float(closure.coefficient(make_flow(field / 3.0))) == pytest.approx(value, rel=1e-12)
    halved = np.tile(field, (2, 2))  # the same flow at half the length on half the spacing
    assert Grid(64).spacing == pytest.approx(0.5 * Grid(32).spacing)
    assert float(closure.coefficient(make_flow(halved, "none"))) == pytest.approx(
        float(closure.coefficient(make_flow(field, "none"))), rel=1e-10
    )
