"""`subgrid train closure --method ppo|vracer`: a closure learned by many agents in a simulation."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.bundle import Field
from ..contracts.errors import FileError, InputError
from ..contracts.files import require_absent, writing
from ..contracts.provenance import provenance
from ..contracts.reference import read_reference
from ..envs.actions import get_action
from ..envs.closure_env import ClosureEnv, EnvParams
from ..envs.observations import get_observation
from ..envs.policy_closure import tendency
from ..envs.rewards import get_reward
from ..jax_models.export import export_bundle
from ..jax_models.networks.policy import ActorCritic, PolicyConfig, SharedActorCritic, make_actor_critic
from ..jax_models.rl import ppo, vracer
from ..jax_models.rl.devices import is_first_process
from ..jax_models.rl.ppo import PpoConfig
from ..jax_models.rl.training import Trained, train
from ..jax_models.rl.vracer import VracerConfig
from ..sims.turbulence2d.cases import get_case
from ..sims.turbulence2d.numerics import Numerics
from .progress import Progress, silent

ALGORITHMS = {"ppo": (ppo, PpoConfig), "vracer": (vracer, VracerConfig)}
STATES = 96
"""Initial states of training: the stored ones and their images under the symmetries."""


@dataclass(frozen=True)
class ClosureRl:
    """A closure to be learned (all quantities dimensionless); it is stored in every output.

    `grid` N of the LES (no dealiasing, as in the papers), `agents` m a side, `observation`, `reward` and
    `action` by name; an action lasts `hold` time steps `dt`, an episode `horizon` actions. `method`: ppo or
    vracer; `learner`: its configuration, by default the usual one.
    """

    case: str = "k4b0"
    grid: int = 32
    agents: int = 4
    observation: str = "relative"
    reward: str = "log_ratio"
    action: str = "backscatter"
    dt: float = 5e-3
    hold: int = 10
    horizon: int = 400
    method: str = "ppo"
    learner: PpoConfig | VracerConfig | None = None
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    seed: int = 0

    def __post_init__(self):
        if self.method not in ALGORITHMS:
            raise InputError(f"--method: found {self.method!r}, expected one of {', '.join(ALGORITHMS)}.")
        _, kind = ALGORITHMS[self.method]
        if self.learner is None:
            # The default depends on another field; nobody has seen the object yet.
            object.__setattr__(self, "learner", kind())
        if not isinstance(self.learner, kind):
            raise InputError(
                f"Method {self.method} learns by a {kind.__name__}, found a {type(self.learner).__name__}; "
                "give the configuration of the same method."
            )


def make_environment(config: ClosureRl) -> ClosureEnv:
    """The environment; InputError for unknown names or a grid that cannot carry the forcing."""
    return ClosureEnv(
        get_case(config.case),
        config.grid,
        agents=config.agents,
        numerics=Numerics(dt=config.dt, dealiasing="none"),
        action=get_action(config.action),
        observation=get_observation(config.observation),
        reward=get_reward(config.reward),
        hold=config.hold,
        horizon=config.horizon,
    )


def make_network(
    environment: ClosureEnv, params: EnvParams, config: ClosureRl
) -> ActorCritic | SharedActorCritic:
    """A new network that fits the observations."""
    # Only the shapes matter: evaluating them traces, where reset by itself would compile every operation.
    shapes, _ = jax.eval_shape(environment.reset, jax.random.PRNGKey(0), params)
    observation = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return make_actor_critic(
        observation, config.policy, components=environment.action.components, rngs=nnx.Rngs(config.seed)
    )


def train_policy(
    reference: Path,
    output: Path,
    config: ClosureRl,
    *,
    overwrite: bool = False,
    checkpoint_dir: Path | None = None,
    seconds: float | None = None,
    devices: int | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train on the reference of the case and write the policy to `output` (.npz, see `write_policy`).

    devices: how many share the simulations (default: all). Of several processes (`jax.distributed`) each
    calls this, and the first one writes.
    """
    require_absent(output, overwrite=overwrite)
    environment = make_environment(config)
    params = environment.params(
        read_reference(reference, environment.case), held_out=False, count=STATES, seed=config.seed
    )
    algorithm, _ = ALGORITHMS[config.method]
    trained = train(
        environment,
        params,
        make_network(environment, params, config),
        algorithm,
        config.learner,
        seed=config.seed,
        checkpoint_dir=checkpoint_dir,
        seconds=seconds,
        devices=devices,
        progress=progress,
    )
    if is_first_process():
        write_policy(output, trained, config, overwrite=overwrite)
    return trained


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


def export_policy(policy_file: Path, reference: Path, output: Path, *, overwrite: bool = False) -> None:
    """Write the whole closure, ω (n, n) → Π (n, n) in float32, as a bundle for `subgrid run les`.

    The program holds the policy, the interpolation and the eddy viscosity; the host must run without
    dealiasing, as the training did.
    """
    require_absent(output, overwrite=overwrite)
    config = read_config(policy_file)
    stored = read_reference(reference, get_case(config.case))
    params = make_environment(config).params(stored, held_out=True, count=2)
    policy = read_policy(policy_file, params)
    environment, shape = policy.environment, (config.grid, config.grid)
    graphdef, weights, fixed = nnx.split(policy.network, nnx.Param, ...)
    fields = np.fft.irfft2(
        np.pad(np.asarray(params.starts), ((0, 0), (0, 0), (0, shape[0] // 2 + 1 - params.starts.shape[-1])))
    ).astype(np.float32)

    def closure(weights, vorticity):
        network = nnx.merge(graphdef, weights, fixed)

        def act(observation):
            return jnp.tanh(network.policy(observation)[0])

        return jax.vmap(lambda omega: tendency(environment, params.target, act, omega))(vorticity)

    limit = environment.limit * float(params.target.sigma_reference)
    export_bundle(
        output,
        closure,
        weights,
        inputs=[Field("vorticity", "float32", shape, "1", "resolved vorticity", -limit, limit)],
        outputs=[Field("tendency", "float32", shape, "1", "subgrid tendency of vorticity")],
        batch_sizes=(1,),
        check_inputs=[fields],
        name=output.stem,
        description=(
            f"closure of {config.case} on {config.grid} points without dealiasing, learned by "
            f"{config.agents}x{config.agents} agents"
        ),
        config=json.dumps(asdict(config) | {"reference": Path(reference).name}),
        overwrite=overwrite,
    )
