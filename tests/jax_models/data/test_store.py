"""The store gives back what was packed; streams shuffle and resume; history is right."""

import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.variables import FEATURE_SETS, STEP_S, feature_set
from subgrid.jax_models.data.columns import fields_of, inputs_of, targets_of
from subgrid.jax_models.data.history import with_history
from subgrid.jax_models.data.source import read_columns
from subgrid.jax_models.data.store import write_store
from subgrid.jax_models.data.stream import stream_batches


def steps_of(columns):
    for i in range(columns.steps):
        yield int(columns.ymd[i]), int(columns.tod[i]), {n: f[i] for n, f in columns.fields.items()}


@pytest.fixture
def store(tmp_path, mock):
    path = tmp_path / "c.zarr"
    # More capacity than steps, and a number of steps that does not fill the last chunk.
    assert write_store(path, steps_of(mock.at(np.array([0, 1, 2]))), mock.grid, capacity=9) == 3
    return path


def test_round_trip(store, mock):
    columns = read_columns(store)
    assert columns.steps == 3
    for name, field in columns.fields.items():
        np.testing.assert_array_equal(field, mock.fields[name][:3], err_msg=name)
    np.testing.assert_array_equal(columns.grid.hyai, mock.grid.hyai)
    np.testing.assert_array_equal(
        read_columns(store, ("state_t",), times=[2]).fields["state_t"][0], mock.fields["state_t"][2]
    )


def test_unfinished_or_foreign_stores_are_refused(store, tmp_path):
    with pytest.raises(FileError, match="holds no 'state_t_dyn'"):
        read_columns(store, ("state_t_dyn",))
    (store / "subgrid.json").unlink()
    with pytest.raises(FileError, match="without subgrid"):
        read_columns(store)
    with pytest.raises(FileError, match="does not exist"):
        read_columns(tmp_path / "none.nc")


def test_a_stream_covers_an_epoch_once_and_resumes(store, mock):
    features = feature_set("V1")
    batch_at = stream_batches(store, features, batch=96, group=3, seed=4)
    epoch = [batch_at(i) for i in range(12)]
    rows = np.concatenate([b["inputs"] for b in epoch])
    wanted = inputs_of(mock.at(np.array([0, 1, 2])), features)
    np.testing.assert_array_equal(np.sort(rows[:, 120]), np.sort(wanted[:, 120]))
    assert not np.array_equal(rows[:, 120], wanted[:, 120])
    resumed = stream_batches(store, features, batch=96, group=3, seed=4)(7)
    np.testing.assert_array_equal(resumed["targets"], epoch[7]["targets"])
    second = batch_at(12)
    assert not np.array_equal(second["inputs"], epoch[0]["inputs"])


def test_a_stream_keeps_to_its_split(store, mock):
    batch_at = stream_batches(store, feature_set("V2_sun"), batch=384, times=[1], group=8)
    expected = np.sort(inputs_of(mock.at(np.array([1])), feature_set("V2_sun"))[:, 0])
    for step in range(3):
        np.testing.assert_array_equal(np.sort(batch_at(step)["inputs"][:, 0]), expected)
    with pytest.raises(InputError, match="holds no batch"):
        stream_batches(store, feature_set("V1"), batch=5000)


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
