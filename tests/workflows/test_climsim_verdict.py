"""What `validate climsim` refuses before it reads any data."""

from pathlib import Path

import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.workflows.climsim_verdict import validate

CLOSURE = Path(__file__).parents[2] / "docs" / "results" / "rl" / "k4b0.bundle"


def test_models_are_refused_before_data_are_read(tmp_path):
    data, out = tmp_path / "no data", tmp_path / "report"
    one, twin = tmp_path / "a" / "linear.bundle", tmp_path / "b" / "linear.bundle"
    with pytest.raises(InputError, match="Two models have one name"):
        validate([one, twin], data, out)
    with pytest.raises(InputError, match="reference 'mlp' is not among"):
        validate([one], data, out, reference="mlp")
    with pytest.raises(FileError, match=r"bundle .*linear.bundle does not exist"):
        validate([one], data, out)
    with pytest.raises(InputError, match=r"k4b0.bundle is no emulator .* found the input 'vorticity'"):
        validate([CLOSURE], data, out)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileError, match="a folder with other things than an earlier output"):
        validate([tmp_path / "linear.bundle"], tmp_path / "no data", tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").is_file()
