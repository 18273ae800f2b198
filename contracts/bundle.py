"""The bundle: one learned scheme that Python, Fortran and C read alike (docs/bundle.md); NumPy only.

bundle = Bundle.open("closure.bundle")     # verifies format, sizes and checksums
print(bundle.summary())
program = bundle.program("forward", "cpu", 64)
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import BridgeError, FileError, InputError
from .status import Status

KINDS = ("float32", "float64", "int32", "int64")
PRECISIONS = ("float32", "float64")
PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
ALIGNMENT = 64  # bytes; the plug-in copies what is aligned less
COTANGENT = "cotangent:"
WEIGHTS, CHECK, MANIFEST = "weights.bin", "check.bin", "manifest.txt"


@dataclass(frozen=True)
class Field:
    """An input or output of the scheme; `shape` is that of ONE batch entry in C order, `units` are CF's."""

    name: str
    kind: str
    shape: tuple[int, ...]
    units: str = "1"
    long_name: str = ""
    valid_min: float | None = None
    valid_max: float | None = None

    @property
    def dtype(self) -> np.dtype:
        return little_endian(self.kind)

    @property
    def is_real(self) -> bool:
        return self.kind in PRECISIONS


@dataclass(frozen=True)
class Parameter:
    """An array of weights.bin at byte `offset`."""

    name: str
    kind: str
    shape: tuple[int, ...]
    offset: int

    @property
    def bytes(self) -> int:
        return size_in_bytes(self.kind, self.shape)


