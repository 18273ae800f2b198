"""Odd but finite columns never give a NaN, in any mode or precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgrid.sims.convection.mskf import convect


def garbage(rng, count, levels):
    """Random profiles within physical ranges, with no relation between them."""
    interfaces = np.sort(rng.uniform(500.0, 1.05e5, (count, levels + 1)), axis=1)[:, ::-1]
    return {
        "t": rng.uniform(150, 340, (count, levels)),
        "qv": rng.uniform(-0.001, 0.04, (count, levels)),
        "p": 0.5 * (interfaces[:, 1:] + interfaces[:, :-1]),
        "pi": rng.uniform(0.2, 1.02, (count, levels)),
        "rho": rng.uniform(0.01, 1.5, (count, levels)),
        "dz8w": rng.uniform(10, 2000, (count, levels)),
        "u": rng.uniform(-100, 100, (count, levels)),
        "v": rng.uniform(-100, 100, (count, levels)),
        "w": rng.uniform(-10, 10, (count, levels + 1)),
        "w0avg": rng.uniform(-5, 5, (count, levels)),
        "dx": np.exp(rng.uniform(np.log(100), np.log(2e5), count)),
        "dt": rng.uniform(0.1, 1800, count),
        "cudt": rng.uniform(0, 60, count),
        "stepcu": rng.integers(1, 100, count),
        "ust": rng.uniform(0, 3, count),
        "hfx": rng.uniform(-300, 1500, count),
        "pblh": rng.choice([0.0, 50.0, 3000.0], count),
        "zol": rng.uniform(-50, 50, count),
    }


def assert_at_rest_or_finite(answer):
    assert all(np.all(np.isfinite(values)) for values in answer.values())


@pytest.mark.parametrize("mode", ["clean", "match"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_random_garbage(mode, precision):
    answer = convect(garbage(np.random.default_rng(3), 4000, 30), mode=mode, precision=precision)
    assert_at_rest_or_finite(answer)
    assert np.mean(answer["status"] == 0) > 0.998
    assert np.mean(answer["exit_code"] > 0) > 0.1


@pytest.mark.parametrize("mode", ["clean", "match"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_calm_air_and_no_boundary_layer(columns, mode, precision):
    calm = columns | {name: np.zeros_like(columns[name]) for name in ("u", "v", "pblh", "ust", "zol")}
    answer = convect(calm, mode=mode, precision=precision)
    assert_at_rest_or_finite(answer)
    assert np.all(answer["status"] == 0)
    assert np.sum(answer["exit_code"] > 0) > 200
    assert np.abs(answer["rthcuten"]).max() * 86400 < 2e3


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.integers(3, 12),
    temperature=st.floats(100, 400),
    moisture=st.floats(-0.01, 0.2),
    wind=st.sampled_from([0.0, 1e-30, 999.0]),
    mode=st.sampled_from(["clean", "match"]),
    precision=st.sampled_from(["double", "single"]),
)
def test_extremes_of_the_permitted_ranges(seed, levels, temperature, moisture, wind, mode, precision):
    columns = garbage(np.random.default_rng(seed), 8, levels)
    columns["t"][:4] = temperature
    columns["qv"][::2] = moisture
    columns["u"][:] = wind
    columns["v"][:] = 0.0
    assert_at_rest_or_finite(convect(columns, mode=mode, precision=precision, threads=1))
