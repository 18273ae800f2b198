"""The shared library of the bridge from Python: five C functions, statuses turned into exceptions."""

import ctypes
from functools import cache

from ..contracts.native_library import NativeLibrary
from ..contracts.status import raise_for

LIBRARY = NativeLibrary("libsubgrid_bridge.so", "SUBGRID_LIBRARY", "bridge")

Pointers = ctypes.POINTER(ctypes.c_void_p)
Sizes = ctypes.POINTER(ctypes.c_int64)


@cache
def library() -> ctypes.CDLL:
    """The loaded library with the signatures of fortran_bridge/include/subgrid_c.h."""
    loaded = LIBRARY.load()
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
