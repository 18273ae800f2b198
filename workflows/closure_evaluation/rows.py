"""Rows of the table: closures in groups, each of which one compiled loop runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...envs.closure_env import ClosureEnv
from ...envs.ensemble import MakeClosure
from ...envs.policy_closure import PolicyClosure
from ...envs.targets import Target
from ..closure_forms import Constants, Form


@dataclass(frozen=True, eq=False)
class Rows:
    """Closures of one form: `make_closure` turns one of `members`, (rows · seeds, ...), into a closure."""

    names: tuple[str, ...]
    make_closure: MakeClosure
    members: Any


def form_rows(form: Form, closures: Mapping[str, Constants], seeds: int) -> Rows:
    """Closures of one form by name."""
    members = form.members([chosen for chosen in closures.values() for _ in range(seeds)])
    return Rows(tuple(closures), form.make_closure, members)


def single_row(name: str, closure: Callable, seeds: int) -> Rows:
    """A closure without constants."""
    return Rows((name,), lambda member, steps: closure, jnp.zeros(seeds, jnp.float32))


def open_loop_rows(
    environment: ClosureEnv,
    target: Target,
    held: Mapping[str, np.ndarray],
    random: str,
    seeds: int,
    seed: int = 0,
) -> Rows:
    """Controls that see nothing of the flow: actions (of the environment's shape) held for ever, by name, and
    `random`, which draws each agent's action uniformly within its bounds as often as a policy acts."""
    # Simulations in the order of rows: first those of each constant action, then the random ones.
    offset = jnp.asarray(np.stack([*held.values(), np.zeros(environment.action_shape)]), jnp.float32)
    amplitude = jnp.asarray([0.0] * len(held) + [1.0], jnp.float32)
    rows = len(held) + 1
    members = {
        "key": jax.random.split(jax.random.PRNGKey(seed), rows * seeds),
        "offset": jnp.repeat(offset, seeds, axis=0),
        "amplitude": jnp.repeat(amplitude, seeds),
    }

    def make_closure(member, steps):
        key = jax.random.fold_in(member["key"], steps // environment.hold)
        noise = jax.random.uniform(key, environment.action_shape, jnp.float32, -1.0, 1.0)
        action = member["offset"] + member["amplitude"] * noise
        return PolicyClosure(environment, target, lambda _: action)

    return Rows((*held, random), make_closure, members)


def control_rows(
    environment: ClosureEnv,
    target: Target,
    learned: Mapping[str, Callable],
    means: Mapping[str, np.ndarray],
    seeds: int,
) -> list[Rows]:
    """Policies that see nothing: random actions for every form of action and lattice among the learned
    policies, and the mean action of each of them held for ever; without any, the middle of the bounds of
    `environment`."""
    forms: dict[Any, tuple[PolicyClosure, dict[str, np.ndarray]]] = {}
    for name, closure in learned.items():
        if isinstance(closure, PolicyClosure) and name in means:
            chosen = closure.environment
            form = forms.setdefault((chosen.action, chosen.agents, chosen.hold), (closure, {}))
            form[1][f"{name}: its mean action, held"] = means[name]
    if not forms:
        middle = {"constant policy, middle of the bounds": np.zeros(environment.action_shape)}
        return [open_loop_rows(environment, target, middle, "random policy", seeds)]
    return [
        open_loop_rows(
            policy.environment,
            policy.target,
            held,
            f"random policy{f' {number}' if number > 1 else ''}",
            seeds,
        )
        for number, (policy, held) in enumerate(forms.values(), start=1)
    ]
