"""Status codes of the Fortran and C interfaces, and the exception that each becomes in Python.

The numbers equal those of contracts/fortran/subgrid_errors.f90 (a test compares them).
"""

from enum import IntEnum

from .errors import BlowUpError, BridgeError, FileError, InputError, SetupError, SubgridError


class Status(IntEnum):
    """0 is success, negative codes are subgrid's own, positive ones are the absl codes that PJRT returns."""

    OK = 0
    FILE = -1
    FORMAT = -2
    CHECKSUM = -3
    RANK = -4
    SHAPE = -5
    KIND = -6
    NAME = -7
    DEVICE = -8
    PLUGIN = -9
    SELFTEST = -10
    VALUE = -11
    BLOW_UP = -12
    STATE = -13


EXCEPTIONS: dict[Status, type[SubgridError]] = {
    Status.FILE: FileError,
    Status.FORMAT: FileError,
    Status.CHECKSUM: FileError,
    Status.RANK: InputError,
    Status.SHAPE: InputError,
    Status.KIND: InputError,
    Status.NAME: InputError,
    Status.VALUE: InputError,
    Status.DEVICE: SetupError,
    Status.PLUGIN: SetupError,
}


def raise_for(status: int, message: str, *, time: float = float("nan")) -> None:
    """Return if `status` is 0; otherwise raise the exception that it stands for, saying `message`."""
    if status == Status.OK:
        return
    if status == Status.BLOW_UP:
        raise BlowUpError(message, time)
    if status in EXCEPTIONS:
        raise EXCEPTIONS[Status(status)](message)
    raise BridgeError(message, status)
