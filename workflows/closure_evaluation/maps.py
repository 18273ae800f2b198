"""Policy maps: what a policy does where, from its own simulations."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import spearmanr

from ...envs.closure_env import KIND, ClosureEnv, EnvParams
from ...envs.ensemble import Ensemble, RunPlan
from ...envs.lattice import Lattice
from ...envs.policy_closure import PolicyClosure
from ...sims.closures.flow import Flow
from ...sims.turbulence2d.jax_solver import make_operators

SAME = 0.95
"""Rank correlation with |ω| above which an invariant says nothing that the vorticity does not."""


@dataclass(frozen=True)
class PolicyMap:
    """Samples at agents: `invariants` (n, F) that they see, `actions` (n, C) in −1 … 1, names of F and C.

    `mean_action`: the constant that stands for the policy, of the shape of its actions; agents in space are
    alike, agents in the spectrum each have their own. `place` (n, 2): ω/σ_ref and the local enstrophy
    transfer ωΠ in units of the mean of its modulus; None for agents in the spectrum.
    """

    invariants: np.ndarray
    actions: np.ndarray
    invariant_names: tuple[str, ...]
    action_names: tuple[str, ...]
    mean_action: np.ndarray
    place: np.ndarray | None

    def correlations(self) -> np.ndarray:
        """Correlation of every action with every invariant and, where known, with ωΠ, (C, F or F + 1)."""
        columns = self.invariants
        if self.place is not None:
            columns = np.concatenate([columns, self.place[:, 1:]], axis=1)
        with np.errstate(invalid="ignore"):  # an invariant may be constant: tr S of an incompressible flow
            table = np.corrcoef(self.actions, columns, rowvar=False)
        return table[: self.actions.shape[1], self.actions.shape[1] :]

    def telling_invariant(self) -> int:
        """Index of the invariant, other than a function of |ω|, that an action follows most."""
        strength = np.abs(self.correlations()[:, : self.invariants.shape[1]]).max(0)
        if self.place is not None:
            modulus = np.abs(self.place[:, 0])
            ranks = [abs(spearmanr(modulus, column)[0]) for column in self.invariants.T]
            strength = np.where(np.array(ranks) > SAME, 0.0, strength)
        return int(np.argmax(np.nan_to_num(strength)))


def sample_policy(
    environment: ClosureEnv,
    params: EnvParams,
    closure: PolicyClosure,
    *,
    seeds: int = 8,
    snapshots: int = 40,
    spin_up: float = 5.0,
    sample_interval: float = 0.5,
) -> PolicyMap | None:
    """What `closure` sees and does at its agents in `seeds` simulations; None if all blew up at once."""
    plan = RunPlan(spin_up=spin_up, blocks=1, sample_interval=sample_interval)
    ensemble = Ensemble(environment, lambda member, steps: closure, plan)
    members = jnp.zeros(seeds, jnp.float32)
    look = jax.jit(jax.vmap(_look(environment, params, closure)))
    carry = ensemble.begin(params, seeds)
    carry, _ = ensemble.advance(carry, members, params, max(1, ensemble.samples(spin_up)))
    kept = []
    for _ in range(snapshots):
        carry, means = ensemble.advance(carry, members, params, 1)
        sound = np.asarray(means["alive"]) > 0.5
        kept.append([np.asarray(array, np.float64)[sound] for array in look(carry.flow.vorticity_hat)])
    invariants, actions, *place = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    if not len(actions):
        return None
    alike = (0, 1, 2) if place else (0,)
    mean = np.broadcast_to(actions.mean(alike, keepdims=True)[0], actions.shape[1:])
    invariants, actions, *place = (a.reshape(-1, a.shape[-1]) for a in (invariants, actions, *place))
    for points in place:
        points[:, 1] /= np.abs(points[:, 1]).mean()
    return PolicyMap(
        invariants,
        actions,
        _names(closure.environment.observation, invariants.shape[1], "invariant"),
        _names(closure.environment.action, actions.shape[1], "action"),
        mean,
        place[0] if place else None,
    )


def _look(environment: ClosureEnv, params: EnvParams, closure: PolicyClosure) -> Callable:
    """(local observation, actions) at the agents of a carried spectrum (N, K+1), and (ω/σ_ref, ωΠ) there for
    agents in space."""
    operators = make_operators(environment.grid, KIND)
    lattice = closure.environment.lattice
    seen = replace(closure, act=lambda observation: observation.local)

    def look(vorticity_hat: jax.Array):
        flow = Flow.of(vorticity_hat, operators)
        found = (seen.actions(flow), closure.actions(flow))
        if not isinstance(lattice, Lattice):
            return found
        vorticity, tendency = operators.to_grids(vorticity_hat, closure(flow))
        points = (vorticity / params.target.sigma_reference, vorticity * tendency)
        return *found, jnp.stack([lattice.sample(field) for field in points], axis=-1)

    return look


def _names(what: object, count: int, word: str) -> tuple[str, ...]:
    """The names that an observation or an action gives its components, numbers where it gives none."""
    given = getattr(what, "names", ())
    return tuple(given) if len(given) == count else tuple(f"{word} {i + 1}" for i in range(count))
