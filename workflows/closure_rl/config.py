"""What a closure learned by many agents is made of: environment, algorithm, network."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from flax import nnx

from ...contracts.errors import InputError
from ...envs.actions import get_action
from ...envs.closure_env import ClosureEnv, EnvParams
from ...envs.observations import get_observation
from ...envs.rewards import get_reward
from ...jax_models.networks.policy import ActorCritic, PolicyConfig, SharedActorCritic, make_actor_critic
from ...jax_models.rl import ppo, vracer
from ...jax_models.rl.ppo import PpoConfig
from ...jax_models.rl.vracer import VracerConfig
from ...sims.turbulence2d.cases import get_case
from ...sims.turbulence2d.numerics import Numerics

ALGORITHMS = {"ppo": (ppo, PpoConfig), "vracer": (vracer, VracerConfig)}


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
