"""Agents in the spectrum: each damps or drives a shell along one direction by how far it is off.

    Π̂ = closure − σ [G(kx) γ_x(kx) + G(|ky|) γ_y(|ky|)] ω̂,      G(k) = g_0 + g_1 (k/K)⁴,   σ² = ⟨ω²⟩
    γ_x(k) = g_x(k) ln(Z_x/Z_x,ref) + o_x(k), likewise along y

The closure is a vortex-sparing one of fixed constants. An agent sets gain g and offset o of its shell; both
are piecewise linear in ln k between the shells. So the sum acts on just those one-dimensional spectra that
reward and verdict are made of. Numbers of agents and of what they see do not depend on the grid.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.errors import InputError
from ..sims.closures.flow import Array, Flow, mean_square_vorticity
from ..sims.closures.vortex_sparing import Closure as VortexSparing
from ..sims.turbulence2d.grid import Grid
from .targets import Target, log_flatness, log_ratio_spectrum

LIMIT = 1.5
"""Largest |ln(Z/Z_ref)| that is answered in proportion."""


@dataclass(frozen=True)
class Shells:
    """`agents` m shells along each of two directions between k = 1 and the `highest` carried, K."""

    agents: int
    highest: int

    def __post_init__(self):
        if not 3 <= self.agents <= self.highest:
            raise InputError(
                f"A spectrum of {self.highest} wavenumbers has no room for {self.agents} shells a direction; "
                f"take 3 … {self.highest} agents."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(2, m): along x, along y."""
        return 2, self.agents

    @cached_property
    def places(self) -> np.ndarray:
        """Wavenumbers of the shells, (m,): the gravest one by one, then in equal parts of ln k up to K."""
        single = min(2 * self.agents // 3, (self.highest + 1) // 2)
        rest = np.geomspace(single, self.highest, self.agents - single + 1)[1:]
        return np.append(np.arange(1, single + 1), rest)

    def sample(self, spectrum: jax.Array) -> jax.Array:
        """Values at the shells, (..., m), of values at k = 1 … K, (..., K)."""
        known = np.log(np.arange(1, self.highest + 1))
        return spectrum @ _linear(np.log(self.places), known).T.astype(np.float32)

    def interpolate(self, values: jax.Array) -> jax.Array:
        """Values at k = 0 … K, (..., K+1), from those at the shells, (..., m); 0 at k = 0."""
        wanted = np.log(np.arange(1, self.highest + 1))
        inner = values @ _linear(wanted, np.log(self.places)).T.astype(np.float32)
        return jnp.pad(inner, [(0, 0)] * (inner.ndim - 1) + [(1, 0)])


def _linear(wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Matrix of linear interpolation from places `known` to `wanted`, (wanted, known)."""
    return np.stack([np.interp(wanted, known, unit) for unit in np.eye(len(known))], axis=1)


@dataclass(frozen=True)
class ShellRates:
    """Rates of shells beside the closure `form`; `least` g_0 and `most` g_1 scale them, in σ; g is within 0 …
    `strongest`, o within ±1 of `offsets` known beforehand: one for each shell along x and along y, or one for
    all."""

    form: VortexSparing
    offsets: tuple[tuple[float, ...], tuple[float, ...]] = ((0.0,), (0.0,))
    least: float = 0.03
    most: float = 0.3
    strongest: float = 3.0

    components: ClassVar[int] = 2
    names: ClassVar[tuple[str, ...]] = ("g", "o")

    def __post_init__(self):
        if min(self.least, self.most, self.strongest) < 0.0:
            raise InputError(
                f"The scales of shell rates are {self.least}, {self.most} and {self.strongest}; none may be "
                "negative."
            )

    def arrange(self, agents: int, grid: Grid) -> Shells:
        """The agents on a grid."""
        for row in self.offsets:
            if len(row) not in (1, agents):
                raise InputError(f"There are offsets for {len(row)} shells a direction, but {agents} agents.")
        return Shells(agents, grid.carried)

    def closure(self, action: jax.Array, lattice: Shells, target: Target | None = None) -> "ShellDamping":
        """The closure of actions (2, m, 2), held until the next ones; without a target, as for agents that
        see nothing, g = 0."""
        bounded = jnp.clip(jnp.moveaxis(action, -1, 0), -1.0, 1.0)
        values = lattice.interpolate(bounded.at[1].add(jnp.asarray(self.offsets, action.dtype)))
        share = jnp.arange(lattice.highest + 1, dtype=values.dtype)[None] / lattice.highest
        scale = self.least + self.most * share**4
        gain = 0.5 * self.strongest * (values[0] + 1.0)
        return ShellDamping(self.form, scale * gain, scale * values[1], target)


@dataclass(frozen=True, eq=False)
class ShellDamping:
    """`form` and the rates G g and G o, (2, K+1) each, in σ, along x and along y."""

    form: VortexSparing
    gain: Array
    offset: Array
    target: Target | None

    def __call__(self, flow: Flow) -> Array:
        """Π̂, (N, K+1)."""
        ops, rates = flow.operators, self.offset
        if self.target is not None:
            ratio = jnp.clip(log_ratio_spectrum(flow.vorticity_hat, self.target, 2), -LIMIT, LIMIT)
            rates = rates + self.gain * jnp.pad(ratio, ((0, 0), (1, 0)))
        row = jnp.minimum(jnp.abs(ops.ky[:, 0]).astype(jnp.int32), rates.shape[1] - 1)
        rate = jnp.sqrt(mean_square_vorticity(flow)) * (rates[0][None, :] + rates[1][row][:, None])
        return self.form(flow) - ops.mask * rate * flow.vorticity_hat


@dataclass(frozen=True)
class ShellSpectrum:
    """What an agent of a shell sees: its own log-ratio of the spectrum, its neighbours', where it is."""

    name: ClassVar[str] = "shells"
    places: ClassVar[type] = Shells
    names: ClassVar[tuple[str, ...]] = (
        *("ln Z/Z_ref", "that of the next larger scale", "of the next smaller", "of the other direction"),
        *("ln k/ln K", "direction"),
    )

    def local(self, flow: Flow, lattice: Shells, target: Target) -> jax.Array:
        """(2, m, 6): ln(Z/Z_ref) of the own shell, of the next larger and smaller scale, of the same shell
        along the other direction; ln k/ln K; 1 along x and −1 along y, but 0 where the target has one
        direction."""
        ratio = lattice.sample(jnp.clip(log_ratio_spectrum(flow.vorticity_hat, target, 2), -5.0, 5.0))
        place = jnp.asarray(np.log(lattice.places) / np.log(lattice.highest), ratio.dtype)
        side = jnp.array([1.0, -1.0], ratio.dtype) * (target.spectrum.shape[0] - 1)
        larger = jnp.concatenate([ratio[:, :1], ratio[:, :-1]], axis=1)
        smaller = jnp.concatenate([ratio[:, 1:], ratio[:, -1:]], axis=1)
        where = [jnp.broadcast_to(place, ratio.shape), jnp.broadcast_to(side[:, None], ratio.shape)]
        return jnp.stack([ratio, larger, smaller, ratio[::-1], *where], axis=-1)

    def common(self, flow: Flow, target: Target) -> jax.Array:
        """ln(⟨ω²⟩/⟨ω²⟩_ref) and ln(F/F_ref), (2,), whatever the number of directions."""
        variance = mean_square_vorticity(flow) / target.variance
        return jnp.append(
            jnp.clip(jnp.log(variance + 1e-20), -3.0, 3.0), log_flatness(flow.vorticity(), target)
        )
