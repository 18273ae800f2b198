"""A bundle is read back as it was written; every kind of damage is refused with its own sentence."""

import re
import subprocess
import sys

import numpy as np
import pytest

from subgrid.contracts.bundle import Bundle, Check, Field
from subgrid.contracts.bundle_writer import Artifact, CheckVectors, write_bundle
from subgrid.contracts.errors import BridgeError, FileError, InputError

X = np.arange(15, dtype=np.float32).reshape(3, 5)
MONTH = np.array([1, 2, 3], np.int32)
KERNEL = np.arange(10, dtype=np.float32).reshape(5, 2)


def write(path, **changes):
    """A bundle without JAX: the programs' bytes are not looked at by this layer."""
    arguments = {
        "name": "tiny",
        "description": "two lines\nof text",
        "config": "case = k4b0",
        "precision": "float32",
        "batch_sizes": (1, 4),
        "inputs": [Field("x", "float32", (5,), "m s-1", "wind", -1.5, 2e-7), Field("month", "int32", ())],
        "outputs": [Field("y", "float32", (2,), "K day-1")],
        "parameters": {"layers.0.kernel": KERNEL, "bias": np.float32(3).reshape(())},
        "programs": [
            Artifact("forward", "cpu", b, ("x", "month"), ("y",), (0,), (0, 1), b"ML", b"JX") for b in (1, 4)
        ],
        "checks": [CheckVectors("forward", (X, MONTH), (X @ KERNEL,), 1e-5, 1e-8)],
    }
    return write_bundle(path, **{**arguments, **changes})


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "tiny.bundle")
    return tmp_path / "tiny.bundle"


def test_what_was_written_is_read(path):
    bundle = Bundle.open(path)
    assert bundle.description == "two lines of text"
    assert bundle.inputs[0] == Field("x", "float32", (5,), "m s-1", "wind", -1.5, 2e-7)
    assert bundle.inputs[1].shape == ()
    kernel, bias = bundle.read_parameters()
    np.testing.assert_array_equal(kernel, KERNEL)
    assert bias.shape == ()
    assert all(p.offset % 64 == 0 for p in bundle.parameters)
    program = bundle.program("forward", "cpu", 4)
    (x, month), (y,) = bundle.read_check(program)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(month, MONTH)
    np.testing.assert_array_equal(y, X @ KERNEL)
    assert bundle.check(bundle.program("forward", "cpu", 1)).entries == 1


def test_the_summary_says_what_a_user_asks_first(path):
    text = Bundle.open(path).summary()
    for part in (
        "tiny",
        "11 parameters",
        "(5, batch)",
        "[batch, 5]",
        "m s-1",
        "batch sizes 1 4",
        "case = k4b0",
    ):
        assert part in text


