"""The store gives back what was packed; streams shuffle and resume; history is right."""

import json

import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.feature_sets import feature_set
from subgrid.jax_models.data.columns import inputs_of, stored_names, targets_of
from subgrid.jax_models.data.source import StoreSource, format_of, open_source, read_columns
from subgrid.jax_models.data.store import write_store
from subgrid.jax_models.data.stream import Order, Stream


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


def test_a_time_step_is_stored_once(store, tmp_path, mock):
    with pytest.raises(FileError, match=r"hold the time step 0008\d{4}, 0 s twice; keep one"):
        write_store(tmp_path / "t.zarr", steps_of(mock.at(np.array([0, 1, 0]))), mock.grid, capacity=3)
    header = json.loads((store / "subgrid.json").read_text())
    header["stamps"][2] = header["stamps"][1]
    (store / "subgrid.json").write_text(json.dumps(header))
    for read in (read_columns, StoreSource):
        with pytest.raises(FileError, match=r"c\.zarr: found 1 time steps more than once"):
            read(store)


def stream_of(source, name, **options):
    features = feature_set(name)

    def rows_of(columns):
        return {"inputs": inputs_of(columns, features), "targets": targets_of(columns, features)}

    return Stream(source, rows_of, stored_names(features), **options)


def test_a_stream_covers_an_epoch_once_and_resumes(store, mock):
    with stream_of(StoreSource(store), "V1", batch=96, group=3, seed=4) as stream:
        epoch = [stream(i) for i in range(12)]
        second = stream(12)
    rows = np.concatenate([b["inputs"] for b in epoch])
    wanted = inputs_of(mock.at(np.array([0, 1, 2])), feature_set("V1"))
    np.testing.assert_array_equal(np.sort(rows[:, 120]), np.sort(wanted[:, 120]))
    assert not np.array_equal(rows[:, 120], wanted[:, 120])
    with stream_of(StoreSource(store), "V1", batch=96, group=3, seed=4) as resumed:
        np.testing.assert_array_equal(resumed(7)["targets"], epoch[7]["targets"])
    assert not np.array_equal(second["inputs"], epoch[0]["inputs"])


def test_a_stream_keeps_to_its_split(store, mock):
    expected = np.sort(inputs_of(mock.at(np.array([1])), feature_set("V2_sun"))[:, 0])
    with stream_of(StoreSource(store), "V2_sun", batch=384, times=[1], group=8) as stream:
        for step in range(3):
            np.testing.assert_array_equal(np.sort(stream(step)["inputs"][:, 0]), expected)
    with pytest.raises(InputError, match="holds no batch"):
        stream_of(StoreSource(store), "V1", batch=5000)


class Held:
    """A source in memory."""

    block = 1

    def __init__(self, columns):
        self.columns, self.grid = columns, columns.grid
        self.stamps = np.stack([columns.ymd, columns.tod], axis=1)
        self.read_steps = 0

    def read(self, names, times):
        self.read_steps += len(times)
        return self.columns.at(times)


def test_a_stream_of_raw_files_gives_the_same_batches(raw_folder, grid_file, mock):
    options = {"batch": 64, "group": 2, "seed": 1}
    with (
        stream_of(open_source(raw_folder, grid=grid_file), "V2", **options) as raw,
        stream_of(Held(mock), "V2", **options) as memory,
    ):
        for step in (0, 23, 5):
            found, expected = raw(step)["inputs"], memory(step)["inputs"]
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_blocks_of_steps_stay_together_and_every_step_comes_once():
    order = Order(np.arange(40, 61), ncol=1, batch=1, group=4, seed=0, block=4)
    groups = [order.times(number) for number in range(order.groups_per_epoch)]
    assert np.unique(np.concatenate(groups)).size == 20
    # All but the group that the short last block falls into are one or two blocks.
    assert sum(np.ptp(group) == 3 for group in groups) >= 2
    assert [g.tolist() for g in groups] != [order.times(n + 5).tolist() for n in range(5)]


def test_no_more_is_read_ahead_than_was_asked_for(mock):
    source = Held(mock)
    with stream_of(source, "V1", batch=384, group=1, ahead=1) as stream:
        for step in range(3):
            stream(step)
    assert source.read_steps <= 4


def test_a_bad_raw_file_comes_with_its_batch(raw_folder, grid_file):
    path = next(raw_folder.rglob("*mlo*02400.nc"))
    path.write_bytes(path.read_bytes()[:9000])
    with (
        stream_of(open_source(raw_folder, grid=grid_file), "V1", batch=384, group=4) as stream,
        pytest.raises(FileError, match=r"mlo.*02400\.nc .*truncated"),
    ):
        stream(0)


def test_layouts_are_recognised(store, raw_folder, tmp_path):
    assert format_of(store) == "store"
    assert format_of(raw_folder) == "raw"
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "val_input.npy").touch()
    assert format_of(tmp_path / "quick") == "npy"
    with pytest.raises(FileError, match=r"without subgrid\.json, E3SM-MMF"):
        format_of(store / "state_t")
    with pytest.raises(FileError, match="holds raw data; pack them"):
        read_columns(raw_folder)
    with pytest.raises(InputError, match="no geometry"):
        open_source(raw_folder)
    with pytest.raises(InputError, match="not read in pieces"):
        open_source(tmp_path / "quick")
