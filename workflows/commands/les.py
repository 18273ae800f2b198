"""`subgrid run les`, `subgrid validate les` and `subgrid demo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import OverwriteOption
from .without_effect import refuse_without_effect

if TYPE_CHECKING:
    from ..les.setup import LesSetup

OutputOption = Annotated[Path, typer.Option("--out", "-o", help="NetCDF file to write.")]


def run_les(
    context: typer.Context,
    case: Annotated[str, typer.Option(help="Flow: k4b0, k4b20 or k25b0.")] = "k4b0",
    grid: Annotated[int, typer.Option(help="Points per side (even).")] = 64,
    time: Annotated[float, typer.Option(help="Length of the run, dimensionless.")] = 10.0,
    closure: Annotated[
        str,
        typer.Option(
            help="none, smagorinsky, leith, or the path of a bundle; in the numpy and jax hosts the others "
            "too: an unknown name lists them."
        ),
    ] = "none",
    constant: Annotated[
        float | None, typer.Option(help="Constant of the closure; its default if left out.")
    ] = None,
    host: Annotated[str, typer.Option(help="fortran, numpy or jax.")] = "fortran",
    out: OutputOption = Path("les.nc"),
    seed: Annotated[
        int, typer.Option(help="Seed of the random start, or index of the state in --initial.")
    ] = 0,
    initial: Annotated[Path | None, typer.Option(help="File with an initial vorticity.")] = None,
    restart: Annotated[Path | None, typer.Option(help="Restart file of an earlier run to continue.")] = None,
    integrator: Annotated[str, typer.Option(help="ifrk4 or ab2cn.")] = "ifrk4",
    dealiasing: Annotated[str, typer.Option(help="two_thirds or none.")] = "two_thirds",
    dt: Annotated[float | None, typer.Option(help="Time step; a stable one if left out.")] = None,
    save_interval: Annotated[float, typer.Option(help="Time between two records.")] = 0.5,
    device: Annotated[str, typer.Option(help="Where a bundle runs: cpu or cuda.")] = "cpu",
    overwrite: OverwriteOption = False,
) -> None:
    """Run a large-eddy simulation with a closure by name or from a bundle."""
    from ..les.runner import run_les as run
    from ..les.setup import LesSetup
    from ..progress import progress_bar

    setup = LesSetup(
        case=case,
        grid=grid,
        time=time,
        closure=closure,
        closure_constant=constant,
        host=host,
        integrator=integrator,
        dealiasing=dealiasing,
        dt=dt,
        save_interval=save_interval,
        seed=seed,
        initial=initial,
        device=device,
    )
    _refuse_without_effect(context, setup, restart)
    with progress_bar(f"LES {case} {grid}² {Path(closure).name}") as progress:
        closing = run(setup, out, restart=restart, overwrite=overwrite, progress=progress)
    length = setup.steps * setup.numerics.dt
    rate = closing["wall_seconds"] / length
    typer.echo(
        f"{out}: {setup.steps} steps in the {host} host, {length:g} units of time at {rate:.3g} s each"
    )


def _refuse_without_effect(context: typer.Context, setup: "LesSetup", restart: Path | None) -> None:
    if restart is not None:
        refuse_without_effect(context, ("seed", "initial"), "with --restart", "start anew")
    if setup.bundle:
        refuse_without_effect(context, ["constant"], "on a bundle", "name a closure with a constant")
    elif setup.closure == "none":
        refuse_without_effect(context, ["constant"], "without a closure", "name one by --closure")
    if not setup.bundle or setup.host == "jax":
        where = "in the jax host" if setup.host == "jax" else "without a bundle"
        refuse_without_effect(context, ["device"], where, "run a bundle in the fortran or numpy host")


def validate_les(
    runs: Annotated[list[Path], typer.Argument(help="LES outputs to compare.")],
    reference: Annotated[Path, typer.Option(help="Reference statistics file of the DNS.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Directory for report.html and report.json.")
    ] = Path("report"),
    spinup: Annotated[float, typer.Option(help="Time left out at the start of each run.")] = 5.0,
    overwrite: OverwriteOption = False,
) -> None:
    """Compare LES outputs with a DNS: spectra, PDF, tails, cost; one HTML page and the same in JSON."""
    from ..les.report import report_runs

    page, verdict = report_runs(runs, reference, out, spinup=spinup, overwrite=overwrite)
    typer.echo(verdict)
    typer.echo(f"report: {page}")


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Directory for everything that the demo makes.")
    ] = Path("demo"),
    overwrite: OverwriteOption = False,
) -> None:
    """Train a closure, run it inside the Fortran solver, compare it with the classical ones and the DNS."""
    from ..demo import run_demo

    typer.echo(f"report: {run_demo(out, overwrite=overwrite)}")
