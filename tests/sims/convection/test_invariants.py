"""What holds in every column, whatever the sounding: water, momentum, signs, the levels above cloud top."""

import numpy as np
import pytest

from subgrid.sims.convection.mskf import convect
from subgrid.sims.soundings.generator import labelled_batch

WATER = ("rqvcuten", "rqccuten", "rqrcuten", "rqicuten", "rqscuten")
MOMENTUM = {"double": 1e-15, "single": 5e-7}


def residuals(columns, answer):
    """Column water and momentum budgets relative to the integrals of the absolute tendencies."""
    mass = columns["rho"] * columns["dz8w"]
    water = sum(answer[name] for name in WATER)
    size = sum(np.sum(np.abs(answer[name]) * mass, axis=1) for name in WATER)
    open_water = np.abs(np.sum(water * mass, axis=1) + answer["pratec"])
    momentum = []
    for name in ("rucuten", "rvcuten"):
        net, total = np.sum(answer[name] * mass, axis=1), np.sum(np.abs(answer[name]) * mass, axis=1)
        momentum.append(np.abs(net) / np.maximum(total, 1e-30))
    return open_water / np.maximum(size, 1e-30), np.maximum(*momentum)


def check(columns, answer, precision, tolerance):
    assert np.all(answer["status"] == 0)
    assert all(np.all(np.isfinite(values)) for values in answer.values())
    active = answer["exit_code"] > 0
    water, momentum = residuals(columns, answer)
    assert water[active].max() < tolerance
    assert momentum[active].max() < MOMENTUM[precision]
    deep, shallow = answer["exit_code"] == 1, answer["exit_code"] == 2
    assert np.all(answer["pratec"] >= 0)
    assert np.all(answer["pratec"][~deep] == 0)
    assert np.all(answer["rqrcuten"][deep] == 0)
    assert np.all(answer["nca"][shallow] == 60 * columns["cudt"][shallow])
    above = np.arange(columns["t"].shape[1]) + 1 > answer["cutop"][:, None]
    for name in (*WATER, "rthcuten", "rucuten", "rvcuten", "cldfra_dp", "cldfra_sh"):
        assert np.all(answer[name][above] == 0), name
    above &= (answer["exit_code"] != -4)[:, None]  # WRF leaves the condensate of a rejected plume
    assert np.all(answer["qc_kf"][above] == 0)
    assert np.all(answer["qi_kf"][above] == 0)
    return deep.sum(), shallow.sum()


# WRF's pro-rata evaporation (match) makes up to 5e-9 of the column's water of nothing in a few columns.
WATER_CLOSES = pytest.mark.parametrize(
    ("mode", "precision", "tolerance"),
    [
        ("clean", "double", 2e-14),
        ("match", "double", 2e-8),
        ("clean", "single", 1e-5),
        ("match", "single", 1e-5),
    ],
)


@WATER_CLOSES
def test_invariants(columns, mode, precision, tolerance):
    deep, shallow = check(columns, convect(columns, mode=mode, precision=precision), precision, tolerance)
    assert deep > 100
    assert shallow > 100


def test_drafts_carry_shear_and_nothing_else(columns):
    """A uniform wind is left as it is; in shear the downdraft reaches the layers below the cloud."""
    few = {name: values[:400] for name, values in columns.items()}
    uniform = few | {"u": np.full_like(few["u"], 5.0), "v": np.full_like(few["v"], -3.0)}
    for name in ("rucuten", "rvcuten"):
        assert np.abs(convect(uniform, mode="clean")[name]).max() < 1e-15
    answer = convect(few, mode="clean")
    below = np.arange(few["t"].shape[1]) + 2 < answer["cubot"][:, None]
    deep = answer["exit_code"] == 1
    assert deep.sum() > 10
    assert np.mean(np.any((answer["rucuten"] != 0) & below, axis=1)[deep]) > 0.3
    assert np.all(answer["rucuten"][answer["exit_code"] == 2][below[answer["exit_code"] == 2]] == 0)


def test_deep_hold_follows_from_wind_and_cloud_base(columns):
    answer = convect(columns, mode="match")
    for i in np.flatnonzero(answer["exit_code"] == 1)[:200]:
        speed = np.hypot(columns["u"][i], columns["v"][i])
        used = columns["p"][i] > 0
        middle = np.flatnonzero(used & (columns["p"][i] >= 0.5 * columns["p"][i, 0]))[-1]
        crossing = columns["dx"][i] / (0.5 * (speed[int(answer["cubot"][i]) - 1] + speed[middle]))
        assert answer["nca"][i] == columns["dt"][i] * np.rint(crossing / columns["dt"][i])


@pytest.mark.slow
@WATER_CLOSES
def test_invariants_of_100_000_columns(mode, precision, tolerance):
    for number in range(50):
        columns, _ = labelled_batch(11, number)
        check(columns, convect(columns, mode=mode, precision=precision), precision, tolerance)
