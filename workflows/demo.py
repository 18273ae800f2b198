"""`subgrid demo`: from filtered DNS to a learned closure inside the Fortran solver, and a report."""

from pathlib import Path

import typer

from ..contracts.errors import FileError
from .closure_training import ClosureTraining, score_lines, train_closure
from .les.report import report_runs
from .les.runner import run_les
from .les.setup import LesSetup
from .progress import progress_bar

CASE, GRID, SPINUP, TIME = "k4b0", 96, 8.0, 40.0
FORMULAS = ("none", "smagorinsky", "leith")
REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "results" / f"{CASE}.reference.nc"


def run_demo(directory: Path, *, overwrite: bool = False, say=typer.echo) -> Path:
    """Train, run and compare; everything lands in `directory`. Returns the path of the HTML page.

    The Fortran host runs the formulas and the learned closure; the JAX host repeats the learned run from the
    same state, so that the report can say how far two hosts of one bundle agree.
    """
    if not REFERENCE.is_file():
        raise FileError(
            f"the demo needs the reference file {REFERENCE}; run it in a checkout of the repository."
        )
    directory.mkdir(parents=True, exist_ok=True)
    bundle = directory / "learned.bundle"
    with progress_bar("training on filtered DNS") as progress:
        scores = train_closure(
            REFERENCE, bundle, ClosureTraining(grid=GRID), overwrite=overwrite, progress=progress
        )
    for line in score_lines(scores):
        say(line)
    runs = [("fortran", closure) for closure in (*FORMULAS, str(bundle))] + [("jax", str(bundle))]
    outputs = [_run(directory, host, closure, overwrite=overwrite) for host, closure in runs]
    page, verdict = report_runs(outputs, REFERENCE, directory, spinup=SPINUP, overwrite=overwrite)
    say(verdict)
    return page


def _run(directory: Path, host: str, closure: str, *, overwrite: bool) -> Path:
    name = f"{Path(closure).stem}_{host}"
    setup = LesSetup(
        case=CASE, grid=GRID, time=TIME, closure=closure, host=host, initial=REFERENCE, seed=_last_state()
    )
    output = directory / f"{name}.nc"
    with progress_bar(f"LES {name}") as progress:
        run_les(setup, output, overwrite=overwrite, progress=progress)
    return output


def _last_state() -> int:
    """Index of a state that no training has seen."""
    from ..contracts.reference import read_reference

    return len(read_reference(REFERENCE)["states/held_out"]) - 1
