"""A bundle as the entries of its manifest (docs/bundle.md); `bundle_reader.interpret` is the inverse."""

from collections.abc import Iterable

from .bundle import Bundle, Check, Field, Parameter, Program


def manifest_entries(bundle: Bundle) -> dict[str, str]:
    """All keys of docs/bundle.md between `format` and `end`."""
    entries = {
        "name": bundle.name,
        "description_text": bundle.description,
        "created": bundle.created,
        "versions_text": bundle.versions,
        "git_revision": bundle.git_revision,
        "config_text": bundle.config,
        "precision": bundle.precision,
        "batch_sizes": words(bundle.batch_sizes),
    }
    for role, fields in (("input", bundle.inputs), ("output", bundle.outputs)):
        add_records(entries, role, [field_entries(field) for field in fields])
    add_records(entries, "parameter", [parameter_entries(parameter) for parameter in bundle.parameters])
    add_records(entries, "program", [program_entries(program) for program in bundle.programs])
    add_records(entries, "check", [check_entries(check) for check in bundle.checks])
    for role, stored in (("weights", bundle.weights), ("check", bundle.check_vectors)):
        entries |= {f"{role}.bytes": str(stored.bytes), f"{role}.sha256": stored.sha256}
    return entries


def add_records(entries: dict[str, str], kind: str, found: list[dict[str, str]]) -> None:
    """The count of the records, then their keys with the index from 1."""
    entries[f"{kind}s"] = str(len(found))
    for index, record in enumerate(found, start=1):
        entries |= {f"{kind}.{index}.{key}": value for key, value in record.items()}


def field_entries(field: Field) -> dict[str, str]:
    """Keys of an input or output."""
    entries = {
        "name": field.name,
        "kind": field.kind,
        "shape": shape_words(field.shape),
        "shape_fortran": shape_words(field.shape[::-1]),
        "units": one_line(field.units),
        "long_name_text": one_line(field.long_name),
    }
    limits = {"valid_min": field.valid_min, "valid_max": field.valid_max}
    return entries | {key: repr(float(value)) for key, value in limits.items() if value is not None}


def parameter_entries(parameter: Parameter) -> dict[str, str]:
    """Keys of a parameter."""
    return {
        "name": parameter.name,
        "kind": parameter.kind,
        "shape": shape_words(parameter.shape),
        "offset": str(parameter.offset),
        "bytes": str(parameter.bytes),
    }


def program_entries(program: Program) -> dict[str, str]:
    """Keys of a program; kept arguments count from 1."""
    entries = {
        "name": program.name,
        "platform": program.platform,
        "batch": str(program.batch),
        "inputs": words(program.inputs),
        "outputs": words(program.outputs),
        "parameters_kept": words(index + 1 for index in program.parameters_kept),
        "inputs_kept": words(index + 1 for index in program.inputs_kept),
    }
    for twin, stored in (("", program.artifact), ("jax_", program.jax_artifact)):
        entries |= {
            f"{twin}file": stored.path,
            f"{twin}bytes": str(stored.bytes),
            f"{twin}sha256": stored.sha256,
        }
    return entries


def check_entries(check: Check) -> dict[str, str]:
    """Keys of a check."""
    return {
        "program": check.program,
        "batch": str(check.batch),
        "entries": str(check.entries),
        "input_offsets": words(check.input_offsets),
        "output_offsets": words(check.output_offsets),
        "rtol": repr(check.rtol),
        "atol": repr(check.atol),
    }


def one_line(text: str) -> str:
    """The manifest keeps free text on one line."""
    return " ".join(text.split())


def words(values: Iterable) -> str:
    """A list as the manifest writes it."""
    return " ".join(map(str, values)) or "none"


def shape_words(shape: tuple[int, ...]) -> str:
    """A shape as the manifest writes it."""
    return " ".join(map(str, shape)) or "scalar"
