"""The shared library with the scheme: where it is and how its C entries look."""

import ctypes
from functools import cache

from ...contracts.native_library import NativeLibrary

LIBRARY = NativeLibrary("libsubgrid_mskf.so", "SUBGRID_MSKF_LIBRARY", "convection")
ENTRIES = {"double": "subgrid_mskf_columns_dp", "single": "subgrid_mskf_columns_sp"}
Addresses = ctypes.POINTER(ctypes.c_void_p)
Integers = ctypes.POINTER(ctypes.c_int32)


@cache
def library() -> ctypes.CDLL:
    """The loaded library with typed entries."""
    loaded = LIBRARY.load()
    for name in ENTRIES.values():
        entry = getattr(loaded, name)
        entry.argtypes = [ctypes.c_int] * 4 + [Addresses] * 3 + [Integers] * 2
        entry.restype = None
    return loaded
