"""The shared library of the bridge from Python: five C functions, statuses turned into exceptions."""

import ctypes
import os
from functools import cache
from pathlib import Path

from ..contracts.errors import SetupError
from ..contracts.status import raise_for

NAME = "libsubgrid_bridge.so"
VARIABLE = "SUBGRID_LIBRARY"
ROOT = Path(__file__).resolve().parents[1]

Pointers = ctypes.POINTER(ctypes.c_void_p)
Sizes = ctypes.POINTER(ctypes.c_int64)


def find_library() -> Path:
    """SUBGRID_LIBRARY if set, else the release build of this checkout, else the newest of its others."""
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named)
        path = path / NAME if path.is_dir() else path
        if not path.is_file():
            raise SetupError(
                f"{path}, the bridge library that {VARIABLE} names, is not there; correct the path."
            )
        return path.resolve()
    built = [
        *ROOT.glob(f"_build/*/{NAME}"),
        *ROOT.glob(f"_build/*/*/{NAME}"),
        *ROOT.glob(f"_build/*/*/*/{NAME}"),
    ]
    if not built:
        raise SetupError(
            f"The bridge library {NAME} is not built: run 'make build' in the checkout of subgrid, or set "
            f"{VARIABLE} "
            "to the path of an installed one."
        )
    return max(built, key=lambda path: ("release" in path.parts, path.stat().st_mtime))


@cache
def library() -> ctypes.CDLL:
    """The loaded library with the signatures of fortran_bridge/include/subgrid_c.h."""
    path = find_library()
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise SetupError(f"The bridge library {path} cannot be loaded ({error}); build it again.") from error
    text, number, handle = ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p
    loaded.subgrid_c_load.argtypes = [text, number, text, number, ctypes.POINTER(handle)]
    loaded.subgrid_c_run.argtypes = [
        handle, text, ctypes.c_int64, Pointers, Sizes, number, Pointers, Sizes, number,
    ]  # fmt: skip
    loaded.subgrid_c_query.argtypes = [handle, text, ctypes.c_char_p, ctypes.c_int64, Sizes]
    loaded.subgrid_c_free.argtypes = [handle]
    loaded.subgrid_c_message.argtypes = [ctypes.c_char_p, ctypes.c_int64]
    for function in (
        loaded.subgrid_c_load,
        loaded.subgrid_c_run,
        loaded.subgrid_c_query,
        loaded.subgrid_c_free,
    ):
        function.restype = number
    loaded.subgrid_c_message.restype = ctypes.c_int64
    return loaded


def check(status: int) -> None:
    """Raise what `status` stands for, with the sentence of the library."""
    if status != 0:
        raise_for(status, last_message() or f"The bridge failed with status {status} and without a message.")


def last_message() -> str:
    """The sentence of this thread's last failure."""
    length = library().subgrid_c_message(None, 0)
    buffer = ctypes.create_string_buffer(int(length) + 1)
    library().subgrid_c_message(buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace")