def test_the_reader_needs_no_jax(path):
    code = (
        "import sys; from subgrid.contracts.bundle import Bundle; "
        f"Bundle.open({str(path)!r}).summary(); assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_field_that_is_not_there_is_named(path):
    bundle = Bundle.open(path)
    assert bundle.field("cotangent:y").shape == (2,)
    with pytest.raises(InputError, match="no input or output z; it has x, month, y"):
        bundle.field("z")
    with pytest.raises(InputError, match=r"no program forward for cuda.*forward on cpu"):
        bundle.program("forward", "cuda", 1)


def test_an_existing_bundle_is_kept(path):
    with pytest.raises(FileError, match="already exists"):
        write(path)
    assert write(path, description="second", overwrite=True).description == "second"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "two words"}, "'two words' is not a letter"),
        ({"inputs": [Field("x", "float16", (5,))]}, "x has the kind float16"),
        ({"parameters": {"w": np.ones(3, bool)}}, "w has the kind bool"),
        ({"outputs": [Field("y", "float32", (2,), " ")]}, "y has no units"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        write(tmp_path / "bad.bundle", **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_path_is_no_bundle(tmp_path):
    with pytest.raises(FileError, match="does not exist; expected a directory"):
        Bundle.open(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match=r"manifest\.txt does not exist.*is not a bundle"):
        Bundle.open(tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="is not a directory"):
        Bundle.open(tmp_path / "file")


@pytest.mark.parametrize("name", ["weights.bin", "check.bin", "programs/forward.cpu.b4.mlir"])
def test_damaged_files_are_refused(path, name):
    file = path / name
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(FileError, match=rf"{re.escape(name)} has \d+ bytes, expected {len(content)}"):
        Bundle.open(path)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(FileError, match=rf"{re.escape(name)} has the checksum"):
        Bundle.open(path)
    file.unlink()
    with pytest.raises(FileError, match=rf"{re.escape(name)} is missing"):
        Bundle.open(path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("format = subgrid-bundle 1", "format = subgrid-bundle 2", "begins with 'format = subgrid-bundle 2'"),
        ("end = manifest\n", "", "is truncated"),
        ("precision = float32", "precision float32", "line .*is not 'key = value'"),
        ("precision = float32", "precision = half", "precision is 'half', expected one of float32 float64"),
        ("precision = float32\n", "", "the key precision is missing"),
        ("precision = float32", "precision = float32\nprecision = float32", "precision occurs twice"),
        ("batch_sizes = 1 4", "batch_sizes = 4 1", "do not ascend"),
        ("batch_sizes = 1 4", "batch_sizes = 1 4 8", "lack a batch size"),
        ("batch_sizes = 1 4", "batch_sizes = 1 four", "batch_sizes is '1 four', expected integers"),
        ("batch_sizes = 1 4", "batch_sizes = 1 -4", "expected integers of at least 1"),
        ("inputs = 2", "inputs = 3", r"input\.3\.\w+ is missing"),
        ("input.1.shape = 5", "input.1.shape = 6", "the reverse of shape"),
        ("input.1.kind = float32", "input.1.kind = real", r"input\.1\.kind is 'real'"),
        ("input.1.valid_min = -1.5", "input.1.valid_min = low", "expected a real number"),
        ("input.2.name = month", "input.2.name = x", "occurs twice among inputs and outputs"),
        ("program.1.file = programs/", "program.1.file = ../", "expected a file inside the bundle"),
        ("program.1.file = programs/", "program.1.file = /programs/", "expected a file inside the bundle"),
        ("program.1.sha256 = ", "program.1.sha256 = G", "64 lower-case hexadecimal"),
        ("program.1.platform = cpu", "program.1.platform = abacus", "platform is 'abacus'"),
        ("program.1.inputs = x month", "program.1.inputs = x", "other arguments or results"),
        ("program.1.inputs = x month", "program.1.inputs = x year", "names year, no input or output"),
        ("program.1.inputs_kept = 1 2", "program.1.inputs_kept = 1 3", "beyond the 2 there are"),
        ("program.1.parameters_kept = 1", "program.1.parameters_kept = 0", "integers of at least 1"),
        ("parameter.2.offset = 64", "parameter.2.offset = 8", "misaligned or past the end of weights.bin"),
        ("parameter.2.offset = 64", "parameter.2.offset = 6400", "misaligned or past the end of weights.bin"),
        ("parameter.2.bytes = 4", "parameter.2.bytes = 8", "expected 4 from its kind and shape"),
        ("check.2.entries = 3", "check.2.entries = 5", "more than the batch"),
        ("check.2.output_offsets = 128", "check.2.output_offsets = 6400", "y is misaligned or past the end"),
        ("check.2.input_offsets = 0 64", "check.2.input_offsets = 0", "has 1 arrays, expected 2"),
        ("check.2.rtol = 1e-05", "check.2.rtol = nan", "no usable tolerance"),
        ("check.2.batch = 4", "check.2.batch = 1", "two checks"),
        ("weights.bytes = 68", "weights.bytes = 67", "weights.bin"),
    ],
)
def test_a_damaged_manifest_is_refused(path, old, new, sentence):
    manifest = path / "manifest.txt"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))
    with pytest.raises(FileError, match=sentence):
        Bundle.open(path)


def test_a_manifest_cut_anywhere_is_refused(path):
    manifest = path / "manifest.txt"
    content = manifest.read_bytes()
    for length in range(0, len(content) - 1, 97):
        manifest.write_bytes(content[:length])
        with pytest.raises(FileError):
            Bundle.open(path)


def test_bytes_that_are_no_text_are_refused(path):
    manifest = path / "manifest.txt"
    manifest.write_bytes(manifest.read_bytes().replace(b"two", b"tw\xff"))
    with pytest.raises(FileError, match="is not UTF-8"):
        Bundle.open(path)


def test_comments_unknown_keys_and_stripped_blanks_are_read(path):
    manifest = path / "manifest.txt"
    lines = [line.rstrip() for line in manifest.read_text().splitlines()]
    manifest.write_text("\n".join([lines[0], "# a comment", "", "later.key = 1", *lines[1:], "", ""]))
    assert Bundle.open(path).name == "tiny"


@pytest.mark.parametrize("wrong", [1e-3, np.nan, np.inf])
def test_a_check_refuses_other_numbers(wrong):
    check = Check("forward", 4, 2, (0,), (64,), rtol=1e-5, atol=0.0)
    expected = np.array([[1.0], [10.0]], np.float32)
    check.require("y", expected + np.float32(5e-5), expected, "test")
    with pytest.raises(
        BridgeError, match=r"self-test of program forward .batch 4. failed on test: y differs"
    ):
        check.require("y", expected + np.float32(wrong), expected, "test")
