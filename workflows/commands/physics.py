"""`subgrid physics mskf` and `subgrid physics columns`: column physics on files."""

from pathlib import Path
from typing import Annotated

import typer

from .options import OverwriteOption, not_negative, positive


def mskf(
    source: Annotated[Path, typer.Argument(help="NetCDF file of columns.")],
    target: Annotated[Path, typer.Argument(help="NetCDF file to write.")],
    precision: Annotated[str, typer.Option(help="double or single.")] = "double",
    mode: Annotated[str, typer.Option(help="clean, or match for the numbers of WRF.")] = "clean",
    threads: Annotated[
        int | None, typer.Option(callback=positive, help="Threads; all cores if left out.")
    ] = None,
    sequences: Annotated[
        bool, typer.Option("--sequences", help="Replay the group `sequences` instead of the columns.")
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Multi-scale Kain-Fritsch convection in every column of a file."""
    from ..physics import run_mskf, run_mskf_sequences
    from ..progress import progress_bar

    options = {"precision": precision, "mode": mode, "threads": threads, "overwrite": overwrite}
    run = run_mskf_sequences if sequences else run_mskf
    with progress_bar("convection") as progress:
        sentence = run(source, target, progress=progress, **options)
    typer.echo(sentence)


def columns(
    target: Annotated[Path, typer.Argument(help="NetCDF file to write.")],
    n: Annotated[int, typer.Option(help="Number of columns.")] = 10_000,
    seed: Annotated[int, typer.Option(callback=not_negative, help="Determines every column.")] = 0,
    mode: Annotated[str, typer.Option(help="Scheme that labels them: clean or match.")] = "clean",
    workers: Annotated[
        int | None, typer.Option(callback=positive, help="Processes; all cores if left out.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a training set of synthetic soundings, labelled by the convection scheme."""
    from ..physics_columns import generate_columns
    from ..progress import progress_bar

    with progress_bar(f"{n} columns") as progress:
        sentence = generate_columns(
            target,
            count=n,
            seed=seed,
            mode=mode,
            workers=workers,
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(sentence)
