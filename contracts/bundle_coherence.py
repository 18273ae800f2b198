"""What single keys of a manifest cannot show: records that contradict each other."""

import math
from collections.abc import Iterator

from .bundle import (
    ALIGNMENT,
    CHECK,
    COTANGENT,
    WEIGHTS,
    Bundle,
    Check,
    Program,
    StoredFile,
    size_in_bytes,
)


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
