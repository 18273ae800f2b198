"""Run one LES in the host that its set-up names, and leave an output and a restart file."""

import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from ...contracts.errors import InputError
from ...contracts.files import require_absent, writing
from ...contracts.les_file import (
    BLOWN_UP,
    INTERRUPTED,
    LesWriter,
    Restart,
    add_attributes,
    read_restart,
    write_field,
    write_restart,
)
from ...contracts.provenance import provenance
from ..progress import Progress, silent
from . import fortran_host, python_host
from .initial import initial_vorticity
from .setup import LesSetup


def restart_path(output: Path) -> Path:
    """The restart file that stands beside an output."""
    return output.with_suffix(".restart.nc")


def run_les(
    setup: LesSetup,
    output: Path,
    *,
    restart: Path | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict:
    """Run an LES and return the closing attributes of its output (`state`, `wall_seconds`, …).

    Args:
        setup: the checked set-up.
        output: NetCDF file to write; `<output>.restart.nc` is written beside it.
        restart: restart file to continue from, for `setup.time` more.
        overwrite: whether existing outputs may be replaced.
        progress: called as `progress(done, total)` in steps.

    Raises:
        BlowUpError: the simulation left the finite numbers; the output up to then is kept.
        InputError, FileError, SetupError, BridgeError: nothing is left under the final names.
        KeyboardInterrupt: on an interruption, after output and restart were written.
    """
    for path in (output, restart_path(output)):
        require_absent(path, overwrite=overwrite, inputs=filter(None, [setup.initial, restart]))
    start = read_restart(restart) if restart else _checked(initial_vorticity(setup))
    march = _march_fortran if setup.host == "fortran" else _march_python
    closing = march(setup, start, output, restart, overwrite, progress)
    if closing["state"] == BLOWN_UP:
        raise python_host.blow_up(closing, output)
    if closing["state"] == INTERRUPTED:
        raise KeyboardInterrupt(
            f"{output} holds {closing['steps_done']} steps; go on with --restart {restart_path(output)}"
        )
    return closing


def _checked(vorticity: np.ndarray) -> np.ndarray:
    if not np.isfinite(vorticity).all():
        raise InputError("the initial vorticity holds values that are not finite; expected none.")
    return vorticity


def _march_python(setup, start, output, restart, overwrite, progress) -> dict:
    with (
        _float64(setup.host),
        writing(output, overwrite=overwrite) as output_file,
        writing(restart_path(output), overwrite=overwrite) as restart_file,
    ):
        writer = LesWriter(output_file, setup.grid, setup.attributes() | provenance())
        closing, final = python_host.run(setup, start, writer, progress)
        writer.close(**closing)
        write_restart(restart_file, final)
    return closing


def _float64(host: str):
    """JAX computes in float64 only when told to; the other hosts always do."""
    if host != "jax":
        return nullcontext()
    import jax

    return jax.enable_x64(True)


def _march_fortran(setup, start, output, restart, overwrite, progress) -> dict:
    with tempfile.TemporaryDirectory(prefix="subgrid-les-", dir=output.parent) as scratch:
        scratch = Path(scratch)
        files = {"output_file": scratch / "output.nc", "restart_output_file": scratch / "restart.nc"}
        if isinstance(start, Restart):
            files["restart_file"] = restart.resolve()
        else:
            files["initial_file"] = scratch / "initial.nc"
            write_field(files["initial_file"], start)
        if setup.bundle:
            from ...fortran_bridge.plugins import find_plugin

            files["bundle"] = setup.bundle.resolve()
            files["plugin"] = find_plugin(setup.device)
        fortran_host.write_namelist(scratch / "les.nml", setup, files)
        fortran_host.run(scratch / "les.nml", progress)
        add_attributes(files["output_file"], setup.attributes() | provenance())
        with (
            writing(output, overwrite=overwrite) as output_file,
            writing(restart_path(output), overwrite=overwrite) as restart_file,
        ):
            files["output_file"].rename(output_file)
            files["restart_output_file"].rename(restart_file)
    return _closing_attributes(output)


def _closing_attributes(output: Path) -> dict:
    import netCDF4

    names = ("state", "steps_done", "wall_seconds", "closure_seconds", "blow_up_time")
    with netCDF4.Dataset(output) as dataset:
        return {name: dataset.getncattr(name) for name in names if name in dataset.ncattrs()}
