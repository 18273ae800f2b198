"""Write a bundle: arrays and programs in, a directory out, read back before it gets its final name."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from .bundle import (
    ALIGNMENT,
    CHECK,
    KINDS,
    MANIFEST,
    WEIGHTS,
    Bundle,
    Check,
    Field,
    Parameter,
    Program,
    ProgramSignature,
    StoredFile,
    little_endian,
)
from .bundle_entries import manifest_entries, one_line
from .errors import InputError
from .files import writing
from .manifest import NAME, format_manifest
from .provenance import provenance


@dataclass(frozen=True)
class Artifact(ProgramSignature):
    """A program as bytes: `mlir` for every host (VHLO bytecode), `jax` as jax.export serialises it."""

    mlir: bytes
    jax: bytes


@dataclass(frozen=True)
class CheckVectors:
    """Arguments and results (entries, *shape) that `program` must reproduce at every batch size."""

    program: str
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]
    rtol: float
    atol: float


class Arrays:
    """Bytes of arrays one after the other, each on a 64-byte boundary."""

    def __init__(self):
        self.content = bytearray()

    def append(self, array: np.ndarray) -> int:
        """Add `array` and return its byte offset."""
        self.content += bytes(-len(self.content) % ALIGNMENT)
        offset = len(self.content)
        self.content += np.ascontiguousarray(array, little_endian(array.dtype.name)).tobytes()
        return offset


def write_bundle(
    path: str | os.PathLike,
    *,
    name: str,
    description: str,
    config: str,
    precision: str,
    batch_sizes: Sequence[int],
    inputs: Sequence[Field],
    outputs: Sequence[Field],
    parameters: Mapping[str, np.ndarray],
    programs: Sequence[Artifact],
    checks: Sequence[CheckVectors],
    overwrite: bool = False,
) -> Bundle:
    """Write, read back with every check of `Bundle.open`, then rename to `path`; returns the bundle there.

    Raises `InputError` for names and kinds that the format does not have, `FileError` as `writing` does.
    """
    require_expressible(name, [*inputs, *outputs], parameters)
    with writing(path, overwrite=overwrite) as folder:
        (folder / "programs").mkdir(parents=True)
        weights, vectors = Arrays(), Arrays()
        placed = [Parameter(key, a.dtype.name, a.shape, weights.append(a)) for key, a in parameters.items()]
        placed_checks = [one for check in checks for one in place(vectors, check, batch_sizes)]
        origin = provenance()
        bundle = Bundle(
            path=folder,
            name=name,
            description=one_line(description),
            created=origin.pop("created"),
            git_revision=origin.pop("git_revision"),
            versions=", ".join(f"{package} {number}" for package, number in origin.items()),
            config=one_line(config),
            precision=precision,
            batch_sizes=tuple(batch_sizes),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            parameters=tuple(placed),
            programs=tuple(store_program(folder, artifact) for artifact in programs),
            checks=tuple(placed_checks),
            weights=store(folder, WEIGHTS, bytes(weights.content)),
            check_vectors=store(folder, CHECK, bytes(vectors.content)),
        )
        (folder / MANIFEST).write_text(format_manifest(manifest_entries(bundle)), encoding="utf-8")
        Bundle.open(folder)
    return Bundle.open(path)


def require_expressible(name: str, fields: Sequence[Field], parameters: Mapping[str, np.ndarray]) -> None:
    """Refuse what the format has no words for."""
    for word in [name, *(field.name for field in fields)]:
        if not NAME.fullmatch(word):
            raise InputError(
                f"The name '{word}' is not a letter followed by letters, digits, _, - or .; rename it."
            )
    kinds = [(f.name, f.kind) for f in fields] + [(key, a.dtype.name) for key, a in parameters.items()]
    for label, kind in kinds:
        if kind not in KINDS:
            raise InputError(
                f"{label} has the kind {kind}, a bundle holds {' '.join(KINDS)}; convert it inside the "
                "program."
            )
    for field in fields:
        if not field.units.strip():
            raise InputError(f"{field.name} has no units; write 1 for a number without dimension.")


def store(folder: Path, name: str, content: bytes) -> StoredFile:
    """Write one file and say what was written."""
    (folder / name).write_bytes(content)
    return StoredFile(name, len(content), hashlib.sha256(content).hexdigest())


def store_program(folder: Path, artifact: Artifact) -> Program:
    """Write the two files of a program."""
    stem = f"programs/{artifact.name}.{artifact.platform}.b{artifact.batch}"
    return Program(
        **{field.name: getattr(artifact, field.name) for field in fields(ProgramSignature)},
        artifact=store(folder, f"{stem}.mlir", artifact.mlir),
        jax_artifact=store(folder, f"{stem}.jax", artifact.jax),
    )


def place(vectors: Arrays, check: CheckVectors, batch_sizes: Sequence[int]) -> list[Check]:
    """One check per batch size, all over the first entries of the same arrays."""
    input_offsets = tuple(vectors.append(array) for array in check.inputs)
    output_offsets = tuple(vectors.append(array) for array in check.outputs)
    entries = check.inputs[0].shape[0]
    return [
        Check(
            check.program, batch, min(entries, batch), input_offsets, output_offsets, check.rtol, check.atol
        )
        for batch in batch_sizes
    ]
