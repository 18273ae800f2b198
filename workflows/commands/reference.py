"""`subgrid dns CASE`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import OverwriteOption, not_negative, positive

OUTCOME = {
    "complete": "complete",
    "time_limit": "stopped by --max-seconds with statistics so far; continue with --overwrite",
    "interrupted": "interrupted; run again to continue",
}


def dns(
    case: Annotated[str, typer.Argument(help="Flow: k4b0, k4b20 or k25b0.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Reference file; CASE.reference.nc if left out.")
    ] = None,
    grid: Annotated[int, typer.Option(help="Points per side.")] = 1024,
    time: Annotated[float, typer.Option(help="Length of the sampled run, dimensionless.")] = 60.0,
    spinup: Annotated[float, typer.Option(help="Length of the spin-up before it.")] = 100.0,
    dt: Annotated[float | None, typer.Option(help="Time step; a stable one if left out.")] = None,
    seed: Annotated[int, typer.Option(callback=not_negative, help="Seed of the random start.")] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Checkpoint file; beside --out if left out.")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option(callback=positive, help="Stop cleanly after this wall time.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Run a direct numerical simulation and write its reference statistics; resumes from a checkpoint."""
    from ..dns import run_dns
    from ..progress import progress_bar

    with progress_bar(f"DNS {case} {grid}²") as progress:
        outcome = run_dns(
            case,
            grid,
            time=time,
            spin_up=spinup,
            dt=dt,
            seed=seed,
            output=out,
            checkpoint=checkpoint,
            max_seconds=max_seconds,
            overwrite=overwrite,
            progress=progress,
        )
    left = outcome.checkpoint if outcome.reference is None else outcome.output
    typer.echo(f"{left}: DNS {OUTCOME[outcome.ending]}")
    if outcome.reference is None:
        raise typer.Exit(130)
    sigma, _, kurtosis = outcome.reference["moments"][0]
    typer.echo(
        f"sigma(vorticity) {sigma:.4g}, kurtosis {kurtosis:.3g}, sampled over t = {outcome.time_span:g}"
    )
