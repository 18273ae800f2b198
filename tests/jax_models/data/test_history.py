"""Features of earlier steps, formed from columns in memory and while they are read."""

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.feature_sets import FEATURE_SETS, feature_set
from subgrid.contracts.variables import STEP_S
from subgrid.jax_models.data.columns import fields_of, inputs_of, stored_names, targets_of
from subgrid.jax_models.data.history import HistorySource, with_history


def test_history_features_by_hand(mock):
    columns = with_history(mock)
    np.testing.assert_array_equal(columns.tod, [2400, 3600])
    f, m = columns.fields, mock.fields
    np.testing.assert_array_equal(f["state_t_prvphy"][0], m["ptend_t"][1])
    np.testing.assert_array_equal(f["tm_state_q0001_prvphy"][1], m["ptend_q0001"][1])
    dynamics = (m["state_u"][2].astype(float) - m["state_u"][1]) / STEP_S - m["ptend_u"][1]
    np.testing.assert_allclose(f["state_u_dyn"][0], dynamics, rtol=1e-5)
    np.testing.assert_array_equal(f["tm_state_u_dyn"][1], f["state_u_dyn"][0])
    np.testing.assert_array_equal(f["tm_pbuf_SOLIN"][0], m["pbuf_SOLIN"][1])
    water = sum(m[f"state_q000{i}"].astype(float) for i in (1, 2, 3))
    source = sum(m[f"ptend_q000{i}"][1].astype(float) for i in (1, 2, 3))
    np.testing.assert_allclose(
        f["state_q0_dyn"][0], (water[2] - water[1]) / STEP_S - source, rtol=1e-4, atol=1e-14
    )
    with pytest.raises(InputError, match="three consecutive"):
        with_history(mock.at(np.array([0, 1])))


@pytest.mark.parametrize("features", FEATURE_SETS.values(), ids=lambda f: f.name)
def test_every_feature_set_can_be_made(features, mock):
    columns = with_history(mock)
    inputs, targets = inputs_of(columns, features), targets_of(columns, features)
    assert inputs.shape == (2 * 384, features.n_in)
    assert targets.shape == (2 * 384, features.n_out)
    back = fields_of(targets, features, 384)
    np.testing.assert_array_equal(back["ptend_t"][1], columns.fields["ptend_t"][1])
    assert back["cam_out_SOLL"].shape == (2, 384)


def test_missing_history_is_explained(mock):
    with pytest.raises(InputError, match="consecutive"):
        inputs_of(mock, feature_set("v6"))


class Held:
    """A source in memory that notes what was asked of it."""

    block = 1

    def __init__(self, columns):
        self.columns, self.grid = columns, columns.grid
        self.stamps = np.stack([columns.ymd, columns.tod], axis=1)
        self.asked = []

    def read(self, names, times):
        self.asked.append((names, times.tolist()))
        columns = self.columns.at(times)
        return type(columns)({n: columns.fields[n] for n in names}, columns.ymd, columns.tod, columns.grid)


@pytest.mark.parametrize("name", ["V2", "V4", "V5", "v6", "v7"])
def test_a_source_with_history_gives_what_memory_gives(name, mock):
    features, held = feature_set(name), with_history(mock)
    source = HistorySource(Held(mock))
    np.testing.assert_array_equal(source.stamps[:, 1], held.tod)
    read = source.read(stored_names(features), np.array([1]))
    np.testing.assert_array_equal(read.tod, [3600])
    for matrix in (inputs_of, targets_of):
        np.testing.assert_array_equal(matrix(read, features), matrix(held.at(np.array([1])), features))


def test_each_step_is_read_once_and_only_what_is_needed(mock):
    source = Held(mock)
    HistorySource(source).read(("state_t", "state_q0_dyn", "tm_state_ps"), np.array([0, 1]))
    ((names, times),) = source.asked
    assert times == [0, 1, 2, 3]
    water = [f"{kind}_q000{i}" for kind in ("state", "ptend") for i in (1, 2, 3)]
    assert sorted(names) == sorted(["state_t", "state_ps", *water])
    with pytest.raises(InputError, match="three consecutive"):
        HistorySource(Held(mock.at(np.array([0, 1, 3]))))
