"""What subgrid needs of a machine, whether it is there, and what to type where it is not."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..contracts.errors import SubgridError


@dataclass(frozen=True)
class Finding:
    """One requirement: its name, whether it is there, what was found, and the remedy."""

    name: str
    present: bool
    found: str
    remedy: str

    def line(self) -> str:
        """The finding as one line of text."""
        if self.present:
            return f"ok       {self.name:<28} {self.found}"
        return f"MISSING  {self.name:<28} {self.found}; type: {self.remedy}"


def examine() -> list[Finding]:
    """Examine Python, JAX, compilers, libraries, the built programs, and the PJRT plug-in."""
    return [
        _python(),
        _jax(),
        *(_command(name, package) for name, package in COMMANDS),
        *(_library(module, package) for module, package in LIBRARIES),
        _attempt("Fortran program subgrid_les", _les_program, "make build"),
        _attempt("bridge library", _bridge_library, "make build"),
        _attempt("PJRT plug-in for cpu", _plugin, 'pip install "subgrid[fortran]"'),
    ]


COMMANDS = (("gfortran", "gfortran"), ("gcc", "gcc"), ("cmake", "cmake"), ("ninja", "ninja-build"))
LIBRARIES = (("fftw3", "libfftw3-dev"), ("netcdf-fortran", "libnetcdff-dev"))


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _jax() -> Finding:
    """jaxlib 0.10.2 silently miscomputes on CPU (jax#39103): worse than none."""
    if find_spec("jax") is None:
        return Finding("jax", False, "not installed", 'pip install "jax!=0.10.2"')
    from importlib.metadata import version

    found = version("jaxlib")
    return Finding("jax", found != "0.10.2", f"jaxlib {found}", 'pip install "jax!=0.10.2" "jaxlib!=0.10.2"')


def _command(name: str, package: str) -> Finding:
    """A command on the PATH, or beside this Python: the environment need not be active."""
    path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return Finding(name, path is not None, path or "not on the PATH", f"apt-get install {package}")


def _library(module: str, package: str) -> Finding:
    try:
        answer = subprocess.run(
            ["pkg-config", "--modversion", module], capture_output=True, text=True, timeout=20
        )
        present, version = answer.returncode == 0, answer.stdout.strip()
    except OSError:
        return Finding(
            module, False, "pkg-config is not on the PATH", f"apt-get install pkg-config {package}"
        )
    return Finding(module, present, version if present else "not installed", f"apt-get install {package}")


def _attempt(name: str, probe: Callable[[], object], remedy: str) -> Finding:
    try:
        return Finding(name, True, str(probe()), remedy)
    except SubgridError as error:
        return Finding(name, False, str(error).rstrip("."), remedy)


def _les_program():
    from .les.fortran_host import find_program

    return find_program()


def _bridge_library():
    from ..fortran_bridge.library import LIBRARY

    return LIBRARY.find()


def _plugin():
    from ..fortran_bridge.plugins import find_plugin

    return find_plugin("cpu")
