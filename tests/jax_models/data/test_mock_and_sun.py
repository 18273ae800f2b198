"""Mock columns obey the laws of the real ones; the sun stands where the data say."""

import numpy as np
import pytest

from subgrid.contracts.variables import SHORTWAVE, STEP_S
from subgrid.jax_models.data.climsim_packed import read_packed
from subgrid.jax_models.data.derived import liquid_fraction
from subgrid.jax_models.data.mock import mock_columns, mock_grid
from subgrid.jax_models.data.quality import check_field
from subgrid.jax_models.data.sun import calendar_day, cosine_zenith, declination


def test_mock_passes_every_check_of_the_table(mock):
    for name, field in mock.fields.items():
        check_field(name, field, where="mock")


def test_mock_obeys_the_invariants(mock):
    f = {n: v.astype(np.float64) for n, v in mock.fields.items()}
    net = sum(f[f"cam_out_{b}"] * (1 - f[f"cam_in_{a}"]) for b, a in
              (("SOLS", "ASDIR"), ("SOLSD", "ASDIF"), ("SOLL", "ALDIR"), ("SOLLD", "ALDIF")))  # fmt: skip
    np.testing.assert_allclose(f["cam_out_NETSW"], net, atol=2e-4)
    assert (f["cam_out_PRECSC"] <= f["cam_out_PRECC"]).all()
    night = mock.field("coszrs_end") <= 0
    assert night.any()
    for name in SHORTWAVE:
        assert not f[name][night].any()
    liquid, ice = (f[f"state_q000{i}"] + STEP_S * f[f"ptend_q000{i}"] for i in (2, 3))
    cloudy = liquid + ice > 1e-6
    share = (liquid / (liquid + ice + 1e-30))[cloudy]
    np.testing.assert_allclose(
        share, liquid_fraction((f["state_t"] + STEP_S * f["ptend_t"])[cloudy]), atol=1e-3
    )
    assert not f["ptend_u"][..., :12].any()


def test_mock_is_reproducible_and_grid_is_a_sphere():
    a, b, c = (mock_columns(2, ncol=30, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(a.fields["ptend_t"], b.fields["ptend_t"])
    assert not np.array_equal(a.fields["ptend_t"], c.fields["ptend_t"])
    grid = mock_grid(500)
    assert grid.area.sum() == pytest.approx(4 * np.pi)
    assert (np.diff(grid.hyai * 1e5 + grid.hybi * 9.6e4) > 0).all()
    assert (grid.hyai[-1], grid.hybi[-1]) == pytest.approx((0, 1))


def test_histograms_give_the_real_marginals(real_data):
    path = real_data / "statistics" / "climsim_highres_histograms.npz"
    columns = mock_columns(3, histograms=path)
    with np.load(path) as table:
        counts, edges = table["mli_state_t__counts"][55], table["mli_state_t__edges"][55]
    middle = 0.5 * (edges[1:] + edges[:-1])
    assert columns.fields["state_t"][..., 55].mean() == pytest.approx(
        np.average(middle, weights=counts), abs=0.5
    )


def test_solstice_equinox_and_noon():
    assert np.rad2deg(declination(calendar_day(80621, 0))) == pytest.approx(23.44, abs=0.05)
    assert np.rad2deg(declination(calendar_day(81221, 43200))) == pytest.approx(-23.44, abs=0.05)
    assert np.rad2deg(declination(80.5)) == pytest.approx(0, abs=0.3)
    noon = cosine_zenith(np.array([80321]), np.array([43200]), np.array([0.0]), np.array([0.0]))
    assert noon[0, 0] == pytest.approx(1, abs=1e-3)


def test_the_real_sun(real_data):
    c = read_packed(real_data / "climsim_lowres_real_60steps.nc", ("pbuf_COSZRS", "cam_out_NETSW"))
    instants = np.linspace(0, STEP_S, 9)
    within = np.mean(
        [cosine_zenith(c.ymd, c.tod, c.grid.lat, c.grid.lon, offset_s=s) for s in instants], axis=0
    )
    assert np.sqrt(np.square(within - c.fields["pbuf_COSZRS"]).mean()) < 3e-4
    dark = c.fields["cam_out_NETSW"] <= 0
    assert ((c.field("coszrs_end") > 0) & dark).sum() == 0
    assert ((c.fields["pbuf_COSZRS"] > 0) & dark).mean() > 0.005
