"""`subgrid validate closure`: a learned closure beside its baselines in long runs from held-out states."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.reference import Reference, read_reference
from ..envs.closure_env import ClosureEnv, EnvParams
from ..envs.ensemble import RunPlan, run_ensemble
from ..envs.policy_closure import PolicyClosure
from ..envs.targets import cut_spectrum
from ..envs.uniform_closure import constants, stack
from ..sims.turbulence2d.statistics.distribution import probability_density, shape_moments
from ..validation.flow_statistics import reference_bins
from ..validation.turbulence import score, spectrum_reward
from .closure_baselines import Tuned, other_baselines, random_actions, tune, uniform_baselines
from .closure_rl import Policy, make_environment, read_config, read_policy

REPLICAS = 400


@dataclass(frozen=True)
class ValidationPlan:
    """`seeds` simulations a closure, each `plan` long; `copies` of `tuning_time` for each constant that the
    search tries."""

    seeds: int = 8
    plan: RunPlan = field(default_factory=RunPlan)
    copies: int = 8
    tuning_time: float = 20.0


def evaluate(
    environment: ClosureEnv, params: EnvParams, closures: Mapping[str, Any], plan: ValidationPlan
) -> dict[str, dict[str, np.ndarray]]:
    """Block means of every closure by name: dictionaries of constants run as one ensemble, others singly."""
    uniform = {name: c for name, c in closures.items() if isinstance(c, dict)}
    members = stack([constants(**c) for c in uniform.values() for _ in range(plan.seeds)])
    together = run_ensemble(environment, params, lambda member: member, members, plan.plan)
    runs = {
        name: {key: value[i * plan.seeds : (i + 1) * plan.seeds] for key, value in together.items()}
        for i, name in enumerate(uniform)
    }
    actions = random_actions(environment, plan.seeds)
    runs["random constant field"] = run_ensemble(
        environment,
        params,
        lambda action: environment.action.closure(action, environment.lattice),
        actions,
        plan.plan,
    )
    for name, closure in closures.items():
        if name not in uniform:
            runs[name] = run_ensemble(
                environment, params, lambda _, c=closure: c, jnp.zeros(plan.seeds), plan.plan
            )
    return runs


def policy_closure(policy: Policy, params: EnvParams) -> PolicyClosure:
    """The closure of a policy, renewed at every call as the hosts of its bundle do."""
    return PolicyClosure(policy.environment, params.target, policy.act)


def statistics(run: Mapping[str, np.ndarray], reference: Reference) -> dict[str, np.ndarray]:
    """Time means over surviving simulations, under the names that scores take; k = 0 is empty."""
    means = {name: value.mean((0, 1)) for name, value in run.items() if name != "alive"}
    spectrum = np.append(0.0, means["spectrum"].mean(0))
    return {
        "spectrum": spectrum,
        "spectrum_directions": means["spectrum"],
        "pdf": probability_density(means["histogram"], reference_bins(reference)),
        "exceedance": means["exceedance"],
        "moments": shape_moments(means["raw_moments"]),
        "reward": means["reward"],
    }


def target_statistics(reference: Reference, environment: ClosureEnv) -> dict[str, np.ndarray]:
    """The same of the DNS cut to the grid of the LES."""
    level = reference.level(environment.n)
    directions = cut_spectrum(reference, environment.case, environment.n)
    spectrum = directions.mean(0)[: environment.grid.carried + 1].copy()
    spectrum[0] = 0.0
    return {
        "spectrum": spectrum,
        "spectrum_directions": directions[:, 1 : environment.grid.carried + 1],
        **{name: reference[name][level] for name in ("pdf", "exceedance", "moments")},
    }


def scores_with_bands(
    run: Mapping[str, np.ndarray], reference: Reference, environment: ClosureEnv
) -> dict[str, Any]:
    """Scores of a run, each with its 95 % band by bootstrap over simulations, and the share that survived."""
    survived = run["alive"].min(1) > 0.999
    result: dict[str, Any] = {"survived": float(survived.mean()), "simulations": int(survived.size)}
    if not survived.any():
        return result
    alive = {name: value[survived] for name, value in run.items()}
    rng = np.random.default_rng(0)
    picks = rng.integers(0, survived.sum(), (REPLICAS, survived.sum()))
    seeds = {name: value.mean(1, keepdims=True) for name, value in alive.items()}
    replicas = [_scores({n: v[pick] for n, v in seeds.items()}, reference, environment) for pick in picks]
    for name, value in _scores(alive, reference, environment).items():
        found = np.array([replica[name] for replica in replicas])
        result[name] = value
        result[f"{name}_band"] = [float(q) for q in np.nanquantile(found, [0.025, 0.975])]
    return result


def _scores(run: Mapping[str, np.ndarray], reference: Reference, environment: ClosureEnv) -> dict[str, float]:
    found, target = statistics(run, reference), target_statistics(reference, environment)
    width = reference_bins(reference).width
    carried = environment.grid.carried
    found["spectrum"][0] = 0.0
    result = score(found, target, highest=carried, bin_width=width)
    ratio = np.log10(found["spectrum_directions"] / target["spectrum_directions"])
    raw = np.append(0.0, reference["enstrophy_mean"][1 : carried + 1])
    return result | {
        "training_reward": float(found["reward"]),
        "spectrum_reward_uncut": spectrum_reward(found["spectrum"], raw),
        "spectrum_error_worst_direction": float(np.sqrt((ratio**2).mean(1)).max()),
        "sigma": float(found["moments"][0]),
        **{f"exceedance_{t}": float(p) for t, p in zip((3, 4, 5), found["exceedance"], strict=True)},
    }


@dataclass(frozen=True)
class Validation:
    """Scores by closure, the statistics they come from, tuned constants, and what was asked."""

    scores: dict[str, dict[str, Any]]
    statistics: dict[str, dict[str, np.ndarray]]
    tuned: dict[str, Tuned]
    target: dict[str, np.ndarray]
    environment: ClosureEnv


def validate_policies(policies: Mapping[str, Path], reference: Path, plan: ValidationPlan) -> Validation:
    """Run policies (files by name; all of one case and grid) and all baselines from held-out states."""
    config = read_config(next(iter(policies.values())))
    environment = make_environment(config)
    stored = read_reference(reference, environment.case)
    training = environment.params(stored, held_out=False, count=plan.copies)
    held_out = environment.params(stored, held_out=True, count=max(plan.seeds, 2), seed=1)
    tuned = tune(environment, training, copies=plan.copies, time=plan.tuning_time)
    closures: dict[str, Callable | dict] = {**uniform_baselines(tuned), **other_baselines()}
    for name, path in policies.items():
        closures[name] = policy_closure(read_policy(path, held_out), held_out)
    runs = evaluate(environment, held_out, closures, plan)
    return Validation(
        {name: scores_with_bands(run, stored, environment) for name, run in runs.items()},
        {name: statistics(_survivors(run), stored) for name, run in runs.items()},
        tuned,
        target_statistics(stored, environment),
        environment,
    )


def _survivors(run: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    survived = run["alive"].min(1) > 0.999
    return {name: value[survived] if survived.any() else value for name, value in run.items()}


def numbers(validation: Validation, plan: ValidationPlan) -> dict[str, Any]:
    """Everything of a validation that goes into a JSON file."""
    return {
        "case": validation.environment.case.name,
        "grid": validation.environment.n,
        "device": jax.devices()[0].device_kind,
        "plan": asdict(plan),
        "scores": validation.scores,
        "statistics": validation.statistics,
        "target": validation.target,
        "tuned": {name: asdict(best) for name, best in validation.tuned.items()},
    }
