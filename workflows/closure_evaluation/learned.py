"""Learned closures from files, for the LES that judges them.

A policy file (.npz) runs on any grid that its observation fits, a bundle on the grid it was exported for.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...contracts.bundle import Bundle
from ...contracts.errors import FileError, InputError
from ...contracts.reference import Reference
from ...envs.closure_env import KIND, ClosureEnv
from ...envs.policy_closure import PolicyClosure
from ...envs.targets import make_target
from ...jax_models.bundle_model import load
from ...sims.closures.flow import Flow
from ...sims.closures.learned import Closure as LearnedClosure
from ...sims.turbulence2d.jax_solver import make_operators
from ..closure_rl import make_environment, read_config, read_policy


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
    operators = make_operators(here.grid, KIND)
    spectrum = jax.ShapeDtypeStruct((here.n, here.grid.carried + 1), np.complex64)
    try:
        jax.eval_shape(lambda hat: closure.actions(Flow.of(hat, operators)), spectrum)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The policy {path} was trained on {trained.n} points and its observation "
            f"'{trained.observation.name}' has another size on {here.n}; give --grid {trained.n}."
        ) from error


def bundle_closure(path: Path, environment: ClosureEnv) -> LearnedClosure:
    """A bundle ω (N, N) → Π (N, N), checked on this device, that may be mapped over an ensemble."""
    bundle = Bundle.open(path)
    fields = [field.shape for field in (*bundle.inputs, *bundle.outputs)]
    wanted = (environment.n, environment.n)
    if (len(bundle.inputs), len(bundle.outputs)) != (1, 1):
        raise InputError(
            f"The bundle {path} maps {len(bundle.inputs)} inputs to {len(bundle.outputs)} outputs, expected "
            "a turbulence closure, which maps the vorticity to its tendency; give a bundle of `subgrid train "
            "closure`."
        )
    if fields != [wanted, wanted]:
        raise InputError(
            f"The bundle {path} maps {fields[0]} to {fields[1]}, this LES needs {wanted} to {wanted}: give "
            "--grid or a bundle for this grid."
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
