"""The wheel holds every module and nothing else, declares its imports, and equals the editable install."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("contracts", "envs", "fortran_bridge", "jax_models", "sims", "validation", "workflows")
DATA = {"py.typed", "validation/templates/page.html"}


def tracked() -> list[str]:
    """Files that the repository holds, relative to its root."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("the list of the repository's files comes from git, which is not here")
    answer = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules() -> list[str]:
    """Source files of the package, relative to the root."""
    return [
        name
        for name in tracked()
        if name == "__init__.py" or (name.endswith(".py") and name.split("/")[0] in FOLDERS)
    ]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel built from a copy of the tracked files, without the network."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [*command, "--quiet", "--wheel-dir", out, source], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


@pytest.fixture(scope="module")
def described(wheel):
    """The wheel's METADATA."""
    name = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_wheel_holds_every_module_and_nothing_else(wheel):
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == {f"subgrid/{name}" for name in {*modules(), *DATA}}


def test_no_file_of_the_root_passes_for_a_module(wheel):
    assert not {"subgrid/setup.py", "subgrid/conftest.py"} & set(wheel.namelist())


def test_metadata(wheel, described):
    assert described["Name"] == "subgrid"
    assert described["Requires-Python"] == ">=3.11"
    assert described["License-Expression"] == "Apache-2.0"
    requirements = described.get_all("Requires-Dist")
    for name in ("jax", "jaxlib"):
        assert any(line.startswith(name) and "!=0.10.2" in line for line in requirements), name
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "subgrid = subgrid.workflows.cli:main" in wheel.read(entry).decode()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


PROBE = """
import importlib, json, sys
found = {name: importlib.import_module(name).__doc__ for name in json.loads(sys.stdin.read())}
print(json.dumps({"file": sys.modules["subgrid"].__file__, "docs": found}))
"""


def probe(folder: Path, path: Path | None) -> dict:
    """Import every module in a fresh interpreter, of the install in `path` or of the editable one."""
    names = [
        ".".join(["subgrid", *Path(name).with_suffix("").parts]).removesuffix(".__init__")
        for name in modules()
    ]
    environment = {"PATH": "", "JAX_PLATFORMS": "cpu"} | ({"PYTHONPATH": str(path)} if path else {})
    outcome = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=folder, env=environment, input=json.dumps(names),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout.splitlines()[-1])


def test_normal_and_editable_install_import_the_same_modules(wheel, tmp_path):
    wheel.extractall(tmp_path / "site")
    normal, editable = probe(tmp_path, tmp_path / "site"), probe(tmp_path, None)
    assert Path(normal["file"]).is_relative_to(tmp_path)
    assert Path(editable["file"]).is_relative_to(ROOT)
    assert normal["docs"] == editable["docs"]


def third_party(path: Path) -> set[str]:
    """Top-level names that a source file imports from outside, lazily or not."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"subgrid"}


def test_every_third_party_import_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + [
        line for extra in ("fortran", "rl") for line in project["optional-dependencies"][extra]
    ]
    declared = {_canonical(re.match(r"[\w.-]+", line).group()) for line in lines}
    providers = metadata.packages_distributions()
    undeclared = {
        (name, imported)
        for name in modules()
        for imported in third_party(ROOT / name)
        if not {_canonical(provider) for provider in providers.get(imported, [])} & declared
    }
    assert not undeclared


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
