"""Generated columns: reproducible, physical, of all families and outcomes, and dense near decisions."""

from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.columns_file import open_columns, read_columns
from subgrid.contracts.errors import FileError, InputError, SetupError
from subgrid.sims.convection.library import LIBRARY
from subgrid.sims.convection.mskf import convect
from subgrid.sims.soundings.families import FAMILIES
from subgrid.sims.soundings.generator import BATCH, NEAR_SHARE, blend, draw_batch, labelled_batch
from subgrid.workflows.physics import run_mskf
from subgrid.workflows.physics_columns import generate_columns


@pytest.fixture(autouse=True, scope="module")
def built_library():
    try:
        LIBRARY.find()
    except SetupError as missing:
        pytest.skip(f"the convection library is not built: {missing}")


@pytest.fixture(scope="module")
def batch():
    return labelled_batch(0, 0)


def test_hydrostatic_and_in_range(batch):
    columns, answer = batch
    used = np.arange(columns["t"].shape[1]) < columns["nlev"][:, None]
    assert np.all(answer["status"] == 0)
    assert np.all((columns["t"][used] > 180) & (columns["t"][used] < 325))
    density = columns["p"] / (287 * np.where(used, columns["t"], 1) * (1 + 0.608 * columns["qv"]))
    np.testing.assert_allclose(columns["rho"][used], density[used], rtol=1e-6)
    depth = np.sum(columns["rho"] * 9.81 * columns["dz8w"], axis=1)
    assert np.all((depth > 0.85e5) & (depth < 1.02e5))
    assert np.all(columns["zol"] * columns["hfx"] <= 0)


def test_all_families_grids_and_outcomes(batch):
    columns, answer = batch
    assert set(columns["family"]) == set(range(len(FAMILIES)))
    assert len(set(columns["nlev"])) >= 3
    assert columns["dx"].min() < 2e3
    assert columns["dx"].max() > 4e4
    for code in (1, 2, -1):
        assert np.mean(answer["exit_code"] == code) > 0.05


def test_seed_and_number_decide():
    first, again = (
        draw_batch(np.random.default_rng([1, 2]), 50),
        draw_batch(np.random.default_rng([1, 2]), 50),
    )
    other = draw_batch(np.random.default_rng([1, 3]), 50)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["t"], other["t"])


def test_the_last_columns_lie_near_a_decision(batch):
    """A small blend with another column changes the outcome far more often near a decision than elsewhere."""
    columns, answer = batch

    def changes(part):
        rows = np.arange(BATCH)[part]
        partner = np.roll(rows, 1)
        fits = columns["nlev"][rows] == columns["nlev"][partner]
        rows, partner = rows[fits], partner[fits]
        moved = convect(blend(columns, rows, partner, np.full(rows.size, 0.02)))["exit_code"]
        return np.mean(moved != answer["exit_code"][rows])

    split = BATCH - int(NEAR_SHARE * BATCH)
    assert changes(slice(split, None)) > 3 * changes(slice(0, split))


def test_the_file_is_a_training_set_that_the_scheme_reproduces(tmp_path: Path):
    target = tmp_path / "columns.nc"
    message = generate_columns(target, count=300, seed=5, workers=1)
    assert "300 columns" in message
    with open_columns(target) as dataset:
        columns = read_columns(dataset, slice(None))
        stored = dataset["rthcuten"][:]
        used = np.arange(stored.shape[1]) < columns["nlev"][:, None]
        answer = convect({name: np.where(v > 1e30, 0, v) for name, v in columns.items()})
        np.testing.assert_allclose(np.where(used, stored, 0), answer["rthcuten"], rtol=1e-6, atol=1e-12)
        assert dataset.seed == "5"
        assert dataset.schema == "subgrid-columns-1"
    assert "300 columns" in run_mskf(target, tmp_path / "answers.nc", threads=1)
    with pytest.raises(FileError, match="exists"):
        generate_columns(target, count=300, seed=5, workers=1)


@pytest.mark.slow
def test_the_file_does_not_depend_on_the_number_of_workers(tmp_path: Path):
    from netCDF4 import Dataset

    count = 2 * BATCH + 100
    for workers in (1, 2):
        generate_columns(tmp_path / f"{workers}.nc", count=count, seed=1, workers=workers)
    with Dataset(tmp_path / "1.nc") as one, Dataset(tmp_path / "2.nc") as two:
        assert all(np.ma.allequal(one[name][:], two[name][:]) for name in one.variables)


def test_bad_requests(tmp_path: Path):
    with pytest.raises(InputError, match="at least 1"):
        generate_columns(tmp_path / "none.nc", count=0, seed=0)
    with pytest.raises(FileError, match="NetCDF"):
        run_mskf(Path(__file__), tmp_path / "answers.nc")
    assert not list(tmp_path.iterdir())
