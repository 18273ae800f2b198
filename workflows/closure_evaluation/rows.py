"""Rows of the table: closures in groups, each of which one compiled loop runs.

A learned closure comes as a policy file (.npz), which runs on any grid that its observation fits, or as a
bundle, which runs on the grid it was exported for.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...contracts.bundle import Bundle
from ...contracts.errors import FileError, InputError
from ...contracts.reference import Reference
from ...envs.closure_env import ClosureEnv
from ...envs.ensemble import MakeClosure
from ...envs.policy_closure import PolicyClosure
from ...envs.targets import make_target
from ...envs.uniform_closure import constants, stack
from ...jax_models.bundle_model import load
from ...sims.closures.learned import Closure as LearnedClosure
from ..closure_baselines import uniform_closure
from ..closure_rl import make_environment, read_config, read_policy

FOR_EVER = 2**30


@dataclass(frozen=True, eq=False)
class Rows:
    """Closures of one form: `make_closure` turns one of `members`, (rows · seeds, ...), into a closure."""

    names: tuple[str, ...]
    make_closure: MakeClosure
    members: Any


def uniform_rows(closures: Mapping[str, Mapping[str, float]], seeds: int) -> Rows:
    """Closures of constants, by name (empty: no closure)."""
    members = stack([constants(**chosen) for chosen in closures.values() for _ in range(seeds)])
    return Rows(tuple(closures), uniform_closure, members)


def single_row(name: str, closure: Callable, seeds: int) -> Rows:
    """A closure without constants."""
    return Rows((name,), lambda member, steps: closure, jnp.zeros(seeds, jnp.float32))


def open_loop_rows(
    environment: ClosureEnv, held: Mapping[str, np.ndarray], random: str, seeds: int, seed: int = 0
) -> Rows:
    """Controls that see nothing of the flow: uniform actions (C,) held for ever by name, and `random`, which
    draws every agent's action anew, uniformly within its bounds, as often as a policy would act."""
    constant = jnp.asarray(np.stack(list(held.values())), jnp.float32)
    # Simulations in the order of rows: first those of each constant action, then the random ones.
    offset = jnp.concatenate([constant, jnp.zeros((1, constant.shape[1]), jnp.float32)])
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
        action = member["offset"][None, None] + member["amplitude"] * noise
        return environment.action.closure(action, environment.lattice)

    return Rows((*held, random), make_closure, members)


def read_closure(name: str, path: Path, environment: ClosureEnv, reference: Reference) -> Callable:
    """The learned closure in `path` (a policy file or a bundle) for the LES of `environment`.

    FileError: it is neither, or damaged. InputError: it does not fit this LES.
    """
    if path.is_dir():
        return bundle_closure(path, environment)
    if path.suffix == ".npz":
        return policy_closure(path, environment, reference)
    raise FileError(f"--closure {name}: {path} is neither a bundle (a directory) nor a policy file (.npz).")


def policy_closure(path: Path, environment: ClosureEnv, reference: Reference) -> PolicyClosure:
    """A policy, with its own lattice, observation and action, on the grid of `environment`.

    Its targets are those of `reference`, of as many directions as it was trained on; its actions are renewed
    at every call, as the hosts of its bundle do.
    """
    trained = make_environment(read_config(path))
    policy = read_policy(path, trained.params(reference, held_out=True, count=2))
    here = replace(trained, case=environment.case, n=environment.n, numerics=environment.numerics)
    target = make_target(reference, trained.case, here.n, here.grid.carried)
    closure = PolicyClosure(here, target, policy.act)
    _require_fit(path, closure, trained)
    return closure


def _require_fit(path: Path, closure: PolicyClosure, trained: ClosureEnv) -> None:
    """InputError when the network does not take the observation of this grid."""
    here = closure.environment
    shape = (here.n, here.grid.carried + 1)
    try:
        jax.eval_shape(_actions(closure), jax.ShapeDtypeStruct(shape, np.complex64))
    except TypeError as error:
        raise InputError(
            f"The policy {path} was trained on {trained.n} points and its observation "
            f"'{trained.observation.name}' has another size on {here.n}; give --grid {trained.n}."
        ) from error


def _actions(closure: PolicyClosure) -> Callable:
    from ...envs.closure_env import KIND
    from ...sims.closures.flow import Flow
    from ...sims.turbulence2d.jax_solver import make_operators

    operators = make_operators(closure.environment.grid, KIND)
    return lambda hat: closure.actions(Flow.of(hat, operators))


def bundle_closure(path: Path, environment: ClosureEnv) -> LearnedClosure:
    """A bundle ω (N, N) → Π (N, N), checked on this device, that may be mapped over an ensemble."""
    bundle = Bundle.open(path)
    fields = [field.shape for field in (*bundle.inputs, *bundle.outputs)]
    wanted = (environment.n, environment.n)
    if fields != [wanted, wanted]:
        raise InputError(
            f"The bundle {path} maps fields of shape {' to '.join(map(str, fields))}, this LES needs "
            f"{wanted} to {wanted}: give --grid or a bundle for this grid."
        )
    dealiasing = _recorded(bundle).get("dealiasing", environment.numerics.dealiasing)
    if dealiasing != environment.numerics.dealiasing:
        raise InputError(
            f"The bundle {path} was trained for an LES with dealiasing {dealiasing}, this one has "
            f"{environment.numerics.dealiasing}: train it with that --dealiasing."
        )
    model = load(path)

    @jax.custom_batching.custom_vmap
    def apply(vorticity: jax.Array) -> jax.Array:
        return model(vorticity[None])[0][0]

    @apply.def_vmap
    def _(size: int, batched: Sequence[bool], vorticity: jax.Array):
        # A program of fixed batch sizes cannot be mapped; its entries go into its batch instead.
        return model(vorticity)[0], True

    return LearnedClosure(lambda vorticity: apply(vorticity.astype(jnp.float32)))


def _recorded(bundle: Bundle) -> dict[str, Any]:
    """The configuration that the bundle records, or nothing."""
    try:
        found = json.loads(bundle.config or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
