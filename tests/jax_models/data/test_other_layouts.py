"""npy arrays and the Kaggle CSV come back in raw units and in the order of the table."""

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError
from subgrid.contracts.variables import feature_set
from subgrid.jax_models.data.climsim_npy import read_npy
from subgrid.jax_models.data.climsim_packed import read_packed
from subgrid.jax_models.data.columns import inputs_of, targets_of
from subgrid.jax_models.data.kaggle import kaggle_columns, read_kaggle


@pytest.fixture
def arrays(tmp_path, real_data):
    """Two real steps, normalised the published way."""
    columns = read_packed(real_data / "climsim_lowres_real_60steps.nc", times=[3, 4])
    features, folder = feature_set("V1"), real_data / "normalizations"
    x, y = inputs_of(columns, features).astype(np.float64), targets_of(columns, features).astype(np.float64)

    def vector(file, names):
        with netCDF4.Dataset(str(folder / file)) as dataset:
            dataset.set_auto_mask(False)
            return np.concatenate([np.atleast_1d(dataset[n][...]) for n in names])

    mean, high, low = (vector(f"input_{k}.nc", features.inputs) for k in ("mean", "max", "min"))
    np.save(tmp_path / "x.npy", ((x - mean) / (high - low)).astype(np.float32))
    np.save(tmp_path / "y.npy", (y * vector("output_scale.nc", features.outputs)).astype(np.float32))
    return tmp_path, folder, x, y


def test_npy_is_undone(arrays):
    folder, normalization, x, y = arrays
    pieces = list(read_npy(folder / "x.npy", folder / "y.npy", feature_set("V1"), normalization, rows=500))
    assert [len(p[0]) for p in pieces] == [500, 268]
    scale = np.abs(x).max(axis=0)
    np.testing.assert_allclose(np.concatenate([p[0] for p in pieces]) / scale, x / scale, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([p[1] for p in pieces]), y, rtol=1e-6, atol=1e-20)


def test_npy_of_another_set_or_half_a_step_is_refused(arrays):
    folder, normalization, _, _ = arrays
    with pytest.raises(FileError, match="another feature set"):
        next(read_npy(folder / "x.npy", folder / "y.npy", feature_set("V2"), normalization))
    for name in ("x", "y"):
        np.save(folder / f"{name}2.npy", np.load(folder / f"{name}.npy")[:400])
    with pytest.raises(FileError, match="multiple of 384"):
        next(read_npy(folder / "x2.npy", folder / "y2.npy", feature_set("V1"), normalization))


@pytest.fixture
def csv(tmp_path, mock):
    features = feature_set("kaggle")
    x, y = (f(mock, features)[:6].astype(np.float64) for f in (inputs_of, targets_of))
    names = [*kaggle_columns(features, features.inputs), *kaggle_columns(features, features.outputs)]
    # Another order of columns than the table's: names decide.
    order = np.random.default_rng(0).permutation(len(names))
    table = np.concatenate([x, y], axis=1)
    lines = ["sample_id," + ",".join(names[i] for i in order)]
    lines += [f"train_{k}," + ",".join(repr(float(v)) for v in row[order]) for k, row in enumerate(table)]
    path = tmp_path / "train.csv"
    path.write_text("\n".join(lines) + "\n")
    return path, x, y


def test_csv_by_name_in_pieces(csv):
    path, x, y = csv
    pieces = list(read_kaggle(path, rows=4))
    assert [len(p[0]) for p in pieces] == [4, 2]
    np.testing.assert_allclose(np.concatenate([p[0] for p in pieces]), x, rtol=1e-6)
    np.testing.assert_allclose(np.concatenate([p[1] for p in pieces]), y, rtol=1e-6)


def test_bad_csv_is_named(csv):
    path, _, _ = csv
    text = path.read_text()
    path.write_text(text.replace("state_q0001_17,", "q17,", 1))
    with pytest.raises(FileError, match="state_q0001_17"):
        next(read_kaggle(path))
    head, first, rest = text.split("\n", 2)
    cells = first.split(",")
    cells[5] = "abc"
    path.write_text("\n".join([head, ",".join(cells), rest]))
    with pytest.raises(FileError, match="no number"):
        next(read_kaggle(path))
