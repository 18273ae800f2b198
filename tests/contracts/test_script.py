"""Scripts end with one sentence and an exit code, as the command does."""

import sys

import pytest

from subgrid.contracts.errors import FileError
from subgrid.contracts.script import run_script


def convert(source: str, target: str = "out", kind: str | None = None) -> None:
    if source == "missing":
        raise FileError("missing does not exist; make it.")
    sys.stdout.write(f"{source} {target} {kind}\n")


def ending(monkeypatch, capsys, *words: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["examples/convert.py", *words])
    with pytest.raises(SystemExit) as stop:
        run_script(convert)
    return stop.value.code, capsys.readouterr().err


def test_arguments_are_passed_by_position(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["convert.py", "a", "b"])
    run_script(convert)
    assert capsys.readouterr().out == "a b None\n"


@pytest.mark.parametrize("words", [(), ("a", "b", "c", "d")])
def test_a_wrong_number_of_arguments_shows_how_to_call(monkeypatch, capsys, words):
    sentence = f"found {len(words)} arguments, expected python convert.py SOURCE [TARGET] [KIND]."
    assert ending(monkeypatch, capsys, *words) == (2, f"convert.py: {sentence}\n")


def test_an_error_keeps_its_exit_code(monkeypatch, capsys):
    assert ending(monkeypatch, capsys, "missing") == (3, "convert.py: missing does not exist; make it.\n")


def test_a_defect_is_not_hidden(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["divide.py"])
    with pytest.raises(ZeroDivisionError):
        run_script(lambda: 1 / 0)
