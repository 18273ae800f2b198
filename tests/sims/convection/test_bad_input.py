"""Bad columns are refused one by one with a reason; bad shapes and options at once."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.sims.convection import jax_call
from subgrid.sims.convection.mskf import convect
from subgrid.sims.convection.status import REASONS, refusals


@pytest.fixture
def few(columns):
    return {name: values[:20].copy() for name, values in columns.items()}


def spoil_level(name, level, value):
    def spoil(columns):
        columns[name][3, level] = value

    return spoil


def reverse_pressure(columns):
    n = columns["nlev"][3]
    columns["p"][3, :n] = columns["p"][3, :n][::-1]


def to_celsius(columns):
    columns["t"][3] -= 273.15


def to_hectopascals(columns):
    columns["p"][3] /= 100


def to_grams(columns):
    columns["qv"][3] *= 1000


def spoil_scalar(name, value):
    def spoil(columns):
        columns[name][3] = value

    return spoil


BAD = [
    (spoil_level("t", 5, np.nan), 2),
    (spoil_level("w", 0, np.inf), 2),
    (spoil_scalar("hfx", np.nan), 2),
    (spoil_scalar("dt", np.nan), 2),
    (reverse_pressure, 3),
    (spoil_level("p", 4, -1.0), 3),
    (to_hectopascals, 12),
    (to_celsius, 4),
    (spoil_level("dz8w", 2, -100.0), 5),
    (spoil_level("rho", 2, 0.0), 6),
    (to_grams, 7),
    (spoil_level("u", 2, 5000.0), 8),
    (spoil_level("pi", 2, 0.0), 9),
    (spoil_scalar("dx", 0.0), 10),
    (spoil_scalar("dt", -60.0), 10),
    (spoil_scalar("stepcu", 0), 10),
    (spoil_scalar("nlev", 2), 1),
    (spoil_scalar("nlev", 100), 1),
    (spoil_scalar("nlev", -5), 1),
]


@pytest.mark.parametrize("mode", ["clean", "match"])
@pytest.mark.parametrize(("spoil", "status"), BAD)
def test_a_bad_column_is_refused_and_the_others_computed(few, spoil, status, mode):
    expected = convect(few, mode=mode)
    spoil(few)
    answer = convect(few, mode=mode)
    assert answer["status"][3] == status
    assert answer["exit_code"][3] == -100
    assert np.all(answer["rthcuten"][3] == 0)
    assert answer["pratec"][3] == answer["raincv"][3] == 0
    others = np.arange(20) != 3
    for name, values in expected.items():
        assert np.array_equal(answer[name][others], values[others]), name


def test_every_status_has_a_sentence():
    assert set(REASONS) == set(range(1, 13))
    sentences = refusals(np.array([0, 4, 0, 2, 3, 3, 3, 3]))
    assert sentences[0].startswith("column 1 has a temperature")
    assert sentences[-1] == "and 1 further columns are refused"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("qv"), "no 'qv'"),
        (lambda c: c.update(w=c["w"][:, :-1]), "'w' has the shape"),
        (lambda c: c.update(dx=c["dx"][:5]), "'dx' has the shape"),
        (lambda c: c.update(t=c["t"][0]), "'t' has the shape"),
        (lambda c: c.update(u=c["u"].astype(complex)), "expected numbers"),
    ],
)
def test_missing_and_misshapen_arrays(few, change, message):
    change(few)
    with pytest.raises(InputError, match=message):
        convect(few)


def test_unknown_options(few):
    with pytest.raises(InputError, match="mode"):
        convect(few, mode="fast")
    with pytest.raises(InputError, match="precision"):
        convect(few, precision="half")
    with pytest.raises(InputError, match="mode"):
        jax_call.convect(few, mode="fast")


def test_no_columns():
    empty = {name: np.zeros((0, 10)) for name in ("t", "qv", "p", "pi", "rho", "dz8w", "u", "v", "w0avg")}
    empty |= {name: np.zeros(0) for name in ("dx", "dt", "cudt", "ust", "hfx", "pblh", "zol")}
    assert convect(empty | {"w": np.zeros((0, 11))})["status"].shape == (0,)
