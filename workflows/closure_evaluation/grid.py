"""One grid: tune the baselines, run every closure from held-out states, score what they do."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from ...contracts.errors import InputError
from ...contracts.reference import Reference
from ...envs.closure_env import ClosureEnv, EnvParams
from ...envs.ensemble import RunPlan
from ...envs.policy_closure import PolicyClosure
from ...sims.turbulence2d.numerics import check_choice
from .. import closure_baselines
from ..closure_baselines import Tuned, other_baselines, sparing_baselines, tune, uniform_baselines
from ..closure_forms import SPARING, UNIFORM
from ..closure_kalman import ITERATIONS, KalmanTuned, tune_by_kalman
from ..progress import Progress, silent
from .maps import PolicyMap, sample_policy
from .rows import Rows, control_rows, form_rows, single_row
from .runs import Runs, run_rows
from .scores import natural_variability, scores_with_bands, statistics, target_statistics
from .store import PartStore
from .survival import Survival, run_survival


@dataclass(frozen=True)
class ValidationPlan:
    """How much to run.

    `seeds` simulations a closure, each `plan` long; `copies` of `tuning_time` for each set of constants that
    the search and the ensemble Kalman inversion (of `kalman_iterations` ensembles) try; `map_snapshots` of
    every simulation for policy maps; `survival_time` of the simulations that must stay sound (0: none), of
    the `learned` closures or of `all`.
    """

    seeds: int = 8
    plan: RunPlan = field(default_factory=RunPlan)
    copies: int = 8
    tuning_time: float = 20.0
    kalman_iterations: int = ITERATIONS
    map_snapshots: int = 40
    survival_time: float = 0.0
    survival_of: Literal["learned", "all"] = "learned"

    def __post_init__(self):
        check_choice("choice of survival_of", self.survival_of, ("learned", "all"))
        if self.seeds < 2 or self.copies < 1 or self.map_snapshots < 1 or self.survival_time < 0.0:
            raise InputError(
                f"An evaluation has {self.seeds} seeds, {self.copies} copies, {self.map_snapshots} snapshots "
                f"and a survival time of {self.survival_time}; expected at least 2, 1, 1 and 0."
            )


@dataclass(frozen=True)
class GridValidation:
    """What was found on one grid.

    `scores` and time-mean `statistics` by closure, `target` statistics of the cut DNS, `natural` scores of
    another DNS and its band of Z/Z_DNS (2, K), tuned constants by family, maps by policy, survival by
    closure.
    """

    environment: ClosureEnv
    scores: dict[str, dict[str, Any]]
    statistics: dict[str, dict[str, np.ndarray]]
    target: dict[str, np.ndarray]
    natural: dict[str, Any]
    dns_band: np.ndarray
    tuned: dict[str, Tuned]
    kalman: dict[str, KalmanTuned]
    maps: dict[str, PolicyMap]
    survival: dict[str, Survival]


def validate_grid(
    learned: Mapping[str, Callable],
    reference: Reference,
    environment: ClosureEnv,
    plan: ValidationPlan,
    *,
    store: PartStore | None = None,
    progress: Progress = silent,
) -> GridValidation:
    """Run learned closures and all baselines on one grid, from held-out states."""
    kept = store or PartStore(None, "")
    training = environment.params(reference, held_out=False, count=plan.copies)
    held_out = environment.params(reference, held_out=True, count=max(plan.seeds, 2), seed=1)
    steps = _Steps(5 + (2 if plan.survival_time else 1) * len(learned) + len(other_baselines()), progress)
    tuned, kalman = tune_constants(environment, training, plan, kept, steps)
    maps = {
        name: found
        for name, closure in learned.items()
        if isinstance(closure, PolicyClosure)
        and (found := sample_policy(environment, held_out, closure, snapshots=plan.map_snapshots))
    }
    groups = [single_row(name, closure, plan.seeds) for name, closure in learned.items()]
    groups += [form_rows(UNIFORM, uniform_baselines(tuned, kalman), plan.seeds)]
    groups += [form_rows(SPARING, sparing_baselines(kalman), plan.seeds)]
    groups += [single_row(name, closure, plan.seeds) for name, closure in other_baselines().items()]
    means = {name: found.mean_action for name, found in maps.items()}
    groups += control_rows(environment, held_out.target, learned, means, plan.seeds)
    enduring = [group for group in groups if plan.survival_of == "all" or group.names[0] in learned]
    steps.count = 3 + len(groups) + (len(enduring) if plan.survival_time else 0)
    runs = _run_all(environment, held_out, groups, plan, kept, steps)
    target = target_statistics(reference, environment)
    natural, band = natural_variability(reference, environment, target, plan.seeds * plan.plan.time)
    judged = {"block_time": plan.plan.block_time, "dns_band": band}
    survival: dict[str, Survival] = {}
    for group in enduring if plan.survival_time else ():
        survival |= run_survival(
            environment, held_out, group, plan.survival_time, store=kept, progress=steps.next()
        )
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
        maps,
        survival,
    )


def tune_constants(
    environment: ClosureEnv, training: EnvParams, plan: ValidationPlan, store: PartStore, steps: "_Steps"
) -> tuple[dict[str, Tuned], dict[str, KalmanTuned]]:
    """Constants by grid search and by ensemble Kalman inversion, by family; kept in `store`."""
    search, inversion, other_inversion = steps.next(), steps.next(), steps.next()
    if kept := store.get("tuning"):
        searched, inverted = json.loads(str(kept["record"]))
        return (
            {name: Tuned(**best) for name, best in searched.items()},
            {name: KalmanTuned(**best) for name, best in inverted.items()},
        )
    budget = {"copies": plan.copies, "time": plan.tuning_time}
    tuned = tune(environment, training, progress=search, **budget)
    budget["iterations"] = plan.kalman_iterations
    uniform, sparing = closure_baselines.FAMILIES, closure_baselines.SPARING_FAMILIES
    kalman = tune_by_kalman(environment, training, uniform, progress=inversion, **budget)
    kalman |= tune_by_kalman(environment, training, sparing, form=SPARING, progress=other_inversion, **budget)
    record = [{name: asdict(best) for name, best in family.items()} for family in (tuned, kalman)]
    store.put("tuning", {"record": np.array(json.dumps(record))})
    return tuned, kalman


class _Steps:
    """Progress over steps of equal weight; `count` of them are expected."""

    def __init__(self, count: int, progress: Progress):
        self.count, self.done, self.progress = count, 0, progress

    def next(self) -> Progress:
        """The progress of the next step."""
        before = self.done
        self.done += 1

        def within(done: float, total: float, **numbers: float) -> None:
            self.progress(before + done / total, self.count, **numbers)

        return within


def _run_all(
    environment: ClosureEnv,
    params: EnvParams,
    groups: Sequence[Rows],
    plan: ValidationPlan,
    store: PartStore,
    steps: _Steps,
) -> Runs:
    runs: Runs = {}
    for group in groups:
        within = steps.next()
        found = {name: store.get(f"row {name}") for name in group.names}
        if None in found.values():
            found = run_rows(environment, params, group, plan.plan, within)
            for name, run in found.items():
                store.put(f"row {name}", run)
        within(1, 1)
        runs |= found
    return runs
