"""`subgrid doctor` says what is there and what to type for the rest."""

import sys
from types import SimpleNamespace

import pytest

from subgrid.contracts.errors import SetupError
from subgrid.workflows import doctor
from subgrid.workflows.cli import main


def finding(name: str) -> doctor.Finding:
    """What the doctor finds of one requirement."""
    return next(found for found in doctor.examine() if found.name == name)


def test_every_missing_part_comes_with_something_to_type(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("SUBGRID_LES", str(tmp_path / "nowhere"))
    monkeypatch.setenv("SUBGRID_LIBRARY", str(tmp_path / "nowhere"))
    monkeypatch.setenv("SUBGRID_PJRT_PLUGIN_CPU", str(tmp_path / "nowhere"))
    found = {finding.name: finding for finding in doctor.examine()}
    missing = {name for name, finding in found.items() if not finding.present}
    assert {"gfortran", "gcc", "cmake", "ninja", "fftw3", "netcdf-fortran"} <= missing
    assert {"Fortran program subgrid_les", "bridge library", "PJRT plug-in for cpu"} <= missing
    for name in missing:
        assert found[name].line().startswith("MISSING")
        assert "; type: " in found[name].line()
        assert "\n" not in found[name].line()


def test_tools_of_the_environment_count_although_it_is_not_active(monkeypatch, tmp_path):
    tool = tmp_path / "cmake"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert finding("cmake") == doctor.Finding("cmake", True, str(tool), "apt-get install cmake")
    assert not finding("ninja").present


def test_the_jaxlib_that_miscomputes_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.10.2")
    assert not finding("jax").present
    assert "0.10.2" in finding("jax").line()


def test_an_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(doctor, "sys", SimpleNamespace(version="3.9.2 (main)", version_info=(3, 9, 2)))
    assert not doctor._python().present


@pytest.mark.parametrize(("present", "code"), [(True, 0), (False, SetupError.exit_code)])
def test_exit_code_says_whether_anything_is_missing(monkeypatch, capsys, present, code):
    findings = [doctor.Finding("a part", present, "found so", "make build")]
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    monkeypatch.setattr(sys, "argv", ["subgrid", "doctor"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert (ending.value.code or 0) == code
    assert capsys.readouterr().out == findings[0].line() + "\n"
