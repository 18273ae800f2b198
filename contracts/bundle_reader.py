"""From manifest.txt to a verified `Bundle`: every kind of damage is refused with one sentence."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

from .bundle import (
    ALIGNMENT,
    CHECK,
    COTANGENT,
    KINDS,
    MANIFEST,
    PLATFORMS,
    PRECISIONS,
    WEIGHTS,
    Bundle,
    Check,
    Field,
    Parameter,
    Program,
    StoredFile,
    size_in_bytes,
)
from .errors import FileError
from .manifest import Manifest


def read_bundle(path: Path) -> Bundle:
    """Read `path`/manifest.txt, check that it is coherent, then sizes and checksums of all files."""
    if not path.is_dir():
        state = "is not a directory" if path.exists() else "does not exist"
        raise FileError(f"The bundle {path} {state}; expected a directory with {MANIFEST} in it.")
    bundle = interpret(path, Manifest.read(path / MANIFEST))
    for stored in stored_files(bundle):
        verify_file(path, stored)
    return bundle


def interpret(path: Path, manifest: Manifest) -> Bundle:
    """The meaning of the entries; no other file is touched."""
    parameters = records(manifest, "parameter", read_parameter, least=0)
    programs = records(manifest, "program", read_program)
    bundle = Bundle(
        path=path,
        name=manifest.name("name"),
        description=manifest.text("description_text"),
        created=manifest.text("created"),
        versions=manifest.text("versions_text"),
        git_revision=manifest.text("git_revision"),
        config=manifest.text("config_text"),
        precision=manifest.choice("precision", PRECISIONS),
        batch_sizes=manifest.integers("batch_sizes", least=1),
        inputs=records(manifest, "input", read_field),
        outputs=records(manifest, "output", read_field),
        parameters=parameters,
        programs=programs,
        checks=records(manifest, "check", read_check),
        weights=StoredFile(
            WEIGHTS, manifest.integer("weights.bytes", least=0), manifest.checksum("weights.sha256")
        ),
        check_vectors=StoredFile(
            CHECK, manifest.integer("check.bytes", least=0), manifest.checksum("check.sha256")
        ),
    )
    require_coherent(bundle, manifest)
    return bundle


def records(manifest: Manifest, kind: str, read_one, *, least: int = 1) -> tuple:
    """All records of a kind, in their order."""
    count = manifest.integer(f"{kind}s", least=least)
    return tuple(read_one(manifest, f"{kind}.{index}") for index in range(1, count + 1))


def read_field(manifest: Manifest, key: str) -> Field:
    """The input or output at `key`; its two shapes must be each other's reverse."""
    shape = read_shape(manifest, f"{key}.shape")
    if read_shape(manifest, f"{key}.shape_fortran") != shape[::-1]:
        raise manifest.fail(
            f"{key}.shape_fortran",
            manifest.text(f"{key}.shape_fortran"),
            f"{shape[::-1]}, the reverse of shape",
        )
    limits = {
        limit: manifest.real(f"{key}.{limit}")
        for limit in ("valid_min", "valid_max")
        if manifest.has(f"{key}.{limit}")
    }
    return Field(
        name=manifest.name(f"{key}.name"),
        kind=manifest.choice(f"{key}.kind", KINDS),
        shape=shape,
        units=manifest.text(f"{key}.units"),
        long_name=manifest.text(f"{key}.long_name_text"),
        **limits,
    )


def read_shape(manifest: Manifest, key: str) -> tuple[int, ...]:
    """Dimensions, () for `scalar`."""
    return () if manifest.text(key) == "scalar" else manifest.integers(key, least=1)


def read_parameter(manifest: Manifest, key: str) -> Parameter:
    """The parameter at `key`; its bytes must follow from kind and shape."""
    parameter = Parameter(
        name=manifest.text(f"{key}.name"),
        kind=manifest.choice(f"{key}.kind", KINDS),
        shape=read_shape(manifest, f"{key}.shape"),
        offset=manifest.integer(f"{key}.offset", least=0),
    )
    if manifest.integer(f"{key}.bytes", least=0) != parameter.bytes:
        raise manifest.fail(
            f"{key}.bytes", manifest.text(f"{key}.bytes"), f"{parameter.bytes} from its kind and shape"
        )
    return parameter


def read_program(manifest: Manifest, key: str) -> Program:
    """The program at `key`."""
    return Program(
        name=manifest.name(f"{key}.name"),
        platform=manifest.choice(f"{key}.platform", PLATFORMS),
        batch=manifest.integer(f"{key}.batch", least=1),
        inputs=manifest.words(f"{key}.inputs"),
        outputs=manifest.words(f"{key}.outputs"),
        parameters_kept=tuple(i - 1 for i in manifest.integers(f"{key}.parameters_kept", least=1)),
        inputs_kept=tuple(i - 1 for i in manifest.integers(f"{key}.inputs_kept", least=1)),
        artifact=read_stored(manifest, key, ""),
        jax_artifact=read_stored(manifest, key, "jax_"),
    )


def read_stored(manifest: Manifest, key: str, twin: str) -> StoredFile:
    """The artifact (`twin` empty) or its twin for JAX hosts (`jax_`)."""
    return StoredFile(
        manifest.file(f"{key}.{twin}file"),
        manifest.integer(f"{key}.{twin}bytes", least=1),
        manifest.checksum(f"{key}.{twin}sha256"),
    )


