"""Eddy viscosities against analytic flows, and how they scale with length, time and constant."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgrid.sims.closures import eddy_viscosity, flow, get_closure
from subgrid.sims.turbulence2d.grid import Grid
from subgrid.sims.turbulence2d.initial import random_vorticity, taylor_green


def viscosity_of(pi_hat, some_flow):
    """ν_e of a Π̂ = −ν_e k² ω̂, and the check that it has this form."""
    reference = -np.asarray(some_flow.operators.k2 * some_flow.vorticity_hat)
    value = np.vdot(reference, pi_hat).real / np.vdot(reference, reference).real
    np.testing.assert_allclose(pi_hat, value * reference, atol=1e-12 * np.abs(reference).max())
    return value


def test_smagorinsky_of_a_shear_flow(make_flow):
    # u = U cos(ky): |S| = |∂u/∂y|, whose rms is Uk/√2.
    n, k, speed = 32, 3, 2.0
    y = Grid(n).x[:, None] + np.zeros((1, n))
    some = make_flow(speed * k * np.sin(k * y))
    np.testing.assert_allclose(np.asarray(some.u), speed * np.cos(k * y), atol=1e-13)
    expected = (0.11 * 2 * np.pi / n) ** 2 * speed * k / np.sqrt(2)
    assert viscosity_of(np.asarray(get_closure("smagorinsky")(some)), some) == pytest.approx(
        expected, rel=1e-12
    )


def test_leith_of_a_shear_flow(make_flow):
    # |∇ω| = U k² |cos(ky)|; its mean over points, not rms, is what counts.
    n, k, speed = 32, 3, 2.0
    y = Grid(n).x[:, None] + np.zeros((1, n))
    some = make_flow(speed * k * np.sin(k * y))
    expected = (0.17 * 2 * np.pi / n) ** 3 * np.mean(speed * k**2 * np.abs(np.cos(k * y)))
    assert viscosity_of(np.asarray(get_closure("leith")(some)), some) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dealiasing", ["two_thirds", "none"])
def test_rms_strain_is_rms_vorticity(make_flow, dealiasing):
    some = make_flow(random_vorticity(32, seed=0), dealiasing)
    strain = np.sqrt(np.mean(np.asarray(flow.strain_norm(some)) ** 2))
    assert strain == pytest.approx(np.sqrt(float(flow.mean_square_vorticity(some))), rel=1e-13)
    assert strain == pytest.approx(np.sqrt(np.mean(np.asarray(some.vorticity()) ** 2)), rel=1e-13)


def test_strain_is_that_of_the_velocity(make_flow):
    some = make_flow(taylor_green(32, 2))
    x = Grid(32).x
    # ω = cos 2x cos 2y, ψ = −ω/8: u = −∂ψ/∂y, so S11 = ∂u/∂x = −∂xyψ = ½ sin 2x sin 2y; S12 = 0.
    s11, s12 = (np.asarray(s) for s in flow.strain(some))
    np.testing.assert_allclose(s11, 0.5 * np.sin(2 * x)[:, None] * np.sin(2 * x)[None, :], atol=1e-14)
    np.testing.assert_allclose(s12, 0.0, atol=1e-14)


def test_local_form_with_a_uniform_field_is_the_uniform_form(make_flow):
    some = make_flow(random_vorticity(32, seed=1))
    local = np.asarray(eddy_viscosity.varying(some, 0.03 * some.operators.xp.ones_like(some.u)))
    uniform = np.asarray(eddy_viscosity.uniform(some, 0.03))
    np.testing.assert_allclose(local, uniform, atol=1e-12 * np.abs(uniform).max())


@pytest.mark.parametrize("scale", [eddy_viscosity.leith_scale, eddy_viscosity.smagorinsky_scale])
def test_local_coefficient_reduces_to_the_global_closure(make_flow, scale):
    name, power = ("leith", 3) if scale is eddy_viscosity.leith_scale else ("smagorinsky", 2)
    some = make_flow(random_vorticity(32, seed=1))
    coefficient = 0.15**power * some.operators.xp.ones_like(some.u)
    local = np.asarray(eddy_viscosity.LocalEddyViscosity(coefficient, scale)(some))
    expected = np.asarray(get_closure(name, constant=0.15)(some))
    np.testing.assert_allclose(local, expected, atol=1e-12 * np.abs(expected).max())


def test_local_eddy_viscosity_drains_energy_where_it_is_positive(make_flow):
    # d/dt ½⟨u²⟩ = −⟨ψΠ⟩ = −⟨2 ν_e S_ij S_ij⟩, term by term, for any field ν_e.
    some = make_flow(random_vorticity(32, seed=1, peak_wavenumber=3))
    grid = Grid(32)
    viscosity = 0.2 + np.cos(grid.x)[None, :] * np.sin(2 * grid.x)[:, None]
    pi_hat = np.asarray(eddy_viscosity.varying(some, some.operators.xp.asarray(viscosity)))
    terms = np.real(np.conj(np.asarray(some.vorticity_hat) * grid.inverse_k2) * pi_hat)
    gain = (2 * terms.sum() - terms[:, 0].sum()) / 32**4
    s11, s12 = (np.asarray(s) for s in flow.strain(some))
    assert gain == pytest.approx(-np.mean(2 * viscosity * (2 * s11**2 + 2 * s12**2)), rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 50), slower=st.floats(0.1, 10.0))
def test_tendencies_scale_with_time_squared(seed, slower):
    # Time × s: ω × 1/s, Π × 1/s², for classical and dynamic constants alike.
    from subgrid.sims.turbulence2d.numpy_solver import make_operators

    operators = make_operators(Grid(16), np.dtype("float64"))
    hat = np.fft.rfft2(random_vorticity(16, seed, peak_wavenumber=4))[:, :6] * operators.mask
    for name in ("smagorinsky", "leith", "dynamic_smagorinsky", "dynamic_leith"):
        closure = get_closure(name)
        pi = closure(flow.Flow.of(hat, operators))
        slow = closure(flow.Flow.of(hat / slower, operators))
        np.testing.assert_allclose(slow * slower**2, pi, atol=1e-10 * np.abs(pi).max() + 1e-300)


@pytest.mark.parametrize(("name", "power"), [("smagorinsky", 2), ("leith", 3)])
def test_constant_enters_with_its_power_and_the_width(make_flow, name, power):
    some = make_flow(taylor_green(32, 2))
    one = np.asarray(get_closure(name, constant=0.1)(some))
    two = np.asarray(get_closure(name, constant=0.2)(some))
    np.testing.assert_allclose(two, 2**power * one, rtol=1e-13)
    # The same flow on twice the points: Δ halves, and so does the length that C Δ stands for.
    finer = make_flow(taylor_green(64, 2))
    fine = viscosity_of(np.asarray(get_closure(name, constant=0.1)(finer)), finer)
    assert fine * 2**power == pytest.approx(viscosity_of(one, some), rel=2e-2)


@pytest.mark.parametrize("name", ["smagorinsky", "leith"])
def test_dimensions_length_times_two(make_flow, name):
    # Waves of half the length on half the spacing: at fixed vorticity ν_e goes with length².
    long, short = make_flow(taylor_green(32, 2)), make_flow(taylor_green(64, 4))
    closure = get_closure(name)
    ratio = viscosity_of(np.asarray(closure(long)), long) / viscosity_of(np.asarray(closure(short)), short)
    assert ratio == pytest.approx(4.0, rel=1e-12)
