"""npy arrays and the Kaggle CSV come back in raw units and in the order of the table."""

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.feature_sets import feature_set
from subgrid.jax_models.data.climsim_npy import read_npy
from subgrid.jax_models.data.columns import inputs_of, targets_of
from subgrid.jax_models.data.kaggle import kaggle_columns, read_kaggle
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.source import read_columns
from subgrid.workflows import climsim


@pytest.fixture(scope="module")
def two_steps():
    """The first two steps of the split `val`, 8400 s apart."""
    return mock_columns(8, seed=5).at(np.array([0, 7]))


def normalised(columns, name, folder):
    """Matrices of a feature set, normalised the published way from the shipped files."""
    features = feature_set(name)
    x, y = (f(columns, features).astype(np.float64) for f in (inputs_of, targets_of))

    def vector(file, names):
        with netCDF4.Dataset(str(folder / file)) as dataset:
            dataset.set_auto_mask(False)
            return np.concatenate([np.atleast_1d(dataset[n][...]) for n in names])

    mean, high, low = (vector(f"input_{k}.nc", features.inputs) for k in ("mean", "max", "min"))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.nan_to_num((x - mean) / (high - low), posinf=0, neginf=0)
    return scaled, y * vector("output_scale.nc", features.outputs), x, y


@pytest.fixture
def arrays(tmp_path, real_data, two_steps):
    """Quick-start arrays of the split `val`."""
    folder = real_data / "normalizations"
    scaled, targets, x, y = normalised(two_steps, "V1", folder)
    np.save(tmp_path / "val_input.npy", scaled.astype(np.float32))
    np.save(tmp_path / "val_target.npy", targets.astype(np.float32))
    return tmp_path, folder, x, y


def both(folder):
    return folder / "val_input.npy", folder / "val_target.npy"


def test_npy_is_undone(arrays):
    folder, normalization, x, y = arrays
    pieces = list(read_npy(*both(folder), feature_set("V1"), normalization, rows=500))
    assert [len(p[0]) for p in pieces] == [500, 268]
    scale = np.abs(x).max(axis=0)
    np.testing.assert_allclose(np.concatenate([p[0] for p in pieces]) / scale, x / scale, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([p[1] for p in pieces]), y, rtol=1e-6, atol=1e-20)


def test_npy_of_another_set_or_half_a_step_is_refused(arrays):
    folder, normalization, _, _ = arrays
    with pytest.raises(FileError, match="another feature set"):
        next(read_npy(*both(folder), feature_set("V2"), normalization))
    for path in both(folder):
        np.save(path, np.load(path)[:400])
    with pytest.raises(FileError, match="multiple of 384"):
        next(read_npy(*both(folder), feature_set("V1"), normalization))


def test_npy_is_packed_with_the_dates_of_its_split(arrays, grid_file, tmp_path, two_steps):
    folder, normalization, _, _ = arrays
    line = climsim.pack(folder, tmp_path / "o.zarr", grid=grid_file, normalization=normalization)
    assert "2 time steps × 384 columns; no time step skipped" in line
    columns = read_columns(tmp_path / "o.zarr")
    assert (columns.ymd.tolist(), columns.tod.tolist()) == ([80201, 80201], [0, 8400])
    assert len(columns.fields) == 6 + 10
    np.testing.assert_allclose(columns.fields["state_t"], two_steps.fields["state_t"], atol=1e-3)
    with pytest.raises(InputError, match="input_mean"):
        climsim.pack(folder, tmp_path / "b.zarr", grid=grid_file)
    with pytest.raises(FileError, match=r"found none of <split>_input\.npy"):
        climsim.pack(folder, tmp_path / "b.zarr", grid=grid_file, normalization=normalization, split="train")


