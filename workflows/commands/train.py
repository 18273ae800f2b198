"""`subgrid train closure`: by regression on filtered DNS, or by many agents in the simulation."""

from pathlib import Path
from typing import Annotated

import typer

from ...contracts.errors import InputError

METHODS = ("supervised", "ppo")


def closure(
    reference: Annotated[Path, typer.Option(help="Reference file of `subgrid dns`; it names the case.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Bundle to write.")] = Path("closure.bundle"),
    method: Annotated[
        str, typer.Option(help="supervised, or ppo for reinforcement learning.")
    ] = "supervised",
    grid: Annotated[
        int | None, typer.Option(help="Points per side of the LES: 96 if supervised, else 32.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights and of all that is drawn.")] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Directory to save the run in and resume it from.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing bundle.")] = False,
    dealiasing: Annotated[str, typer.Option(help="supervised: two_thirds or none.")] = "two_thirds",
    filter_width: Annotated[
        float | None, typer.Option(help="supervised: Gaussian width in grid spacings of the pairs.")
    ] = None,
    steps: Annotated[int, typer.Option(help="supervised: optimizer steps.")] = 1000,
    learning_rate: Annotated[float, typer.Option(help="supervised: peak learning rate.")] = 3e-3,
    backscatter: Annotated[float, typer.Option(help="supervised: share of backscatter let through.")] = 0.5,
    agents: Annotated[int, typer.Option(help="ppo: agents a side.")] = 4,
    environments: Annotated[int, typer.Option(help="ppo: simulations side by side.")] = 256,
    iterations: Annotated[int, typer.Option(help="ppo: rollouts with an update each.")] = 200,
    seconds: Annotated[float | None, typer.Option(help="ppo: stop after this wall time.")] = None,
) -> None:
    """Train a turbulence closure and export it as a bundle for `subgrid run les`."""
    if method not in METHODS:
        raise InputError(f"--method: found {method!r}, expected one of {', '.join(METHODS)}.")
    common = {"overwrite": overwrite, "checkpoint_dir": checkpoint}
    if method == "supervised":
        options = {
            "grid": grid or 96,
            "dealiasing": dealiasing,
            "filter_width": filter_width,
            "backscatter_share": backscatter,
            "steps": steps,
            "learning_rate": learning_rate,
            "seed": seed,
        }
        _supervised(reference, out, options, common)
    else:
        learner = {"environments": environments, "iterations": iterations}
        options = {"grid": grid or 32, "agents": agents, "method": method, "seed": seed}
        _by_agents(reference, out, options, learner, common | {"seconds": seconds})


def _supervised(reference: Path, out: Path, options: dict, common: dict) -> None:
    from ..closure_training import ClosureTraining, score_lines, train_closure
    from ..progress import progress_bar

    training = ClosureTraining(**options)
    with progress_bar(f"training {out.name}") as progress:
        scores = train_closure(reference, out, training, progress=progress, **common)
    for line in score_lines(scores):
        typer.echo(line)
    typer.echo(f"{out}: try `subgrid run les --grid {training.grid} --closure {out}`")


def _by_agents(reference: Path, out: Path, options: dict, learner: dict, common: dict) -> None:
    from ...contracts.files import require_absent
    from ...contracts.reference import read_reference
    from ...jax_models.rl.ppo import PpoConfig
    from ..closure_rl import ClosureRl, export_policy, train_policy
    from ..progress import progress_bar

    require_absent(out, overwrite=common["overwrite"])
    case = read_reference(reference).attributes["case"]
    config = ClosureRl(case=case, learner=PpoConfig(**learner), **options)
    policy = out.with_suffix(".npz")
    with progress_bar(f"training {out.name}") as progress:
        train_policy(reference, policy, config, progress=progress, **common)
    export_policy(policy, reference, out, overwrite=common["overwrite"])
    typer.echo(f"{policy}: try `subgrid validate closure --policy {policy} --reference {reference}`")
    typer.echo(
        f"{out}: try `subgrid run les --case {case} --grid {config.grid} --dealiasing none --closure {out}`"
    )
