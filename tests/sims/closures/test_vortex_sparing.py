"""The vortex-sparing closure: its budgets, its limits, and what it does to a strong vortex."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.closures import get_closure
from subgrid.sims.closures.vortex_sparing import energy_rate
from subgrid.sims.turbulence2d.grid import Grid
from subgrid.sims.turbulence2d.initial import random_vorticity

N = 32
FORM = {"drain": 0.6, "steepness": 2.4, "sparing": 0.4, "core_sparing": 0.5}


def turbulence(scale=5.0):
    return scale * random_vorticity(N, seed=3, peak_wavenumber=5.0)


def with_a_vortex(amplitude):
    """Turbulence and one round vortex; (field, index of its centre)."""
    x = Grid(N).x
    distance2 = (x[None, :] - x[8]) ** 2 + (x[:, None] - x[16]) ** 2
    return turbulence(1.0) + amplitude * np.exp(-distance2 / (2 * 0.35**2)), (16, 8)


def enstrophy_rate(flow, tendency_hat):
    products = np.real(np.conj(np.asarray(flow.vorticity_hat)) * np.asarray(tendency_hat))
    return 2.0 * products.sum() - products[:, 0].sum()


@pytest.mark.parametrize("returned", [0.0, 0.6, 1.0])
def test_without_sparing_it_is_jansen_and_held(make_flow, returned):
    flow = make_flow(turbulence(), "none")
    constants = {"drain": 0.25, "returned": returned, "steepness": 2.0, "return_exponent": 2.0}
    found = np.asarray(get_closure("vortex_sparing", core_sparing=0.0, **constants)(flow))
    hat, k2 = np.asarray(flow.vorticity_hat), np.asarray(flow.operators.k2)
    weight = np.where(np.asarray(flow.operators.kx) > 0, 2.0, 1.0) * abs(hat) ** 2
    sigma = np.sqrt(weight.sum()) / N**2
    viscosity = 0.25 * sigma * (flow.operators.spacing / np.pi) ** 4
    expected = -viscosity * (k2**2 - returned * (weight * k2).sum() / weight.sum() * k2) * hat
    np.testing.assert_allclose(found, expected, atol=1e-11 * abs(expected).max())


@pytest.mark.parametrize("weighting", [-0.3, 0.0, 0.9])
@pytest.mark.parametrize("returned", [0.0, 0.5, 1.0])
def test_the_returned_share_of_the_energy_is_exact(make_flow, returned, weighting):
    flow = make_flow(turbulence())
    form = FORM | {"weighting": weighting, "saturation": 0.05, "ceiling": 4.0}
    drained = float(energy_rate(flow, get_closure("vortex_sparing", returned=0.0, **form)(flow)))
    found = float(energy_rate(flow, get_closure("vortex_sparing", returned=returned, **form)(flow)))
    assert drained < 0.0
    assert found == pytest.approx((1.0 - returned) * drained, abs=1e-11 * abs(drained))


def test_any_field_of_drain_takes_enstrophy(make_flow):
    flow = make_flow(turbulence())
    drain = flow.operators.xp.asarray(np.random.default_rng(0).uniform(0.0, 1.0, (N, N)))
    closure = get_closure("vortex_sparing", **FORM | {"drain": drain, "returned": 0.0})
    assert enstrophy_rate(flow, closure(flow)) < 0.0


def test_vortices_are_spared_and_fed_but_not_beyond_the_ceiling(make_flow):
    field, centre = with_a_vortex(20.0)
    flow = make_flow(field)

    def change(**constants):
        closure = get_closure("vortex_sparing", **FORM | {"returned": 0.0} | constants)
        return float(np.asarray(flow.operators.to_grid(closure(flow)))[centre])

    plain = change(sparing=0.0, core_sparing=0.0)
    assert plain < 0.0
    assert abs(change()) < 0.2 * abs(plain)
    assert change(ceiling=0.5) == pytest.approx(plain, rel=0.1)
    assert change(returned=1.0, weighting=1.0) > change(returned=1.0, weighting=0.0)
    assert change(returned=1.0, weighting=1.0, ceiling=0.5) < change(returned=1.0, weighting=1.0)


def test_constants_have_no_dimension(make_flow):
    closure = get_closure("vortex_sparing", weighting=0.5, saturation=0.1, ceiling=3.0)
    once, twice = (np.asarray(closure(make_flow(scale * turbulence()))) for scale in (1.0, 2.0))
    np.testing.assert_allclose(twice, 4.0 * once, atol=1e-10 * abs(twice).max())


def test_anisotropy_drains_variation_along_x_more(make_flow):
    x = Grid(N).x
    wave = np.cos(7 * x)[None, :] + np.cos(7 * x)[:, None]
    flow = make_flow(np.broadcast_to(wave, (N, N)).copy(), "none")
    found = np.asarray(
        get_closure("vortex_sparing", returned=0.0, core_sparing=0.0, anisotropy=0.5)(flow)
        / flow.operators.xp.where(abs(flow.vorticity_hat) > 1.0, flow.vorticity_hat, 1.0)
    )
    assert found[0, 7].real == pytest.approx(3.0 * found[7, 0].real, rel=1e-9)


@pytest.mark.parametrize(
    ("constant", "value"), [("sparing", -0.1), ("saturation", -1.0), ("ceiling", 0.0), ("anisotropy", 1.5)]
)
def test_constants_out_of_range_are_named(constant, value):
    with pytest.raises(InputError, match=f"{constant} = "):
        get_closure("vortex_sparing", **{constant: value})
