"""The `subgrid` command: every refusal is one sentence on stderr, its exit code, and nothing left behind."""

import signal
import sys

import numpy as np
import pytest

from subgrid.contracts.errors import BlowUpError, FileError, InputError
from subgrid.contracts.les_file import write_field
from subgrid.workflows.cli import main

USAGE = 2
RUN = ("run", "les", "--host", "numpy", "--grid", "32", "--time", "0.02", "--dt", "0.01")


@pytest.fixture
def subgrid(monkeypatch, capsys, tmp_path):
    """`subgrid(*arguments)`: run the command in an empty folder; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["subgrid", *arguments])
        with pytest.raises(SystemExit) as ending:
            main()
        texts = capsys.readouterr()
        return ending.value.code or 0, texts.out, texts.err

    return run


def assert_one_sentence(stderr: str) -> None:
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("subgrid: ")
    assert "Traceback" not in stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--case", "k5b5"), "k5b5"),
        (("--closure", "magic"), "magic"),
        (("--host", "cobol"), "cobol"),
        (("--case", "k25b0", "--grid", "50", "--dealiasing", "none"), "50"),
        (("--case", "k25b0", "--grid", "64"), "64"),
        (("--grid", "33"), "33"),
        (("--time", "0"), "--time"),
        (("--time", "-1"), "--time"),
        (("--time", "nan"), "--time"),
        (("--dt", "0"), "--dt"),
        (("--save-interval", "-2"), "--save-interval"),
        (("--seed", "-1"), "--seed"),
        (("--closure", "leith", "--constant", "nan"), "--constant"),
        (("--closure", "leith", "--constant", "-0.1"), "--constant"),
        (("--integrator", "euler"), "euler"),
        (("--dealiasing", "half"), "half"),
    ],
)
def test_wrong_values_are_named_and_leave_nothing(subgrid, tmp_path, arguments, named):
    code, _, stderr = subgrid(*RUN, *arguments)
    assert code == InputError.exit_code
    assert_one_sentence(stderr)
    assert named in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--restart", "gone.restart.nc"),
        ("--initial", "gone.nc"),
        ("--closure", "gone.bundle"),
        ("--out", "no/such/folder/les.nc"),
    ],
)
def test_missing_files_are_named_and_leave_nothing(subgrid, tmp_path, arguments):
    code, _, stderr = subgrid(*RUN, *arguments)
    assert code == FileError.exit_code
    assert_one_sentence(stderr)
    assert arguments[1].split("/")[0] in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["les.nc", "les.restart.nc"])
def test_an_existing_output_is_kept(subgrid, tmp_path, name):
    (tmp_path / name).write_text("precious")
    code, _, stderr = subgrid(*RUN)
    assert code == FileError.exit_code
    assert_one_sentence(stderr)
    assert "--overwrite" in stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "precious")]


def test_an_initial_field_with_nan_is_refused(subgrid, tmp_path):
    field = np.zeros((32, 32))
    field[3, 4] = np.nan
    write_field(tmp_path / "start.nc", field)
    code, _, stderr = subgrid(*RUN, "--initial", "start.nc")
    assert code == InputError.exit_code
    assert_one_sentence(stderr)
    assert "start.nc" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["start.nc"]


def test_a_blow_up_says_when_and_keeps_the_output(subgrid, tmp_path):
    code, _, stderr = subgrid(*RUN, "--dt", "5", "--time", "400", "--save-interval", "5")
    assert code == BlowUpError.exit_code
    assert_one_sentence(stderr)
    assert "t = " in stderr
    assert (tmp_path / "les.nc").is_file()


def test_a_run_says_where_its_output_is(subgrid, tmp_path):
    code, stdout, _ = subgrid(*RUN)
    assert code == 0
    assert stdout.splitlines()[-1].startswith("les.nc: 2 steps in the numpy host")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["les.nc", "les.restart.nc"]


@pytest.mark.parametrize(
    "arguments", [("dns", "k5b5"), ("dns", "k4b0", "--grid", "7"), ("dns", "k4b0", "--time", "0")]
)
def test_dns_refuses_before_it_starts(subgrid, tmp_path, arguments):
    code, _, stderr = subgrid(*arguments)
    assert code == InputError.exit_code
    assert_one_sentence(stderr)
    assert list(tmp_path.iterdir()) == []


def test_train_names_an_unknown_method(subgrid, tmp_path):
    code, _, stderr = subgrid("train", "closure", "--reference", "any.nc", "--method", "magic")
    assert code == InputError.exit_code
    assert_one_sentence(stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("inspect", "gone.bundle"), ("validate", "les", "gone.nc", "--reference", "gone")]
)
def test_reading_what_is_not_there(subgrid, tmp_path, arguments):
    code, _, stderr = subgrid(*arguments)
    assert code == FileError.exit_code
    assert_one_sentence(stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("march",), ("run", "les", "--speed", "9"), ("run", "les", "--grid", "many")]
)
def test_usage_errors(subgrid, arguments):
    code, _, stderr = subgrid(*arguments)
    assert code == USAGE
    assert arguments[-2 if len(arguments) > 1 else -1] in stderr


def test_help_names_the_commands(subgrid):
    code, stdout, _ = subgrid("--help")
    assert code == 0
    assert all(name in stdout for name in ("demo", "dns", "doctor", "inspect", "run", "train", "validate"))


@pytest.mark.parametrize(
    ("number", "on_interrupt"),
    [
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_IGN),  # as scripts start what runs in the background
    ],
)
def test_ctrl_c_and_the_end_of_a_job_are_said_in_one_line(subgrid, monkeypatch, number, on_interrupt):
    monkeypatch.setattr("subgrid.workflows.doctor.examine", lambda: signal.raise_signal(number))
    before = signal.signal(signal.SIGINT, on_interrupt)
    terminate = signal.getsignal(signal.SIGTERM)
    try:
        code, _, stderr = subgrid("doctor")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, stderr) == (130, "subgrid: interrupted\n")
    assert signal.getsignal(signal.SIGTERM) == terminate
