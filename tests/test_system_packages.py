"""`.ci/system-packages` on machines that lack things, played by stubs on a PATH of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "system-packages"
BASH = shutil.which("bash")


@pytest.fixture
def machine(tmp_path):
    """`machine(name=shell text, …)`: run the script where only these exist; (code, stdout, stderr)."""

    def run(python: str = "python3", **commands: str) -> tuple[int, str, str]:
        for name in ("bash", "basename", "dirname", "env", "cat"):
            (tmp_path / name).symlink_to(shutil.which(name))
        for name, text in commands.items():
            stub = tmp_path / name.replace("_", "-")
            stub.write_text(f"#!{BASH}\n{text}\n")
            stub.chmod(0o755)
        outcome = subprocess.run(
            [BASH, SCRIPT], capture_output=True, text=True, check=False,
            env={"PATH": str(tmp_path), "PYTHON": python},
        )  # fmt: skip
        return outcome.returncode, outcome.stdout, outcome.stderr

    return run


PYTHON = f'exec {sys.executable} "$@"'
COMPLETE = {"python3": PYTHON, "gcc": "", "gfortran": "", "pkg_config": ""}
ROOT, USER = {"id": "echo 0"}, {"id": "echo 1000"}
APT = 'echo "apt-get $*" >&2'


def test_a_complete_machine_needs_nothing(machine):
    assert machine(**COMPLETE) == (0, "", "")


def test_what_is_missing_is_installed_by_root(machine):
    code, stdout, stderr = machine(python3=PYTHON, gcc="", apt_get=APT, **ROOT)
    assert code == 0
    assert stdout == "installing gfortran pkg-config libfftw3-dev libnetcdff-dev\n"
    update, install = stderr.splitlines()
    assert update == "apt-get update -qq"
    assert install.endswith("--no-install-recommends gfortran pkg-config libfftw3-dev libnetcdff-dev")


def test_a_failed_update_is_no_end(machine):
    stub = f'[ "$1" = update ] && exit 100\n{APT}'
    code, _, stderr = machine(python3=PYTHON, gcc="", gfortran="", apt_get=stub, **ROOT)
    assert code == 0
    assert "apt-get update failed" in stderr
    assert "apt-get install" in stderr


def test_a_failed_installation_says_what_to_type(machine):
    code, _, stderr = machine(python3=PYTHON, gcc="", gfortran="", apt_get="exit 100", **ROOT)
    assert code == 1
    assert "type 'sudo apt-get install pkg-config libfftw3-dev libnetcdff-dev'" in stderr


@pytest.mark.parametrize("sudo", [{}, {"sudo": "exit 1"}])
def test_without_rights_it_says_what_to_type(machine, sudo):
    code, stdout, stderr = machine(**COMPLETE | {"pkg_config": "exit 1"}, apt_get="exit 9", **USER, **sudo)
    assert code == 1
    assert stdout == ""
    assert "type 'sudo apt-get install libfftw3-dev libnetcdff-dev'" in stderr
    assert len(stderr.splitlines()) == 1


def test_another_system_is_told_the_names(machine):
    code, _, stderr = machine(**COMPLETE | {"pkg_config": "exit 1"})
    assert code == 1
    assert "package manager" in stderr


def test_the_named_python_is_the_one_that_counts(machine):
    old = {"python3": 'case $1 in --version) echo "Python 3.9.2";; *) exit 1;; esac'}
    code, _, stderr = machine(**COMPLETE | old)
    assert code == 1
    assert "Python 3.9.2" in stderr


def test_the_named_python_may_be_newer_than_the_systems(machine):
    commands = {name: text for name, text in COMPLETE.items() if name != "python3"}
    assert machine("python-of-mine", python_of_mine=PYTHON, **commands) == (0, "", "")


def test_venv_is_debians_package_of_that_python(machine):
    without_venv = 'case "$2" in *venv*) exit 1;; esac'
    commands = {name: text for name, text in COMPLETE.items() if name != "python3"}
    code, stdout, _ = machine("python-x", python_x=without_venv, apt_get="", **commands, **ROOT)
    assert code == 0
    assert stdout == "installing python-x-venv\n"


def test_no_python_at_all(machine):
    code, _, stderr = machine()
    assert code == 1
    assert "there is no python3" in stderr
