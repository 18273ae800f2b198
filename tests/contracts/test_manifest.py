"""Any bundle's description survives the way through text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgrid.contracts.bundle import Bundle, Check, Field, Parameter, Program, StoredFile
from subgrid.contracts.bundle_entries import manifest_entries, one_line
from subgrid.contracts.bundle_reader import interpret
from subgrid.contracts.errors import FileError
from subgrid.contracts.manifest import Manifest, format_manifest, parse_manifest

PATH = Path("some.bundle")
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.\-]{0,12}", fullmatch=True)
# Every character that NetCDF attributes and configurations may hold, also = and #.
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40).map(one_line)
shapes = st.lists(st.integers(1, 99), max_size=4).map(tuple)
kinds = st.sampled_from(["float32", "float64", "int32", "int64"])
limits = st.none() | st.floats(allow_nan=False)
fields = st.builds(Field, names, kinds, shapes, texts.filter(bool), texts, limits, limits)


@st.composite
def bundles(draw):
    found = draw(st.lists(fields, min_size=2, max_size=5, unique_by=lambda field: field.name))
    cut = draw(st.integers(1, len(found) - 1))
    inputs, outputs = tuple(found[:cut]), tuple(found[cut:])
    batches = tuple(sorted(draw(st.sets(st.integers(1, 5000), min_size=1, max_size=3))))
    count = draw(st.integers(0, 3))
    parameters = tuple(Parameter(f"p{i}", draw(kinds), draw(shapes), 64 * i) for i in range(count))
    stored = StoredFile("programs/a.mlir", draw(st.integers(1, 10**12)), "0123456789abcdef" * 4)
    arguments = tuple(f.name for f in inputs), tuple(f.name for f in outputs)
    kept = tuple(sorted(draw(st.sets(st.integers(0, len(inputs) - 1)))))
    tolerance = draw(st.floats(0, 0.99))
    return Bundle(
        path=PATH,
        **{key: draw(texts) for key in ("description", "created", "versions", "git_revision", "config")},
        name=draw(names),
        precision=draw(st.sampled_from(["float32", "float64"])),
        batch_sizes=batches,
        inputs=inputs,
        outputs=outputs,
        parameters=parameters,
        programs=tuple(
            Program("forward", "cpu", b, *arguments, tuple(range(count)), kept, stored, stored)
            for b in batches
        ),
        checks=tuple(
            Check(
                "forward",
                b,
                1,
                (0,) * len(inputs),
                (64,) * len(outputs),
                tolerance,
                draw(st.floats(0, 1e300)),
            )
            for b in batches
        ),
        weights=StoredFile("weights.bin", 10**10, stored.sha256),
        check_vectors=StoredFile("check.bin", 10**10, stored.sha256),
    )


@settings(max_examples=60, deadline=None)
@given(bundles())
def test_round_trip(bundle):
    text = format_manifest(manifest_entries(bundle))
    read = interpret(PATH, Manifest(PATH / "manifest.txt", parse_manifest(text, PATH)))
    assert read == bundle


@settings(max_examples=60, deadline=None)
@given(bundles(), st.data())
def test_a_lost_line_is_refused_or_harmless(bundle, data):
    """Without any one line the manifest is refused, unless the key is optional (a limit)."""
    lines = format_manifest(manifest_entries(bundle)).splitlines()
    lost = data.draw(st.integers(0, len(lines) - 1))
    if ".valid_" in lines[lost].partition(" = ")[0]:
        return
    text = "\n".join(lines[:lost] + lines[lost + 1 :])
    with pytest.raises(FileError):
        interpret(PATH, Manifest(PATH / "manifest.txt", parse_manifest(text, PATH)))