def test_shuffled_rows_and_bad_values_are_noticed_and_skipped(arrays, grid_file, tmp_path):
    folder, normalization, _, _ = arrays
    inputs = both(folder)[0]
    x, options = np.load(inputs), {"grid": grid_file, "normalization": normalization}
    x[384:] = x[384:][::-1]
    np.save(inputs, x)
    with pytest.raises(FileError, match=r"time step 1 \(00080201, 8400 s\): pbuf_SOLIN differs from the sun"):
        climsim.pack(folder, tmp_path / "o.zarr", **options)
    x[384:] = x[384:][::-1]
    x[5, 7] = np.nan
    np.save(inputs, x)
    with pytest.raises(FileError, match=r"time step 0 .*state_t has 1 values that are not finite"):
        climsim.pack(folder, tmp_path / "o.zarr", **options)
    line = climsim.pack(folder, tmp_path / "o.zarr", skip_bad=True, **options)
    assert "1 time steps × 384 columns; 1 time steps skipped: " in line
    assert read_columns(tmp_path / "o.zarr").tod.tolist() == [8400]


def test_snow_on_ice_that_was_normalised_by_its_fill_value_is_there_or_not(real_data, tmp_path, two_steps):
    folder = real_data / "normalizations"
    scaled, targets, x, _ = normalised(two_steps, "V2", folder)
    np.save(tmp_path / "val_input.npy", scaled.astype(np.float32))
    np.save(tmp_path / "val_target.npy", targets.astype(np.float32))
    ((raw, _),) = read_npy(*both(tmp_path), feature_set("V2"), folder)
    span = feature_set("V2").input_slices["cam_in_SNOWHICE"]
    np.testing.assert_array_equal(raw[:, span], np.where(x[:, span] > 1e29, np.float32(1e30), 0))


def table(path, x, y, first=0):
    """A CSV of rows; another order of columns than the table's: names decide."""
    features = feature_set("kaggle")
    names = [*kaggle_columns(features, features.inputs), *kaggle_columns(features, features.outputs)]
    order = np.random.default_rng(0).permutation(len(names))
    rows = np.concatenate([x, y], axis=1)
    lines = ["sample_id," + ",".join(names[i] for i in order)]
    lines += [f"train_{first + k}," + ",".join(map(repr, row[order].tolist())) for k, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_csv_is_packed_step_by_step(two_steps, grid_file, tmp_path):
    features = feature_set("kaggle")
    x, y = (f(two_steps, features).astype(np.float64) for f in (inputs_of, targets_of))
    path = table(tmp_path / "train.csv", x, y)
    line = climsim.pack(path, tmp_path / "o.zarr", grid=grid_file, split="val")
    assert "2 time steps × 384 columns; no time step skipped" in line
    columns = read_columns(tmp_path / "o.zarr")
    assert "cam_in_SNOWHICE" not in columns.fields
    np.testing.assert_allclose(columns.fields["ptend_u"], two_steps.fields["ptend_u"], rtol=1e-6)
    with pytest.raises(FileError, match="are the rows of another split"):
        climsim.pack(path, tmp_path / "b.zarr", grid=grid_file, split="scoring")
    with pytest.raises(FileError, match=r"found samples 5 to 388, expected whole time steps"):
        climsim.pack(table(path, x[:384], y[:384], 5), tmp_path / "b.zarr", grid=grid_file)


@pytest.fixture
def csv(tmp_path, mock):
    x, y = (f(mock, feature_set("kaggle"))[:6].astype(np.float64) for f in (inputs_of, targets_of))
    return table(tmp_path / "train.csv", x, y), x, y


def test_csv_by_name_in_pieces(csv):
    path, x, y = csv
    pieces = list(read_kaggle(path, rows=4))
    assert [p[0].tolist() for p in pieces] == [[0, 1, 2, 3], [4, 5]]
    np.testing.assert_allclose(np.concatenate([p[1] for p in pieces]), x, rtol=1e-6)
    np.testing.assert_allclose(np.concatenate([p[2] for p in pieces]), y, rtol=1e-6)


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
