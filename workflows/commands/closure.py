"""`subgrid validate closure`."""

from pathlib import Path
from typing import Annotated

import typer

from ...contracts.errors import InputError
from .options import OverwriteOption, positive
from .without_effect import refuse_without_effect


def validate(
    context: typer.Context,
    reference: Annotated[Path, typer.Option(help="Reference file of the case.")],
    closure: Annotated[
        list[str] | None,
        typer.Option(
            "--closure",
            "--policy",
            help="NAME=PATH or PATH of a policy file (.npz) or bundle; repeat the option to compare.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Directory for report.html and report.json.")
    ] = Path("closure-report"),
    grid: Annotated[
        list[int] | None,
        typer.Option(help="Points per side, repeated for several; that of the first policy if left out."),
    ] = None,
    dt: Annotated[
        float | None,
        typer.Option(help="Time step; that of the first policy if left out, halved where a grid needs it."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Simulations for each closure.")] = 8,
    time: Annotated[float, typer.Option(callback=positive, help="Sampled time of each simulation.")] = 100.0,
    copies: Annotated[
        int, typer.Option(help="Simulations for each set of constants that the tuning tries.")
    ] = 8,
    survival_time: Annotated[
        float, typer.Option(help="Length of the runs that must stay sound; 5000 is the papers' 10⁷ steps.")
    ] = 0.0,
    survival_of: Annotated[str, typer.Option(help="Which closures have to: learned or all.")] = "learned",
    overwrite: OverwriteOption = False,
) -> None:
    """Compare learned closures with all baselines in long runs from held-out states."""
    from ...envs.ensemble import RunPlan
    from ..closure_report import summary, validate_closure
    from ..progress import progress_bar
    from ..validate_closure import ValidationPlan

    if survival_time == 0.0:
        refuse_without_effect(context, ["survival_of"], "without --survival-time", "give that too")
    blocks = max(2, round(time / RunPlan.block_time))
    plan = ValidationPlan(
        seeds=seeds,
        plan=RunPlan(blocks=blocks, block_time=time / blocks),
        copies=copies,
        survival_time=survival_time,
        survival_of=survival_of,
    )
    closures = named_paths(closure or [])
    with progress_bar(f"validating {out.name}") as progress:
        found = validate_closure(
            closures,
            reference,
            out,
            plan,
            grids=grid or (),
            dt=dt,
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(summary(found, tuple(closures)))
    typer.echo(f"report: {out / 'report.html'}")


def named_paths(given: list[str]) -> dict[str, Path]:
    """Paths by name of NAME=PATH or PATH (named by its stem); InputError for a name given twice."""
    found: dict[str, Path] = {}
    for text in given:
        name, _, path = text.rpartition("=")
        name = name or Path(path).stem
        if name in found:
            raise InputError(f"--closure: the name {name} is given twice; write NAME=PATH.")
        found[name] = Path(path)
    return found
