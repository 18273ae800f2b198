"""A trained policy as a closure: the flow of an instant → Π̂, with the actions renewed at every call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..sims.closures.flow import Array, Flow
from ..sims.turbulence2d.jax_solver import make_operators
from ..sims.turbulence2d.transforms import to_grid
from .closure_env import KIND, ClosureEnv
from .observations import Observation
from .targets import Target


@dataclass(frozen=True, eq=False)
class PolicyClosure:
    """`act` maps an observation, whose `memory` is empty as in every host, to actions (m, m, C)."""

    environment: ClosureEnv
    target: Target
    act: Callable[[Observation], jax.Array]

    def actions(self, flow: Flow) -> jax.Array:
        """Actions at the agents, (m, m, C)."""
        observe, lattice = self.environment.observation, self.environment.lattice
        local = observe.local(flow, lattice, self.target)
        return self.act(Observation(local, observe.common(flow, self.target), jnp.zeros((0,), local.dtype)))

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        environment = self.environment
        return environment.action.closure(self.actions(flow), environment.lattice, self.target)(flow)


def tendency(environment: ClosureEnv, target: Target, act: Callable, vorticity: jax.Array) -> Any:
    """Π (N, N) of ω (N, N) on the grid, both float32: what a host without spectra calls."""
    operators = make_operators(environment.grid, np.dtype(KIND))
    hat = operators.mask * operators.to_spectrum(vorticity)
    return to_grid(PolicyClosure(environment, target, act)(Flow.of(hat, operators)))
