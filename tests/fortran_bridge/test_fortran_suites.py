"""The suites of tests/fortran, one test each: run by CTest in the Debug build and reported here."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def debug_builds() -> list[Path]:
    """Build trees with run-time checks; SUBGRID_DEBUG_BUILD names one, else the newest below _build."""
    named = os.environ.get("SUBGRID_DEBUG_BUILD")
    caches = [Path(named) / "CMakeCache.txt"] if named else ROOT.glob("_build/*/CMakeCache.txt")
    found = [c.parent for c in caches if "CMAKE_BUILD_TYPE:STRING=Debug" in c.read_text(errors="replace")]
    return sorted(found, key=lambda build: (build / "CMakeCache.txt").stat().st_mtime, reverse=True)


def suites() -> list[str]:
    """One for each source file."""
    return sorted(path.stem.removeprefix("test_") for path in (ROOT / "tests/fortran").glob("test_*.f90"))


@pytest.mark.parametrize("suite", suites())
def test_suite(suite):
    builds = [build for build in debug_builds() if has_suite(build, suite)]
    if not builds:
        pytest.skip(f"suite {suite} is not built: run make build")
    done = subprocess.run(
        ["ctest", "--test-dir", builds[0], "-R", f"^{suite}$", "--output-on-failure", "--timeout", "300"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert re.search(r"100% tests passed, 0 tests failed out of [1-9]", done.stdout), done.stdout


def has_suite(build: Path, suite: str) -> bool:
    """The suite's driver is there and CTest knows it."""
    return (build / "bin" / f"run_{suite}").is_file()
