"""From manifest.txt to a verified `Bundle`: every kind of damage is refused with one sentence."""

import hashlib
from pathlib import Path

from .bundle import (
    CHECK,
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
)
from .bundle_coherence import contradictions
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
            "changed; copy or export the bundle again."
        )
