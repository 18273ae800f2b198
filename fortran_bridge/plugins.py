"""Where the PJRT plug-ins of this machine are: environment variables, then the wheels that carry them."""

import os
import sys
from importlib import metadata
from pathlib import Path

from ..contracts.errors import SetupError

# Wheels with a plug-in, best first, and the name of the library in them. They are found, never imported.
WHEELS = {
    "cpu": (("lammps-jax-pjrt-cpu", "pjrt_c_api_cpu_plugin.so"),),
    "cuda": (("jax-cuda13-pjrt", "xla_cuda_plugin.so"), ("jax-cuda12-pjrt", "xla_cuda_plugin.so")),
}
REMEDIES = {"cpu": "pip install 'subgrid[fortran]'", "cuda": "pip install 'jax[cuda13]'"}


def find_plugin(device: str) -> Path:
    """Path of the plug-in for `device` (`cpu`, `cuda`, another name, or a path with a `/`).

    Looks at SUBGRID_PJRT_PLUGIN_<DEVICE>, then at the wheels of this Python. Raises `SetupError` that says
    what to type.
    """
    if "/" in device:
        return existing(Path(device), "the plug-in that was asked for")
    variable = variable_of(device)
    if os.environ.get(variable):
        return existing(Path(os.environ[variable]), f"the plug-in that {variable} names")
    for wheel, library in WHEELS.get(device, ()):
        path = library_in_wheel(wheel, library)
        if path is not None:
            return path
    wheels = " or ".join(wheel for wheel, _ in WHEELS.get(device, ()))
    remedy = f"run {REMEDIES[device]}, or set" if device in REMEDIES else "set"
    raise SetupError(
        f"No PJRT plug-in for the device {device}: {variable} is not set"
        f"{f' and {wheels} is not installed in {sys.prefix}' if wheels else ''}; {remedy} {variable} to "
        "its path."
    )


def plugin_argument(device: str) -> str:
    """What the C interface gets for `device`: its name where the environment says the path, else the path.

    By the name, the bridge knows which create options the plug-in takes whatever its file is called.
    """
    path = find_plugin(device)
    named = "/" not in device and os.environ.get(variable_of(device))
    return device if named else str(path)


def variable_of(device: str) -> str:
    """The environment variable that names the plug-in of `device`; the Fortran and C side reads the same."""
    return f"SUBGRID_PJRT_PLUGIN_{device.upper().replace('-', '_')}"


def existing(path: Path, role: str) -> Path:
    """`path`, if there is a file."""
    if not path.is_file():
        raise SetupError(f"{path}, {role}, is not a file; correct the path.")
    return path.resolve()


def library_in_wheel(wheel: str, library: str) -> Path | None:
    """The library inside an installed wheel; None if the wheel is not installed."""
    try:
        files = metadata.files(wheel) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == library:
            path = Path(file.locate())
            return path.resolve() if path.is_file() else None
    return None
