"""`subgrid validate closure`."""

from pathlib import Path
from typing import Annotated

import typer


def validate(
    policy: Annotated[list[Path], typer.Option(help="Policy file (.npz); repeat the option to compare.")],
    reference: Annotated[Path, typer.Option(help="Reference file of the case.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Directory for report.html and report.json.")
    ] = Path("closure-report"),
    seeds: Annotated[int, typer.Option(help="Simulations for each closure.")] = 8,
    time: Annotated[float, typer.Option(help="Sampled time of each simulation.")] = 100.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing report.")] = False,
) -> None:
    """Compare learned closures with all baselines in long runs from held-out states."""
    from ...envs.ensemble import RunPlan
    from ..closure_report import validate_closure
    from ..validate_closure import ValidationPlan

    block = RunPlan.block_time
    plan = ValidationPlan(seeds=seeds, plan=RunPlan(blocks=max(2, round(time / block))))
    policies = {path.stem: path for path in policy}
    validate_closure(policies, reference, out, plan, overwrite=overwrite)
    typer.echo(f"report: {out / 'report.html'}")
