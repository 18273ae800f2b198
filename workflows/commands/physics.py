"""`subgrid physics mskf`: column physics on files."""

from pathlib import Path
from typing import Annotated

import typer


def mskf(
    source: Annotated[Path, typer.Argument(help="NetCDF file of columns.")],
    target: Annotated[Path, typer.Argument(help="NetCDF file to write.")],
    precision: Annotated[str, typer.Option(help="double or single.")] = "double",
    mode: Annotated[str, typer.Option(help="clean, or match for the numbers of WRF.")] = "clean",
    threads: Annotated[int | None, typer.Option(help="Threads; all cores if left out.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Multi-scale Kain-Fritsch convection in every column of a file."""
    from ..physics import run_mskf
    from ..progress import progress_bar

    with progress_bar("convection") as progress:
        sentence = run_mskf(
            source,
            target,
            precision=precision,
            mode=mode,
            threads=threads,
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(sentence)
