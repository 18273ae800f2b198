"""The file of a policy (.npz): weights, normalisation, configuration, learning curve and origin."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ...contracts.errors import FileError
from ...contracts.files import writing
from ...contracts.provenance import provenance
from ...envs.closure_env import ClosureEnv, EnvParams
from ...jax_models.networks.policy import ActorCritic, PolicyConfig, SharedActorCritic
from ...jax_models.rl.training import Trained
from .config import ALGORITHMS, ClosureRl, make_environment, make_network


def write_policy(output: Path, trained: Trained, config: ClosureRl, *, overwrite: bool = False) -> None:
    """Weights, normalisation, configuration, learning curve and origin in one .npz file."""
    _, state = nnx.split(trained.network)
    record = {
        "config": asdict(config),
        "history": trained.history,
        "seconds": trained.seconds,
        "device": jax.devices()[0].device_kind,
        "devices": len(jax.tree.leaves(trained.state.environment)[0].sharding.device_set),
        "actions": len(trained.history) * config.learner.environments * config.learner.rollout,
        **provenance(),
    }
    with writing(output, overwrite=overwrite) as temporary:
        np.savez(temporary, record=json.dumps(record), **_named(state))


def _named(state: Any) -> dict[str, np.ndarray]:
    flat = jax.tree_util.tree_flatten_with_path(state)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf) for path, leaf in flat}


@dataclass(frozen=True)
class Policy:
    """A policy read from a file, with the environment in which it was trained."""

    config: ClosureRl
    environment: ClosureEnv
    network: ActorCritic | SharedActorCritic
    record: dict[str, Any]

    def act(self, observation: Any) -> jax.Array:
        """Deterministic actions, −1 … 1: tanh μ."""
        return jnp.tanh(self.network.policy(observation)[0])


def read_policy(path: Path, params: EnvParams) -> Policy:
    """The policy in `path`; `params` of an environment like the one in which it was trained.

    FileError: missing, damaged, or of a network that does not fit.
    """
    config, record, arrays = _read(path)
    environment = make_environment(config)
    network = make_network(environment, params, config)
    graphdef, state = nnx.split(network)
    expected = _named(state)
    if {name: array.shape for name, array in expected.items()} != {k: v.shape for k, v in arrays.items()}:
        raise FileError(
            f"The arrays of {path} do not fit the network of its configuration; train the policy again."
        )
    leaves = [jnp.asarray(arrays[name]) for name in expected]
    state = jax.tree.unflatten(jax.tree.structure(state), leaves)
    return Policy(config, environment, nnx.merge(graphdef, state), record)


def read_config(path: Path) -> ClosureRl:
    """The configuration of a policy file."""
    return _read(path)[0]


def _read(path: Path) -> tuple[ClosureRl, dict[str, Any], dict[str, np.ndarray]]:
    try:
        with np.load(path) as content:
            record = json.loads(str(content["record"]))
            arrays = {name: content[name] for name in content.files if name != "record"}
        given = dict(record["config"])
        _, learner = ALGORITHMS[given["method"]]
        given["learner"] = learner(**given["learner"])
        given["policy"] = PolicyConfig(**given["policy"] | {"hidden": tuple(given["policy"]["hidden"])})
        return ClosureRl(**given), record, arrays
    except (OSError, KeyError, TypeError, ValueError, BadZipFile) as error:
        raise FileError(f"{path} is no policy file of this version ({error}); train it again.") from error