@dataclass(frozen=True)
class StoredFile:
    """A file of the bundle with its size in bytes and SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ProgramSignature:
    """Arguments and results of one compiled-for-one-shape program, and which arguments it keeps.

    The kept indices count from 0 here and from 1 in the manifest.
    """

    name: str
    platform: str
    batch: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters_kept: tuple[int, ...]
    inputs_kept: tuple[int, ...]


@dataclass(frozen=True)
class Program(ProgramSignature):
    """A program of the bundle: for every host, and its twin for JAX hosts."""

    artifact: StoredFile
    jax_artifact: StoredFile


@dataclass(frozen=True)
class Check:
    """Where arguments and results of `entries` entries lie in check.bin, and how well they must agree."""

    program: str
    batch: int
    entries: int
    input_offsets: tuple[int, ...]
    output_offsets: tuple[int, ...]
    rtol: float
    atol: float

    def require(self, name: str, found: np.ndarray, expected: np.ndarray, where: str) -> None:
        """Raise `BridgeError` unless |found − expected| ≤ atol + rtol·max|expected|; NaN never agrees."""
        allowed = self.atol + self.rtol * float(np.max(np.abs(expected), initial=0.0))
        with np.errstate(invalid="ignore"):
            worst = float(np.max(np.abs(np.asarray(found, np.float64) - expected), initial=0.0))
        if found.shape != expected.shape or not worst <= allowed:
            raise BridgeError(
                f"The self-test of program {self.program} (batch {self.batch}) failed on {where}: {name} "
                f"differs from the bundle's check vector by {worst:.3g}, allowed {allowed:.3g}; this device "
                "or plug-in computes other numbers than the exporter, use another one or export the bundle "
                "again.",
                Status.SELFTEST,
            )


@dataclass(frozen=True)
class Bundle:
    """What the manifest says; arrays are read on demand."""

    path: Path
    name: str
    description: str
    created: str
    versions: str
    git_revision: str
    config: str
    precision: str
    batch_sizes: tuple[int, ...]
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    parameters: tuple[Parameter, ...]
    programs: tuple[Program, ...]
    checks: tuple[Check, ...]
    weights: StoredFile
    check_vectors: StoredFile

    @classmethod
    def open(cls, path) -> "Bundle":
        """Read and verify format, coherence, sizes and checksums; raises `FileError` for every damage."""
        from .bundle_reader import read_bundle  # it builds instances of this class

        return read_bundle(Path(path))

    def field(self, name: str) -> Field:
        """The input or output `name`; `cotangent:<name>` has the kind and shape of `<name>`."""
        for field in self.inputs + self.outputs:
            if field.name == name.removeprefix(COTANGENT):
                return field
        raise InputError(f"{self.path} has no input or output {name}; it has {self.field_names()}.")

    def field_names(self) -> str:
        return ", ".join(field.name for field in self.inputs + self.outputs)

    def program(self, name: str, platform: str, batch: int) -> Program:
        for program in self.programs:
            if (program.name, program.platform, program.batch) == (name, platform, batch):
                return program
        available = sorted({f"{p.name} on {p.platform}" for p in self.programs})
        raise InputError(
            f"{self.path} has no program {name} for {platform} and batch {batch}; it has "
            f"{', '.join(available)} for batch sizes {' '.join(map(str, self.batch_sizes))}."
        )

    def program_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(program.name for program in self.programs))

    def platforms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(program.platform for program in self.programs))

    def check(self, program: Program) -> Check:
        return next(c for c in self.checks if (c.program, c.batch) == (program.name, program.batch))

    def read_parameters(self) -> list[np.ndarray]:
        """All parameters in the order of the manifest."""
        content = (self.path / self.weights.path).read_bytes()
        return [array_at(content, p.offset, p.kind, p.shape) for p in self.parameters]

    def read_check(self, program: Program) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Arguments and expected results of `program`, each (entries, *shape)."""
        check, content = self.check(program), (self.path / self.check_vectors.path).read_bytes()

        def arrays(names, offsets):
            fields = [self.field(name) for name in names]
            return [
                array_at(content, o, f.kind, (check.entries, *f.shape))
                for f, o in zip(fields, offsets, strict=True)
            ]

        return arrays(program.inputs, check.input_offsets), arrays(program.outputs, check.output_offsets)

    def summary(self) -> str:
        """Several lines for people: what, from where, arguments, programs."""
        count = sum(math.prod(p.shape) for p in self.parameters)
        lines = [
            f"{self.name}: {self.description}",
            f"  made      {self.created}, revision {self.git_revision[:12]}, {self.versions}",
            f"  config    {self.config or '(none recorded)'}",
            f"  precision {self.precision}, {count} parameters, arrays: {len(self.parameters)} "
            f"({self.weights.bytes / 1e6:.2f} MB)",
            f"  programs  {', '.join(self.program_names())} for {', '.join(self.platforms())}; "
            f"batch sizes {' '.join(map(str, self.batch_sizes))}",
        ]
        for role, fields in (("input", self.inputs), ("output", self.outputs)):
            lines += [f"  {role:<9} {describe(field)}" for field in fields]
        check = self.checks[0]
        lines.append(
            f"  checked   {max(c.entries for c in self.checks)} entries, to {check.rtol:g} of the largest "
            "value"
        )
        return "\n".join(lines)


def describe(field: Field) -> str:
    """One line: name, kind, shape in both index orders, units, range."""
    python = ", ".join(["batch", *map(str, field.shape)])
    fortran = ", ".join([*map(str, reversed(field.shape)), "batch"])
    span = ""
    if field.valid_min is not None or field.valid_max is not None:
        low, high = ("?" if v is None else f"{v:g}" for v in (field.valid_min, field.valid_max))
        span = f", seen {low} … {high}"
    note = f"  {field.long_name}" if field.long_name else ""
    return f"{field.name} {field.kind} [{python}] = Fortran ({fortran}), {field.units}{span}{note}"


def little_endian(kind: str) -> np.dtype:
    """The type as it lies in the files of a bundle."""
    return np.dtype(kind).newbyteorder("<")


def size_in_bytes(kind: str, shape: tuple[int, ...]) -> int:
    """Of an array."""
    return np.dtype(kind).itemsize * math.prod(shape)


def array_at(content: bytes, offset: int, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array at a byte offset, in native byte order."""
    if offset + size_in_bytes(kind, shape) > len(content):
        raise FileError(f"An array at byte {offset} reaches past the end of its file; copy the bundle again.")
    array = np.frombuffer(content, little_endian(kind), count=math.prod(shape), offset=offset)
    return array.reshape(shape).astype(np.dtype(kind), copy=True)