def read_check(manifest: Manifest, key: str) -> Check:
    """The check at `key`."""
    return Check(
        program=manifest.name(f"{key}.program"),
        batch=manifest.integer(f"{key}.batch", least=1),
        entries=manifest.integer(f"{key}.entries", least=1),
        input_offsets=manifest.integers(f"{key}.input_offsets", least=0),
        output_offsets=manifest.integers(f"{key}.output_offsets", least=0),
        rtol=manifest.real(f"{key}.rtol"),
        atol=manifest.real(f"{key}.atol"),
    )


def require_coherent(bundle: Bundle, manifest: Manifest) -> None:
    """What single keys cannot show: refuse records that contradict each other."""
    for contradiction in contradictions(bundle):
        raise FileError(f"{manifest.path}: {contradiction}; export the bundle again.")


def contradictions(bundle: Bundle) -> Iterator[str]:
    """Each contradiction among the records, as part of a sentence."""
    sizes, names = bundle.batch_sizes, [f.name for f in bundle.inputs + bundle.outputs]
    if not sizes or list(sizes) != sorted(set(sizes)):
        yield f"batch_sizes {sizes} do not ascend"
    if len(set(names)) != len(names):
        yield f"a name occurs twice among inputs and outputs ({' '.join(names)})"
    wanted = {(n, p, b) for n in bundle.program_names() for p in bundle.platforms() for b in sizes}
    found = [(p.name, p.platform, p.batch) for p in bundle.programs]
    if set(found) != wanted or len(found) != len(wanted):
        yield "programs lack a batch size, or there are two for the same"
    if "forward" not in bundle.program_names():
        yield "there is no program forward"
    checked = [(c.program, c.batch) for c in bundle.checks]
    if len(set(checked)) != len(checked):
        yield "two checks are for the same program and batch size"
    for program in bundle.programs:
        yield from program_contradictions(bundle, program)
    for parameter in bundle.parameters:
        if misplaced(parameter.offset, parameter.bytes, bundle.weights):
            yield f"parameter {parameter.name} is misaligned or past the end of {WEIGHTS}"
    for check in bundle.checks:
        yield from check_contradictions(bundle, check)


def program_contradictions(bundle: Bundle, program: Program) -> Iterator[str]:
    """Of one program with fields, parameters and checks."""
    label = f"program {program.name} (batch {program.batch})"
    names = [f.name for f in bundle.inputs + bundle.outputs]
    unknown = [n for n in program.inputs + program.outputs if n.removeprefix(COTANGENT) not in names]
    if unknown:
        yield f"{label} names {' '.join(unknown)}, no input or output"
    if (program.name, program.batch) not in [(c.program, c.batch) for c in bundle.checks]:
        yield f"{label} has no check"
    if program.name == "forward" and (program.inputs, program.outputs) != (
        tuple(f.name for f in bundle.inputs),
        tuple(f.name for f in bundle.outputs),
    ):
        yield f"{label} has other arguments or results than the inputs and outputs"
    for kept, count in (
        (program.parameters_kept, len(bundle.parameters)),
        (program.inputs_kept, len(program.inputs)),
    ):
        if list(kept) != sorted(set(kept)) or (kept and kept[-1] >= count):
            yield f"{label} keeps arguments out of order or beyond the {count} there are"


def check_contradictions(bundle: Bundle, check: Check) -> Iterator[str]:
    """Of one check with its program and check.bin."""
    label = f"the check of {check.program} (batch {check.batch})"
    program = next((p for p in bundle.programs if (p.name, p.batch) == (check.program, check.batch)), None)
    if program is None:
        yield f"{label} is for a program that is not there"
        return
    if check.entries > check.batch:
        yield f"{label} has {check.entries} entries, more than the batch"
    if not (0 <= check.rtol < 1 and 0 <= check.atol < math.inf):
        yield f"{label} has no usable tolerance"
    for names, offsets in (
        (program.inputs, check.input_offsets),
        (program.outputs, check.output_offsets),
    ):
        if len(names) != len(offsets):
            yield f"{label} has {len(offsets)} arrays, expected {len(names)}"
            return
        for name, offset in zip(names, offsets, strict=True):
            field = bundle.field(name)
            size = size_in_bytes(field.kind, (check.entries, *field.shape))
            if misplaced(offset, size, bundle.check_vectors):
                yield f"{label}: {name} is misaligned or past the end of {CHECK}"


def misplaced(offset: int, size: int, stored: StoredFile) -> bool:
    """Whether an array cannot lie at `offset` of a stored file."""
    return offset % ALIGNMENT != 0 or offset + size > stored.bytes


def stored_files(bundle: Bundle) -> list[StoredFile]:
    """Every file of the bundle but the manifest."""
    programs = [stored for p in bundle.programs for stored in (p.artifact, p.jax_artifact)]
    return [bundle.weights, bundle.check_vectors, *programs]


def verify_file(folder: Path, stored: StoredFile) -> None:
    """Size first (the common damage is a truncated copy), then the checksum."""
    path = folder / stored.path
    if not path.is_file():
        raise FileError(f"{path} is missing although {MANIFEST} names it; copy the whole bundle again.")
    size = path.stat().st_size
    if size != stored.bytes:
        raise FileError(
            f"{path} has {size} bytes, expected {stored.bytes}: a broken copy; copy the bundle again."
        )
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != stored.sha256:
        raise FileError(
            f"{path} has the checksum {found[:12]}…, expected {stored.sha256[:12]}…: its content was "
            "changed; "
            "copy or export the bundle again."
        )
