"""The few exceptions of subgrid; the command line turns them into one sentence and a non-zero exit."""


class SubgridError(Exception):
    """Base of all errors that a user can mend; the message says what, where, found, expected, what to do."""

    exit_code = 1


class InputError(SubgridError, ValueError):
    """An argument or an input array is not acceptable."""

    exit_code = 2


class FileError(SubgridError, OSError):
    """A file is missing, truncated, stale, of another schema, or would be overwritten."""

    exit_code = 3


class BlowUpError(SubgridError, ArithmeticError):
    """A simulation left the finite numbers; `time` is the last time at which it was finite."""

    exit_code = 4

    def __init__(self, message: str, time: float):
        super().__init__(message)
        self.time = time


class SetupError(SubgridError, RuntimeError):
    """Something outside Python is missing (library, plug-in, device); `subgrid doctor` says what to type."""

    exit_code = 5


class BridgeError(SubgridError, RuntimeError):
    """The Fortran/C bridge returned a non-zero status; `status` is that code."""

    exit_code = 6

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status
