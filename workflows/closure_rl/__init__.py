"""`subgrid train closure --method ppo|vracer`: a closure learned by many agents in a simulation."""

from ...jax_models.networks.policy import PolicyConfig
from ...jax_models.rl.ppo import PpoConfig
from ...jax_models.rl.vracer import VracerConfig
from .bundle import export_policy
from .config import ALGORITHMS, ClosureRl, make_environment, make_network
from .policy_file import Policy, read_config, read_policy, write_policy
from .training import train_policy

__all__ = [
    "ALGORITHMS",
    "ClosureRl",
    "Policy",
    "PolicyConfig",
    "PpoConfig",
    "VracerConfig",
    "export_policy",
    "make_environment",
    "make_network",
    "read_config",
    "read_policy",
    "train_policy",
    "write_policy",
]
