"""The shared library with the scheme: where it is and how its C entries look."""

import ctypes
import os
from functools import cache
from pathlib import Path

from ...contracts.errors import SetupError

NAME = "libsubgrid_mskf.so"
VARIABLE = "SUBGRID_MSKF_LIBRARY"
ROOT = Path(__file__).resolve().parents[2]
ENTRIES = {"double": "subgrid_mskf_columns_dp", "single": "subgrid_mskf_columns_sp"}
Addresses = ctypes.POINTER(ctypes.c_void_p)
Integers = ctypes.POINTER(ctypes.c_int32)


def find_library() -> Path:
    """SUBGRID_MSKF_LIBRARY if set, else the release build of this checkout, else the newest of its others."""
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named) / NAME if Path(named).is_dir() else Path(named)
        if not path.is_file():
            raise SetupError(f"{path}, the library that {VARIABLE} names, is not there; correct the path.")
        return path.resolve()
    built = [*ROOT.glob(f"_build/{NAME}"), *ROOT.glob(f"_build/*/{NAME}"), *ROOT.glob(f"_build/*/*/{NAME}")]
    if not built:
        raise SetupError(
            f"The convection library {NAME} is not built: run 'make build' in the checkout of subgrid, or "
            f"set {VARIABLE} to the path of an installed one."
        )
    return max(built, key=lambda path: ("release" in path.parts, path.stat().st_mtime))


@cache
def library() -> ctypes.CDLL:
    """The loaded library with typed entries."""
    path = find_library()
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise SetupError(f"The library {path} cannot be loaded ({error}); build it again.") from error
    for name in ENTRIES.values():
        entry = getattr(loaded, name)
        entry.argtypes = [ctypes.c_int] * 4 + [Addresses, Addresses, Integers, Integers]
        entry.restype = None
    return loaded
