"""`subgrid validate closure`: learned closures beside their baselines in long runs from held-out states."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..contracts.errors import FileError
from ..contracts.reference import Reference, read_reference
from ..envs.closure_env import ClosureEnv, EnvParams
from ..envs.ensemble import RunPlan
from ..envs.policy_closure import PolicyClosure
from ..sims.turbulence2d.cases import get_case
from ..sims.turbulence2d.numerics import Numerics
from . import closure_baselines
from .closure_baselines import Tuned, other_baselines, tune, uniform_baselines
from .closure_evaluation.rows import Rows, open_loop_rows, read_closure, single_row, uniform_rows
from .closure_evaluation.runs import Runs, run_rows
from .closure_evaluation.scores import natural_variability, scores_with_bands, statistics, target_statistics
from .closure_evaluation.store import PartStore, content_digest, origin_text
from .closure_kalman import ITERATIONS, KalmanTuned, tune_by_kalman
from .closure_rl import ClosureRl, make_environment, read_config
from .progress import Progress, silent


@dataclass(frozen=True)
class ValidationPlan:
    """`seeds` simulations a closure, each `plan` long; `copies` of `tuning_time` for each set of constants
    that the search and the ensemble Kalman inversion (of `kalman_iterations` ensembles) try."""

    seeds: int = 8
    plan: RunPlan = field(default_factory=RunPlan)
    copies: int = 8
    tuning_time: float = 20.0
    kalman_iterations: int = ITERATIONS


@dataclass(frozen=True)
class GridValidation:
    """What was found on one grid: `scores` and time-mean `statistics` by closure, `target` statistics of the
    cut DNS, `natural` scores of another DNS and its band of Z/Z_DNS (2, K), tuned constants by family."""

    environment: ClosureEnv
    scores: dict[str, dict[str, Any]]
    statistics: dict[str, dict[str, np.ndarray]]
    target: dict[str, np.ndarray]
    natural: dict[str, Any]
    dns_band: np.ndarray
    tuned: dict[str, Tuned]
    kalman: dict[str, KalmanTuned]


def grid_environment(
    closures: Mapping[str, Path], reference: Reference, grid: int | None = None, dt: float | None = None
) -> ClosureEnv:
    """The LES that judges: of the reference's case, without dealiasing; grid, time step and the reward of the
    tuning are those of the first policy file among `closures` unless given."""
    policies = [path for path in closures.values() if path.suffix == ".npz"]
    config = read_config(policies[0]) if policies else ClosureRl()
    like = make_environment(config)
    numerics = like.numerics if dt is None else Numerics(dt=dt, dealiasing=like.numerics.dealiasing)
    case = get_case(reference.attributes["case"])
    return replace(like, case=case, n=like.n if grid is None else grid, numerics=numerics)


def validate_grid(
    closures: Mapping[str, Path],
    reference: Reference,
    environment: ClosureEnv,
    plan: ValidationPlan,
    *,
    store: PartStore | None = None,
    progress: Progress = silent,
) -> GridValidation:
    """Run learned closures (files by name) and all baselines on one grid, from held-out states."""
    kept = store or PartStore(None, "")
    learned = {name: read_closure(name, path, environment, reference) for name, path in closures.items()}
    training = environment.params(reference, held_out=False, count=plan.copies)
    held_out = environment.params(reference, held_out=True, count=max(plan.seeds, 2), seed=1)
    tuned, kalman = tune_constants(environment, training, plan, kept)
    groups = [uniform_rows(uniform_baselines(tuned, kalman), plan.seeds)]
    groups += [single_row(name, c, plan.seeds) for name, c in {**other_baselines(), **learned}.items()]
    groups += control_rows(environment, learned, plan.seeds)
    runs = _run_all(environment, held_out, groups, plan, kept, progress)
    target = target_statistics(reference, environment)
    natural, band = natural_variability(reference, environment, target, plan.seeds * plan.plan.time)
    judged = {"block_time": plan.plan.block_time, "dns_band": band}
    return GridValidation(
        environment,
        {
            name: scores_with_bands(run, target, reference, environment, **judged)
            for name, run in runs.items()
        },
        {name: statistics(run, reference) for name, run in runs.items()},
        target,
        natural,
        band,
        tuned,
        kalman,
    )


def tune_constants(
    environment: ClosureEnv, training: EnvParams, plan: ValidationPlan, store: PartStore
) -> tuple[dict[str, Tuned], dict[str, KalmanTuned]]:
    """Constants by grid search and by ensemble Kalman inversion, by family; kept in `store`."""
    if kept := store.get("tuning"):
        searched, inverted = json.loads(str(kept["record"]))
        return (
            {name: Tuned(**best) for name, best in searched.items()},
            {name: KalmanTuned(**best) for name, best in inverted.items()},
        )
    budget = {"copies": plan.copies, "time": plan.tuning_time}
    tuned = tune(environment, training, **budget)
    kalman = tune_by_kalman(
        environment, training, closure_baselines.FAMILIES, iterations=plan.kalman_iterations, **budget
    )
    record = [{name: asdict(best) for name, best in family.items()} for family in (tuned, kalman)]
    store.put("tuning", {"record": np.array(json.dumps(record))})
    return tuned, kalman


def control_rows(environment: ClosureEnv, learned: Mapping[str, Any], seeds: int) -> list[Rows]:
    """Policies that see nothing, with the action and the lattice of each learned policy (of the environment
    where there is none): the middle of the bounds, and random actions."""
    policies = {name: c for name, c in learned.items() if isinstance(c, PolicyClosure)}
    found = {}
    for policy in policies.values():
        found.setdefault((policy.environment.action, policy.environment.agents), policy.environment)
    groups = []
    for chosen in found.values() or [environment]:
        label = "" if len(found) < 2 else f" ({type(chosen.action).__name__}, {chosen.agents}²)"
        held = {f"constant policy{label}": np.zeros(chosen.action.components)}
        groups.append(open_loop_rows(chosen, held, f"random policy{label}", seeds))
    return groups


def _run_all(
    environment: ClosureEnv,
    params: EnvParams,
    groups: Sequence[Rows],
    plan: ValidationPlan,
    store: PartStore,
    progress: Progress,
) -> Runs:
    runs: Runs = {}
    for number, group in enumerate(groups):

        def within(done: float, total: float, number: int = number) -> None:
            progress(number + done / total, len(groups))

        for name, run in (
            _stored(store, group).items() or run_rows(environment, params, group, plan.plan, within).items()
        ):
            store.put(f"row {name}", run)
            runs[name] = run
        progress(number + 1, len(groups))
    return runs


def _stored(store: PartStore, group: Rows) -> Runs:
    """The runs of a group if all of them are kept, else nothing."""
    found = {name: store.get(f"row {name}") for name in group.names}
    return {} if None in found.values() else found


@dataclass(frozen=True)
class Validation:
    """What was found on every grid, and how long each simulation was."""

    grids: dict[int, GridValidation]
    plan: ValidationPlan


def validate_closures(
    closures: Mapping[str, Path],
    reference: Path,
    plan: ValidationPlan,
    *,
    grids: Sequence[int] = (),
    dt: float | None = None,
    parts: Path | None = None,
    progress: Progress = silent,
) -> Validation:
    """Judge learned closures (policy files and bundles by name) beside all baselines.

    grids: points a side, default that of the first policy. parts: directory that keeps finished runs, from
        which an interrupted evaluation continues.
    """
    stored = read_reference(reference)
    for name, path in closures.items():
        if not path.exists():
            raise FileError(f"--closure {name}: there is no file {path}.")
    environments = [grid_environment(closures, stored, grid, dt) for grid in grids or (None,)]
    found = {}
    for number, environment in enumerate(environments):
        origin = origin_text(
            reference=stored.attributes["content_sha256"],
            environment=environment,
            plan=plan,
            **{f"closure {name}": content_digest(path) for name, path in closures.items()},
        )

        def within(done: float, total: float, number: int = number) -> None:
            progress(number + done / total, len(environments))

        store = PartStore(parts and parts / str(environment.n), origin)
        found[environment.n] = validate_grid(
            closures, stored, environment, plan, store=store, progress=within
        )
    return Validation(found, plan)


def numbers(validation: Validation) -> dict[str, Any]:
    """Everything of a validation that goes into a JSON file."""
    grids = {
        str(n): {
            "scores": found.scores,
            "natural_variability": found.natural,
            "dns_band": found.dns_band,
            "statistics": found.statistics,
            "target": found.target,
            "tuned": {name: asdict(best) for name, best in found.tuned.items()},
            "ensemble_kalman": {name: asdict(best) for name, best in found.kalman.items()},
        }
        for n, found in validation.grids.items()
    }
    first = next(iter(validation.grids.values()))
    return {
        "case": first.environment.case.name,
        "device": jax.devices()[0].device_kind,
        "plan": asdict(validation.plan),
        "grids": grids,
    }
