"""A bundle in a NumPy host, through the same library that a Fortran host uses; no JAX in the process.

model = BundleModel("closure.bundle")
tendency, = model(vorticity)               # vorticity (n, *shape), any n
"""

import ctypes
import os
from pathlib import Path

import numpy as np

from ..contracts.bundle import Bundle, Field
from ..contracts.errors import InputError
from .library import check, library
from .plugins import plugin_argument

ALIGNMENT = 64  # bytes; the plug-in reads such arrays in place and copies others


class BundleModel:
    """A bundle on a device, accepted only after it reproduced its check vectors there.

    `device` is `cpu`, `cuda`, the name or the path of another plug-in; `index` counts devices from 0.

    Raises `FileError` (damaged bundle), `SetupError` (library, plug-in or device missing), `BridgeError`
    (the plug-in computes other numbers than the exporter).
    """

    def __init__(self, path: str | os.PathLike, device: str = "cpu", *, index: int = 0):
        self.bundle = Bundle.open(Path(path))
        self._handle = ctypes.c_void_p()
        self._signatures = {name: self._signature(name) for name in self.bundle.program_names()}
        plugin = plugin_argument(device)
        verify = 1
        status = library().subgrid_c_load(
            plugin.encode(), index, str(self.bundle.path).encode(), verify, ctypes.byref(self._handle)
        )
        check(status)

    def __call__(self, *inputs: np.ndarray, program: str = "forward") -> tuple[np.ndarray, ...]:
        """Outputs (n, *shape) of `program` for inputs (n, *shape); kinds must be those of the manifest.

        Raises `InputError` that names the argument which does not fit.
        """
        arguments, results = self.signature(program)
        if len(inputs) != len(arguments):
            names = ", ".join(name for name, _ in arguments)
            raise InputError(
                f"Program {program} of {self.bundle.path} got {len(inputs)} arrays, expected "
                f"{len(arguments)}: {names}."
            )
        arrays = [fitting(name, field, array) for (name, field), array in zip(arguments, inputs, strict=True)]
        entries = {array.shape[0] for array in arrays}
        if len(entries) != 1 or entries == {0}:
            raise InputError(f"The inputs have {sorted(entries)} entries, expected one number of at least 1.")
        n = entries.pop()
        outputs = [aligned_empty((n, *field.shape), field.kind) for _, field in results]
        status = library().subgrid_c_run(
            self._live(), program.encode(), n,
            addresses(arrays), sizes(arrays), len(arrays), addresses(outputs), sizes(outputs), len(outputs),
        )  # fmt: skip
        check(status)
        return tuple(outputs)

    def signature(self, program: str) -> tuple[list[tuple[str, Field]], list[tuple[str, Field]]]:
        """(name, field) of every argument and result of `program`."""
        if program not in self._signatures:
            names = ", ".join(self._signatures)
            raise InputError(f"{self.bundle.path} has no program {program}; it has {names}.")
        return self._signatures[program]

    def _signature(self, program: str) -> tuple[list[tuple[str, Field]], list[tuple[str, Field]]]:
        found = next(p for p in self.bundle.programs if p.name == program)
        return tuple(
            [(name, self.bundle.field(name)) for name in names] for names in (found.inputs, found.outputs)
        )

    def query(self, key: str) -> str:
        """Value of a manifest key, or of `session.platform` and the like (docs/bridge.md)."""
        length = ctypes.c_int64()
        check(library().subgrid_c_query(self._live(), key.encode(), None, 0, ctypes.byref(length)))
        buffer = ctypes.create_string_buffer(length.value + 1)
        check(
            library().subgrid_c_query(self._live(), key.encode(), buffer, len(buffer), ctypes.byref(length))
        )
        return buffer.value.decode()

    def close(self) -> None:
        """Release the device memory; the model is unusable afterwards."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        if handle:
            check(library().subgrid_c_free(handle))

    def __enter__(self) -> "BundleModel":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _live(self) -> ctypes.c_void_p:
        if not self._handle:
            raise InputError(f"The model of {self.bundle.path} was closed; load it again.")
        return self._handle


def fitting(name: str, field: Field, array: np.ndarray) -> np.ndarray:
    """`array` as the library reads it (contiguous, C order), if its kind and shape are the manifest's."""
    array = np.asarray(array)
    if array.dtype != np.dtype(field.kind) or array.ndim == 0 or array.shape[1:] != field.shape:
        raise InputError(
            f"The input {name} is {array.dtype.name} {array.shape}, expected {field.kind} "
            f"{('n', *field.shape)}; convert it before the call."
        )
    return np.ascontiguousarray(array)


def aligned_empty(shape: tuple[int, ...], kind: str) -> np.ndarray:
    """An uninitialised array on a 64-byte boundary."""
    size = np.dtype(kind).itemsize * int(np.prod(shape))
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(kind).reshape(shape)


def addresses(arrays: list[np.ndarray]) -> ctypes.Array:
    """A C array of pointers to the data."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


def sizes(arrays: list[np.ndarray]) -> ctypes.Array:
    """A C array of the sizes in bytes."""
    return (ctypes.c_int64 * len(arrays))(*(array.nbytes for array in arrays))
