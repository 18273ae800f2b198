"""`subgrid train closure`."""

from pathlib import Path
from typing import Annotated

import typer

from ...contracts.errors import InputError


def closure(
    reference: Annotated[Path, typer.Option(help="Reference file of `subgrid dns`, which holds the pairs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Bundle to write.")] = Path("closure.bundle"),
    method: Annotated[str, typer.Option(help="supervised: regression on filtered DNS.")] = "supervised",
    grid: Annotated[int, typer.Option(help="Points per side of the LES that will run it.")] = 96,
    dealiasing: Annotated[str, typer.Option(help="two_thirds or none, of that LES.")] = "two_thirds",
    filter_width: Annotated[
        float | None, typer.Option(help="Gaussian filter width in grid spacings of the pairs.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Optimizer steps.")] = 1000,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 3e-3,
    backscatter: Annotated[float, typer.Option(help="Share of backscatter that is let through.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of the weights and the batches.")] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Directory to save the run in and resume it from.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing bundle.")] = False,
) -> None:
    """Train a turbulence closure on filtered DNS and export it as a bundle."""
    if method != "supervised":
        raise InputError(f"--method: found {method!r}, expected supervised.")
    from ..closure_training import ClosureTraining, score_lines, train_closure
    from ..progress import progress_bar

    training = ClosureTraining(
        grid=grid,
        dealiasing=dealiasing,
        filter_width=filter_width,
        backscatter_share=backscatter,
        steps=steps,
        learning_rate=learning_rate,
        seed=seed,
    )
    with progress_bar(f"training {out.name}") as progress:
        scores = train_closure(
            reference, out, training, overwrite=overwrite, checkpoint_dir=checkpoint, progress=progress
        )
    for line in score_lines(scores):
        typer.echo(line)
    typer.echo(f"{out}: try `subgrid run les --grid {grid} --closure {out}`")
