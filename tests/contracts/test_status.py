"""The status codes of Fortran and Python are the same, and each becomes the right exception."""

import re
from pathlib import Path

import pytest

from subgrid.contracts.errors import BlowUpError, BridgeError, FileError, InputError, SetupError
from subgrid.contracts.status import Status, raise_for

SOURCE = Path(__file__).parents[2] / "contracts/fortran/subgrid_errors.f90"


def test_fortran_and_python_agree():
    found = re.findall(r"parameter :: status_(\w+) = (-?\d+)", SOURCE.read_text())
    assert {name.upper(): int(code) for name, code in found} == {s.name: s.value for s in Status}


@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (Status.FILE, FileError),
        (Status.CHECKSUM, FileError),
        (Status.SHAPE, InputError),
        (Status.NAME, InputError),
        (Status.PLUGIN, SetupError),
        (Status.SELFTEST, BridgeError),
        (Status.STATE, BridgeError),
        (Status.BLOW_UP, BlowUpError),
        (3, BridgeError),
        (-99, BridgeError),
    ],
)
def test_each_status_becomes_its_exception(status, exception):
    with pytest.raises(exception, match="what happened"):
        raise_for(status, "what happened")


def test_the_code_and_the_time_are_kept():
    with pytest.raises(BridgeError) as failure:
        raise_for(13, "internal")
    assert failure.value.status == 13
    with pytest.raises(BlowUpError) as failure:
        raise_for(Status.BLOW_UP, "not finite", time=2.5)
    assert failure.value.time == 2.5


def test_success_is_silent():
    raise_for(0, "")
