"""An LES in the Fortran host: writes a namelist, runs the program `subgrid_les`, follows its progress."""

import os
import signal
import subprocess
from pathlib import Path

from ...contracts.errors import BridgeError, FileError, InputError, SetupError, SubgridError
from ..progress import Progress
from .setup import LesSetup

PROGRAM = "subgrid_les"
ERRORS = {2: InputError, 3: FileError, 5: SetupError}
BLOW_UP, BRIDGE, INTERRUPTED = 4, 6, 130


def find_program() -> Path:
    """Path of the Fortran program: $SUBGRID_LES, or the release build of this checkout."""
    named = os.environ.get("SUBGRID_LES")
    if named:
        if not os.access(named, os.X_OK):
            raise SetupError(f"SUBGRID_LES names {named}, which is not an executable; correct or unset it.")
        return Path(named)
    program = Path(__file__).resolve().parents[2] / "_build" / "release" / "bin" / PROGRAM
    if not program.is_file():
        raise SetupError(
            f"the Fortran program {PROGRAM} is not built (looked for {program}); "
            "type `make build`, or set SUBGRID_LES to where it is."
        )
    return program


def write_namelist(path: Path, setup: LesSetup, files: dict[str, Path | str]) -> None:
    """The group &les that the program reads; see workflows/fortran/."""
    flow, numerics = setup.flow, setup.numerics
    values = {
        "n": setup.grid,
        "forcing_wavenumber": flow.forcing_wavenumber,
        "beta": float(flow.beta),
        "viscosity": float(flow.viscosity),
        "drag": float(flow.drag),
        "dt": numerics.dt,
        "steps": setup.steps,
        "save_every": setup.save_every,
        "integrator": numerics.integrator,
        "dealiasing": numerics.dealiasing,
        "closure": "learned" if setup.bundle else setup.closure,
        "device": setup.device,
        **files,
    }
    if setup.closure_constant is not None:
        values["closure_constant"] = setup.closure_constant
    lines = [f"  {key} = {_literal(value)}" for key, value in values.items()]
    path.write_text("\n".join(["&les", *lines, "/", ""]))


def _literal(value) -> str:
    if isinstance(value, float):
        return repr(value).replace("e", "d") if "e" in repr(value) else f"{value!r}d0"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def run(namelist: Path, progress: Progress) -> int:
    """Run the program to its end; return its exit status where an output was kept (0, blow-up, interruption).

    Raises the exception that matches any other exit status, with the program's own sentence.
    """
    process = subprocess.Popen(
        [find_program(), namelist],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupt goes to the program once, from here
    )
    try:
        _follow(process, progress)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        _follow(process, progress)
    message = process.stderr.read().strip()
    status = process.wait()
    if status in (0, BLOW_UP, INTERRUPTED):
        return status
    raise _error(status, message)


def _follow(process: subprocess.Popen, progress: Progress) -> None:
    for line in process.stdout:
        words = line.split()
        if words and words[0] == "progress":
            progress(float(words[1]), float(words[2]))


def _error(status: int, message: str) -> SubgridError:
    sentence = message.splitlines()[-1].removeprefix(f"{PROGRAM}: ") if message else "it said nothing"
    if status in ERRORS:
        return ERRORS[status](sentence)
    if status == BRIDGE:
        return BridgeError(sentence, status)
    return SubgridError(f"the program {PROGRAM} ended with status {status}: {sentence}")
