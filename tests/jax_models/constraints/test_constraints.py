"""Each last layer makes its law true for any network output, and leaves lawful outputs alone."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.variables import GRAVITY, LEVELS, SHORTWAVE, STEP_S, SURFACE_OUT
from subgrid.jax_models.constraints.column_water import ColumnWater
from subgrid.jax_models.constraints.levels import HybridLevels
from subgrid.jax_models.constraints.microphysics import CondensateSplit
from subgrid.jax_models.constraints.positivity import (
    NonNegativeSurface,
    PositiveWater,
    SnowWithinPrecipitation,
    ZeroLevels,
)
from subgrid.jax_models.constraints.shortwave import BANDS, DarkAtNight, NetShortwave
from subgrid.jax_models.constraints.tropopause import DryStratosphere
from subgrid.jax_models.data.derived import liquid_fraction

pytestmark = pytest.mark.usefixtures("quick_compilation")

BATCH = 6
SIGMA = np.linspace(1e-4, 1, LEVELS + 1)
LEVELS_OF = HybridLevels.of(
    SimpleNamespace(
        hyai=np.zeros(61), hybi=SIGMA, hyam=np.zeros(60), hybm=0.5 * (SIGMA[1:] + SIGMA[:-1]), P0=1e5
    )
)


@pytest.fixture
def columns():
    rng = np.random.default_rng(0)

    def profile(low, high):
        return jnp.asarray(rng.uniform(low, high, (BATCH, LEVELS)), jnp.float32)

    def scalar(low, high):
        return jnp.asarray(rng.uniform(low, high, (BATCH, 1)), jnp.float32)

    inputs = {"state_t": profile(220, 300), "state_ps": scalar(9e4, 1.02e5)}
    inputs |= {f"state_q000{i}": profile(0, 1e-4) for i in (1, 2, 3)}
    inputs |= {albedo: scalar(0, 1) for _, albedo in BANDS}
    inputs["pbuf_COSZRS"] = jnp.asarray([[0.0], [0.5], [0.0], [1.0], [1e-6], [0.2]], jnp.float32)
    outputs = {"ptend_t": profile(-1e-4, 1e-4)} | {
        f"ptend_{q}": profile(-1e-6, 1e-6) for q in ("q0001", "qn")
    }
    outputs |= {f"ptend_{w}": profile(-1e-4, 1e-4) for w in "uv"}
    outputs |= {name: scalar(-100, 400) for name in SURFACE_OUT}
    return inputs, outputs


def split_outputs(inputs, outputs):
    return CondensateSplit()(inputs, outputs)


def test_split_conserves_condensate_and_follows_temperature(columns):
    inputs, outputs = columns
    done = split_outputs(inputs, outputs)
    assert "ptend_qn" not in done
    np.testing.assert_allclose(
        done["ptend_q0002"] + done["ptend_q0003"], outputs["ptend_qn"], rtol=1e-3, atol=2e-12
    )
    liquid = inputs["state_q0002"] + STEP_S * done["ptend_q0002"]
    ice = inputs["state_q0003"] + STEP_S * done["ptend_q0003"]
    fraction = liquid_fraction(inputs["state_t"] + STEP_S * outputs["ptend_t"])
    np.testing.assert_allclose(liquid, fraction * (liquid + ice), atol=1e-9)


def test_no_water_is_negative_after_the_step(columns):
    inputs, outputs = columns
    done = PositiveWater()(inputs, outputs)
    assert bool((inputs["state_q0001"] + STEP_S * outputs["ptend_q0001"] < 0).any())
    assert bool((inputs["state_q0001"] + STEP_S * done["ptend_q0001"] >= 0).all())
    halves = PositiveWater()(inputs, split_outputs(inputs, done))
    for species in ("q0002", "q0003"):
        assert bool((inputs[f"state_{species}"] + STEP_S * halves[f"ptend_{species}"] >= 0).all())
    moistening = outputs["ptend_q0001"] > 0
    np.testing.assert_array_equal(done["ptend_q0001"][moistening], outputs["ptend_q0001"][moistening])


def test_surface_laws(columns):
    inputs, outputs = columns
    done = SnowWithinPrecipitation()(inputs, NonNegativeSurface()(inputs, outputs))
    assert all(bool((done[name] >= 0).all()) for name in SURFACE_OUT)
    assert bool((done["cam_out_PRECSC"] <= done["cam_out_PRECC"]).all())
    assert bool((outputs["cam_out_FLWDS"] < 0).any())


def test_night_is_dark_and_day_is_untouched(columns):
    inputs, outputs = columns
    done = DarkAtNight()(inputs, outputs)
    night = np.asarray(inputs["pbuf_COSZRS"] == 0)
    for name in SHORTWAVE:
        assert not np.asarray(done[name])[night].any()
        np.testing.assert_array_equal(done[name][~night], outputs[name][~night])
    np.testing.assert_array_equal(done["cam_out_FLWDS"], outputs["cam_out_FLWDS"])


def test_net_shortwave_by_hand():
    inputs = {"cam_in_ASDIR": 0.1, "cam_in_ASDIF": 0.2, "cam_in_ALDIR": 0.3, "cam_in_ALDIF": 0.4}
    outputs = {"cam_out_SOLS": 100.0, "cam_out_SOLSD": 50.0, "cam_out_SOLL": 80.0, "cam_out_SOLLD": 20.0}
    assert NetShortwave()(inputs, outputs)["cam_out_NETSW"] == pytest.approx(90 + 40 + 56 + 12)


def test_silent_levels(columns):
    inputs, outputs = columns
    done = ZeroLevels()(inputs, outputs)
    for name in ("ptend_q0001", "ptend_qn", "ptend_u", "ptend_v"):
        assert not done[name][:, :12].any()
        np.testing.assert_array_equal(done[name][:, 12:], outputs[name][:, 12:])
    np.testing.assert_array_equal(done["ptend_t"], outputs["ptend_t"])


def test_masses_add_up_to_the_surface_pressure(columns):
    ps = columns[0]["state_ps"]
    total = LEVELS_OF.mass(ps).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(total * GRAVITY, ps * (SIGMA[-1] - SIGMA[0]), rtol=1e-5)


def test_column_water_closes(columns):
    inputs, outputs = columns
    outputs = outputs | {"cam_out_PRECC": jnp.asarray(np.linspace(0, 2e-7, BATCH)[:, None], jnp.float32)}
    closure = ColumnWater(LEVELS_OF)
    before = np.abs(closure.residual(inputs, outputs))
    after = np.abs(closure.residual(inputs, closure(inputs, outputs)))
    assert before.min() > 1e-6
    assert after.max() < 1e-6 * before.max() + 1e-8
    silent = outputs | {"ptend_q0001": jnp.zeros((BATCH, LEVELS), jnp.float32)}
    assert np.abs(closure.residual(inputs, closure(inputs, silent))).max() < 1e-6 * before.max() + 1e-8


def column_of(theta_lapse):
    """T of a dry column of constant ∂θ/∂z [K/m] above a 220 hPa kink and neutral below, ps = 1e5 Pa."""
    pressure = np.asarray(LEVELS_OF.pressure(jnp.full((1, 1), 1e5, jnp.float32)), np.float64)[0]
    exner = (pressure / 1e5) ** (287 / 1004.64)
    theta = np.full(LEVELS, 320.0)
    for k in range(LEVELS - 2, -1, -1):
        depth = 287 / GRAVITY * theta[k + 1] * exner[k + 1] * np.log(pressure[k + 1] / pressure[k])
        theta[k] = theta[k + 1] + (theta_lapse if pressure[k] < 2.2e4 else 0.001) * depth
    return jnp.asarray((theta * exner)[None], jnp.float32), pressure


def test_tropopause_sits_at_the_kink_and_everything_above_is_dry():
    temperature, pressure = column_of(0.02)
    rule = DryStratosphere(LEVELS_OF)
    above = np.asarray(rule.is_above(temperature, jnp.full((1, 1), 1e5, jnp.float32)))[0]
    lowest = pressure[above].max()
    assert 1.9e4 < lowest < 2.5e4
    assert (np.diff(above.astype(int)) <= 0).all()
    wet = jnp.full((1, LEVELS), 1e-5, jnp.float32)
    inputs = {
        "state_t": temperature,
        "state_ps": jnp.full((1, 1), 1e5, jnp.float32),
        "state_q0002": wet,
        "state_q0003": wet,
    }
    outputs = {f"ptend_{q}": jnp.full((1, LEVELS), 1e-9, jnp.float32) for q in ("q0001", "q0002", "q0003")}
    done = rule(inputs, outputs)
    assert not np.asarray(done["ptend_q0001"])[0, above].any()
    np.testing.assert_allclose(np.asarray(done["ptend_q0002"])[0, above], -1e-5 / STEP_S, rtol=1e-6)
    np.testing.assert_array_equal(
        np.asarray(done["ptend_q0003"])[0, ~above], outputs["ptend_q0003"][0, ~above]
    )


def test_without_stable_layers_only_the_top_level_is_above():
    temperature, _ = column_of(0.002)
    above = DryStratosphere(LEVELS_OF).is_above(temperature, jnp.full((1, 1), 1e5, jnp.float32))
    np.testing.assert_array_equal(np.flatnonzero(above[0]), [0])


def test_gradients_are_finite_also_where_a_limiter_bites(columns):
    inputs, outputs = columns
    layers = (PositiveWater(), CondensateSplit(), PositiveWater(), ZeroLevels(), DryStratosphere(LEVELS_OF),
              DarkAtNight(), NetShortwave(), SnowWithinPrecipitation())  # fmt: skip

    def total(outputs):
        for layer in layers:
            outputs = layer(inputs, outputs)
        return sum(jnp.sum(v) for v in outputs.values())

    gradient = jax.grad(total)(outputs)
    assert all(bool(jnp.isfinite(g).all()) for g in gradient.values())
