"""A reference file is read back as it was written, and refused with one sentence when it is damaged."""

import dataclasses
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError
from subgrid.contracts.reference import (
    Reference,
    read_reference,
    round_mantissa,
    write_reference,
)
from subgrid.contracts.reference_variables import ATTRIBUTES, VARIABLES
from subgrid.sims.turbulence2d.cases import get_case

SIZES = {"wavenumber": 32, "shell": 46, "level": 3, "bin": 20, "bin_edge": 21, "moment": 3, "threshold": 3}


@pytest.fixture
def reference():
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.random([SIZES.get(dimension, 4) for dimension in variable.dimensions])
        for name, variable in VARIABLES.items()
    }
    arrays["level_grid"] = np.array([64, 32, 16])
    case = get_case("k4b0")
    attributes = dict.fromkeys(ATTRIBUTES, "x") | {"case": "k4b0", "grid": 64}
    attributes |= {name: getattr(case, name) for name in ("forcing_wavenumber", "beta", "viscosity", "drag")}
    return Reference(attributes, arrays)


@pytest.fixture
def path(reference, tmp_path):
    return write_reference(tmp_path / "k4b0.reference.nc", reference)


def altered(reference, **arrays):
    return Reference(reference.attributes, {**reference.arrays, **arrays})


def test_what_was_written_is_read(reference, path):
    found = read_reference(path, get_case("k4b0"))
    assert found.arrays.keys() == VARIABLES.keys()
    for name, variable in VARIABLES.items():
        stored = reference[name].astype(variable.kind)
        tolerance = 2.0**-12 if variable.rounded else 0.0
        np.testing.assert_allclose(found[name], stored, rtol=tolerance, atol=0.0)
        assert found[name].dtype == variable.kind
    assert {name: found.attributes[name] for name in ATTRIBUTES} == reference.attributes
    assert found.sigma == found["moments"][0, 0]
    assert found.level(32) == 1


def test_every_variable_says_what_it_is(path):
    with netCDF4.Dataset(path) as dataset:
        assert dataset.Conventions == "CF-1.10"
        for name, variable in VARIABLES.items():
            assert dataset[name].long_name == variable.long_name
            assert dataset[name].units == "1"


def test_unknown_level_is_named(reference):
    with pytest.raises(FileError, match="no level N = 128, only 64, 32, 16"):
        reference.level(128)


def test_existing_file_is_kept(reference, path):
    before = path.read_bytes()
    with pytest.raises(FileError, match="already exists"):
        write_reference(path, reference)
    assert path.read_bytes() == before
    write_reference(path, reference, overwrite=True)


def test_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(FileError, match="subgrid dns"):
        read_reference(tmp_path / "none.nc")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file_is_refused(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FileError, match=r"cannot be read|differ from their checksum"):
        read_reference(path)


def test_renamed_file_of_another_case_is_refused(path):
    other = path.rename(path.with_name("k4b20.reference.nc"))
    with pytest.raises(FileError, match="reference of case k4b0, expected k4b20"):
        read_reference(other, get_case("k4b20"))


def test_stale_parameters_are_refused(path):
    case = dataclasses.replace(get_case("k4b0"), viscosity=1e-4)
    with pytest.raises(FileError, match=r"viscosity = 5e-05, case k4b0 now has 0\.0001"):
        read_reference(path, case)


def test_other_schema_is_refused(path):
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.schema = "subgrid-reference 0"
    with pytest.raises(FileError, match="schema 'subgrid-reference 0', expected 'subgrid-reference 1'"):
        read_reference(path)


def test_edited_values_are_refused(path):
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["enstrophy_mean"][3] = 42.0
    with pytest.raises(FileError, match="checksum"):
        read_reference(path)


def test_missing_variable_is_refused(path):
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.renameVariable("pdf", "density")
    with pytest.raises(FileError, match="pdf"):
        read_reference(path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"pdf_lower": np.ones((3, 21))}, "pdf_lower in .* has shape"),
        ({"energy_x": np.full(32, np.nan)}, "not finite"),
        ({"extra": np.ones(3)}, "no variable extra"),
    ],
)
def test_invalid_contents_are_not_written(reference, tmp_path, change, complaint):
    with pytest.raises(FileError, match=complaint):
        write_reference(tmp_path / "bad.nc", altered(reference, **change))
    assert not list(tmp_path.iterdir())


def test_missing_attribute_is_named(reference, tmp_path):
    attributes = {name: value for name, value in reference.attributes.items() if name != "command"}
    with pytest.raises(FileError, match="lacks command"):
        write_reference(tmp_path / "bad.nc", Reference(attributes, reference.arrays))


@pytest.mark.parametrize("bits", [4, 12])
def test_rounding_keeps_kind_zero_and_relative_accuracy(bits):
    values = np.concatenate([[0.0], np.random.default_rng(0).standard_normal(1000) * 1e3]).astype("f4")
    rounded = round_mantissa(values, bits)
    assert rounded.dtype == values.dtype
    assert rounded[0] == 0.0
    np.testing.assert_allclose(rounded, values, rtol=2.0**-bits)
    np.testing.assert_array_equal(round_mantissa(rounded, bits), rounded)


def test_page_describes_every_variable_and_attribute():
    page = (Path(__file__).parents[2] / "docs" / "reference_file.md").read_text()
    missing = [name for name in (*VARIABLES, *ATTRIBUTES) if f"`{name}`" not in page]
    assert not missing
