"""`subgrid data climsim`, `subgrid train climsim` and `subgrid validate climsim`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from .options import SEVERAL_PROCESSES, OverwriteOption, not_negative, positive
from .without_effect import refuse_without_effect

DISTRIBUTED = f"Be {SEVERAL_PROCESSES}; each batch is divided over the devices of all."
HeldOutOption = Annotated[int, typer.Option(help="Time steps of a small file that are kept for testing.")]


def pack(
    context: typer.Context,
    data: Annotated[
        Path,
        typer.Argument(help="Raw files (searched below too), packed file, .npy arrays, CSV, or a store."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Store to write.")],
    layout: Annotated[
        str | None, typer.Option("--format", help="raw, packed, store, npy or csv; by looking if left out.")
    ] = None,
    grid: Annotated[Path | None, typer.Option(help="ClimSim's grid-info file (raw, npy, csv).")] = None,
    split: Annotated[
        str | None, typer.Option(help="train, val, scoring or test: to take, or (npy, csv) that it was.")
    ] = None,
    months: Annotated[str, typer.Option(help="Pattern of the months to take, as YYYY-MM.")] = ".*",
    stride: Annotated[
        int | None, typer.Option(callback=positive, help="Take every so many time steps.")
    ] = None,
    normalization: Annotated[
        Path | None, typer.Option(help="Folder of ClimSim's normalisation files (npy).")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without damaged steps.")] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Pack ClimSim columns of any layout into an analysis-ready store, once."""
    from ...jax_models.data.source import format_of
    from ..climsim import pack as work
    from ..progress import progress_bar

    found = layout or format_of(data)
    if found in ("packed", "store"):
        refuse_without_effect(context, ["grid"], f"on {found} data, which hold their geometry")
    if found != "npy":
        refuse_without_effect(context, ["normalization"], f"on {found} data, which are not normalised")
    with progress_bar(f"packing {out.name}") as progress:
        sentence = work(
            data,
            out,
            layout=layout,
            grid=grid,
            split=split,
            months=months,
            stride=stride,
            normalization=normalization,
            skip_bad=skip_bad,
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(sentence)


def train(
    context: typer.Context,
    emulator: Annotated[str, typer.Argument(help="A recipe by name; an unknown one lists them.")],
    data: Annotated[Path, typer.Option(help="Packed file, store, or directory of raw files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Bundle to write.")],
    part: Annotated[str, typer.Option(help="train (without the held-out steps) or all.")] = "train",
    held_out: HeldOutOption = 12,
    seed: Annotated[int, typer.Option(callback=not_negative, help="Seed of weights and batches.")] = 0,
    epochs: Annotated[
        int | None, typer.Option(callback=positive, help="Epochs; the recipe's if left out.")
    ] = None,
    features: Annotated[
        str | None, typer.Option(help="Inputs and outputs by name (V2, v6, …); the recipe's if left out.")
    ] = None,
    compute: Annotated[
        str | None, typer.Option(help="bfloat16 or float32; the recipe's if left out.")
    ] = None,
    rare: Annotated[str | None, typer.Option(help="Draw rare regimes of this output more often.")] = None,
    rare_unweighted: Annotated[
        bool, typer.Option("--rare-unweighted", help="Let rare regimes count more in the loss, too.")
    ] = False,
    devices: Annotated[
        int | None, typer.Option(help="Divide each batch over so many devices; 1 if left out.")
    ] = None,
    distributed: Annotated[bool, typer.Option("--distributed", help=DISTRIBUTED)] = False,
    checkpoint: Annotated[Path | None, typer.Option(help="Directory to save in and resume from.")] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            callback=positive, help="Stop training after this wall time and export what there is, marked."
        ),
    ] = None,
    memory: Annotated[
        float, typer.Option(callback=not_negative, help="GB; rows of a store that take more are streamed.")
    ] = 4.0,
    grid: Annotated[Path | None, typer.Option(help="ClimSim's grid-info file, for raw files.")] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Train an emulator of column physics and export it as a bundle, raw units in and out."""
    from ...jax_models.data.source import format_of
    from ...jax_models.devices import is_first_process, join_processes
    from ...jax_models.sampling import RareRegimes
    from ..climsim_training import ending
    from ..climsim_training import train as work
    from ..progress import progress_bar, silent

    _refuse_without_effect(context, format_of(data), part, rare)
    if distributed:
        join_processes()
    first = is_first_process()
    with progress_bar(f"training {emulator}") if first else nullcontext(silent) as progress:
        bundle = work(
            data,
            out,
            emulator,
            part=part,
            held_out=held_out,
            seed=seed,
            epochs=epochs,
            features=features,
            compute=compute,
            sampling=RareRegimes(rare, unbiased=not rare_unweighted) if rare else None,
            devices=devices,
            checkpoint_dir=checkpoint,
            seconds=seconds,
            memory_gb=memory,
            grid=grid,
            overwrite=overwrite,
            progress=progress,
        )
    if first:
        typer.echo(ending(bundle, data))


def _refuse_without_effect(context: typer.Context, layout: str, part: str, rare: str | None) -> None:
    if layout != "raw":
        refuse_without_effect(context, ["grid"], f"on {layout} data, which hold their geometry")
    if layout in ("packed", "raw"):
        how = "streamed always" if layout == "raw" else "read whole"
        refuse_without_effect(context, ["memory"], f"on {layout} data, which are {how}", "pack a store")
    if not rare:
        refuse_without_effect(context, ["rare_unweighted"], "without --rare", "name an output by --rare")
    if part == "all":
        refuse_without_effect(context, ["held_out"], "with --part all", "train on --part train")


def validate(
    context: typer.Context,
    model: Annotated[list[Path], typer.Option(help="Bundle, or outputs (.nc), to score; repeat to compare.")],
    data: Annotated[Path, typer.Option(help="Packed file or store of columns.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory for scores.json and the HTML page.")],
    part: Annotated[str, typer.Option(help="unseen (by any of the models), test, train or all.")] = "unseen",
    held_out: HeldOutOption = 12,
    reference: Annotated[str | None, typer.Option(help="Model that the others are compared with.")] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Score emulators offline: official metrics, regimes, intervals, conservation; HTML and JSON."""
    from ..climsim_verdict import validate as work
    from ..progress import progress_bar

    if part in ("unseen", "all"):
        refuse_without_effect(context, ["held_out"], f"with --part {part}", "score --part test")
    with progress_bar("scoring") as progress:
        sentence = work(
            model,
            data,
            out,
            part=part,
            held_out=held_out,
            reference=reference,
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(sentence)
    typer.echo(f"report: {out / 'index.html'}")
