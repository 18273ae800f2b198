"""`subgrid train closure`: by regression on filtered DNS, or by many agents in the simulation."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from ...contracts.errors import InputError
from .options import SEVERAL_PROCESSES, OverwriteOption, not_negative, positive
from .without_effect import given, refuse_without_effect

METHODS = ("supervised", "ppo", "vracer")
SUPERVISED_ONLY = ("dealiasing", "filter_width", "steps", "learning_rate", "backscatter")
BY_AGENTS_ONLY = (
    *("agents", "observation", "reward", "action", "dt", "hold", "horizon", "environments", "iterations"),
    *("learner", "network", "seconds", "devices", "distributed"),
)


def closure(
    context: typer.Context,
    reference: Annotated[Path, typer.Option(help="Reference file of `subgrid dns`; it names the case.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Bundle to write.")] = Path("closure.bundle"),
    method: Annotated[
        str, typer.Option(help="supervised, or by reinforcement learning: ppo, vracer.")
    ] = "supervised",
    grid: Annotated[
        int | None,
        typer.Option(callback=positive, help="Points per side of the LES: 96 if supervised, else 32."),
    ] = None,
    seed: Annotated[
        int, typer.Option(callback=not_negative, help="Seed of the weights and of all that is drawn.")
    ] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Directory to save the run in and resume it from.")
    ] = None,
    overwrite: OverwriteOption = False,
    dealiasing: Annotated[str, typer.Option(help="supervised: two_thirds or none.")] = "two_thirds",
    filter_width: Annotated[
        float | None, typer.Option(help="supervised: Gaussian width in grid spacings of the pairs.")
    ] = None,
    steps: Annotated[int, typer.Option(help="supervised: optimizer steps.")] = 1000,
    learning_rate: Annotated[
        float, typer.Option(callback=positive, help="supervised: peak learning rate.")
    ] = 3e-3,
    backscatter: Annotated[float, typer.Option(help="supervised: share of backscatter let through.")] = 0.5,
    agents: Annotated[int, typer.Option(help="ppo, vracer: agents a side.")] = 4,
    observation: Annotated[str, typer.Option(help="ppo, vracer: what agents see.")] = "relative",
    reward: Annotated[str, typer.Option(help="ppo, vracer: what they earn.")] = "log_ratio",
    action: Annotated[str, typer.Option(help="ppo, vracer: what they set.")] = "backscatter",
    dt: Annotated[float, typer.Option(help="ppo, vracer: time step, dimensionless.")] = 5e-3,
    hold: Annotated[int, typer.Option(help="ppo, vracer: time steps an action lasts.")] = 10,
    horizon: Annotated[int, typer.Option(help="ppo, vracer: actions an episode lasts.")] = 400,
    environments: Annotated[int, typer.Option(help="ppo, vracer: simulations side by side.")] = 256,
    iterations: Annotated[int, typer.Option(help="ppo, vracer: rollouts with updates after each.")] = 200,
    learner: Annotated[
        list[str] | None, typer.Option(help="ppo, vracer: NAME=NUMBER of its configuration; repeat it.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="ppo, vracer: NAME=NUMBER, as in initial_spread=0.2.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(callback=positive, help="ppo, vracer: stop after this wall time.")
    ] = None,
    devices: Annotated[
        int | None, typer.Option(help="ppo, vracer: devices that share the simulations; all if not given.")
    ] = None,
    distributed: Annotated[
        bool, typer.Option("--distributed", help=f"ppo, vracer: {SEVERAL_PROCESSES}.")
    ] = False,
) -> None:
    """Train a turbulence closure and export it as a bundle for `subgrid run les`."""
    _refuse_without_effect(context, method)
    common = {"overwrite": overwrite, "checkpoint_dir": checkpoint}
    if method == "supervised":
        options = {
            "grid": grid or 96, "dealiasing": dealiasing, "filter_width": filter_width, "steps": steps,
            "learning_rate": learning_rate, "backscatter_share": backscatter, "seed": seed,
        }  # fmt: skip
        _supervised(reference, out, options, common)
        return
    named = {"environments": environments, "iterations": iterations}
    learner_numbers = _numbers("--learner", learner)
    _require_once(context, named, learner_numbers)
    settings = {"learner": named | learner_numbers, "network": _numbers("--network", network)}
    options = {
        "grid": grid or 32, "agents": agents, "observation": observation, "reward": reward, "action": action,
        "dt": dt, "hold": hold, "horizon": horizon, "method": method, "seed": seed,
    }  # fmt: skip
    run = common | {"seconds": seconds, "devices": devices}
    _by_agents(reference, out, options, settings, run, join=distributed)


def _refuse_without_effect(context: typer.Context, method: str) -> None:
    if method not in METHODS:
        raise InputError(f"--method: found {method!r}, expected one of {', '.join(METHODS)}.")
    if method == "supervised":
        refuse_without_effect(context, BY_AGENTS_ONLY, "with --method supervised", "take ppo or vracer")
    else:
        remedy = "take supervised (--learner learning_rate=… sets that of agents)"
        refuse_without_effect(context, SUPERVISED_ONLY, f"with --method {method}", remedy)


def _supervised(reference: Path, out: Path, options: dict, common: dict) -> None:
    from ...contracts.reference import read_reference
    from ..closure_training import ClosureTraining, score_lines, train_closure
    from ..progress import progress_bar

    training = ClosureTraining(**options)
    with progress_bar(f"training {out.name}") as progress:
        scores = train_closure(reference, out, training, progress=progress, **common)
    for line in score_lines(scores):
        typer.echo(line)
    case = read_reference(reference).attributes["case"]
    flow = f"--case {case} --grid {training.grid} --dealiasing {training.dealiasing}"
    typer.echo(f"{out}: try `subgrid run les {flow} --closure {out}`")


def _numbers(option: str, settings: list[str] | None) -> dict[str, float]:
    """{name: number} of NAME=NUMBER, as often as `option` was given."""
    found = {}
    for setting in settings or []:
        name, equals, value = setting.partition("=")
        try:
            found[name] = int(value) if value.lstrip("-").isdigit() else float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise InputError(f"{option}: found {setting!r}, expected NAME=NUMBER, as in rollout=16.")
    return found


def _require_once(context: typer.Context, named: dict[str, int], numbers: dict[str, float]) -> None:
    twice = [option for option in given(context, named) if option.removeprefix("--") in numbers]
    if twice:
        raise InputError(f"{', '.join(twice)}: given by --learner too, expected once; leave one of them out.")


def configure(option: str, kind: type, settings: dict[str, float]):
    """A configuration of `kind` with some of its numbers set; InputError lists the names that it has."""
    known = {field.name: field.type for field in fields(kind) if field.type in (int, float)}
    for name, value in settings.items():
        if name not in known:
            raise InputError(f"{option}: {kind.__name__} has no {name!r}, it has {', '.join(known)}.")
        if known[name] is int and not isinstance(value, int):
            raise InputError(f"{option}: {name} is a whole number, found {value}.")
    return kind(**settings)


def _by_agents(reference: Path, out: Path, options: dict, settings: dict, run: dict, *, join: bool) -> None:
    from ...contracts.files import require_absent
    from ...contracts.reference import read_reference
    from ...jax_models.devices import is_first_process, join_processes
    from ..closure_rl import ALGORITHMS, ClosureRl, PolicyConfig, export_policy, train_policy
    from ..learning_curve import learning_curve
    from ..progress import progress_bar, silent

    overwrite = run["overwrite"]
    policy, curve = out.with_suffix(".npz"), out.with_suffix(".png")
    for path in (out, curve):
        require_absent(path, overwrite=overwrite)
    case = read_reference(reference).attributes["case"]
    learner = configure("--learner", ALGORITHMS[options["method"]][1], settings["learner"])
    network = configure("--network", PolicyConfig, settings["network"])
    config = ClosureRl(case=case, learner=learner, policy=network, **options)
    if join:
        join_processes()
    if not is_first_process():
        train_policy(reference, policy, config, progress=silent, **run)
        return
    with progress_bar(f"training {out.name}") as progress:
        trained = train_policy(reference, policy, config, progress=progress, **run)
    export_policy(policy, reference, out, overwrite=overwrite)
    learning_curve(trained.history, curve, f"{out.stem}: {config.method}", overwrite=overwrite)
    typer.echo(f"{curve}: reward {trained.history[0]['reward']:.3g} → {trained.history[-1]['reward']:.3g}")
    typer.echo(f"{policy}: try `subgrid validate closure --policy {policy} --reference {reference}`")
    typer.echo(
        f"{out}: try `subgrid run les --case {case} --grid {config.grid} --dealiasing none --dt {config.dt} "
        f"--closure {out}`"
    )
