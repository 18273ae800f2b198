"""Outputs of any model in a file are scored as a bundle's are; what does not fit is named."""

import json

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.variables import V1_TARGETS
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.splits import absolute_seconds, runs_of
from subgrid.workflows.climsim_outputs import read_outputs, trained_on, write_outputs
from subgrid.workflows.climsim_verdict import case_of, emulate, unseen


@pytest.fixture(scope="module")
def columns():
    return mock_columns(4, ncol=12, seed=1)


@pytest.fixture
def written(columns, tmp_path):
    outputs = {name: columns.field(name) for name in V1_TARGETS}
    seen = runs_of(absolute_seconds(columns.ymd[:1], columns.tod[:1]))
    facts = {"name": "perfect", "parameters": 7, "flops": 9.0, "trained_on": seen}
    return write_outputs(tmp_path / "perfect.nc", outputs, columns.ymd, columns.tod, **facts)


def test_outputs_come_back_for_the_steps_that_are_scored(written, columns):
    some = columns.at(np.array([3, 1]))
    found = emulate(written, some, case_of(some))
    assert (found.name, found.parameters, found.flops) == ("perfect", 7, 9.0)
    assert set(found.outputs) == set(V1_TARGETS)
    for name, values in found.outputs.items():
        np.testing.assert_allclose(values, some.field(name), rtol=1e-6)


def test_training_steps_are_left_out(written, columns):
    assert trained_on(written).tolist() == absolute_seconds(columns.ymd[:1], columns.tod[:1]).tolist()
    assert unseen(columns, [written]).ymd.size == 3


def test_steps_without_outputs_are_named(written):
    later = mock_columns(5, ncol=12, seed=1)
    with pytest.raises(InputError, match=rf"4 of the 5 .*{later.ymd[4]}, {later.tod[4]} s"):
        read_outputs(written, later)


def test_files_that_do_not_fit_are_refused(written, columns):
    with netCDF4.Dataset(str(written), "a") as dataset:
        dataset["cam_out_NETSW"][1, 2] = np.nan
        tod = dataset["tod"][...]
        dataset["tod"][1] = tod[0]
    with pytest.raises(FileError, match="found 1 time steps more than once"):
        read_outputs(written, columns)
    with netCDF4.Dataset(str(written), "a") as dataset:
        dataset["tod"][...] = tod
    with pytest.raises(FileError, match="cam_out_NETSW holds values that are not finite"):
        read_outputs(written, columns)
    with netCDF4.Dataset(str(written), "a") as dataset:
        dataset.renameVariable("cam_out_NETSW", "netsw")
    with pytest.raises(FileError, match="holds no cam_out_NETSW"):
        read_outputs(written, columns)
    with netCDF4.Dataset(str(written), "a") as dataset:
        dataset.schema = "other"
    with pytest.raises(FileError, match="found schema other"):
        trained_on(written)


def test_attributes_are_plain(written):
    with netCDF4.Dataset(str(written)) as dataset:
        assert isinstance(json.loads(dataset.trained_on), list)
        assert dataset["ptend_t"].units == "K/s"
