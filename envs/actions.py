"""Actions: what one agent sets, and the closure that their interpolated fields make.

    leith, smagorinsky   c:       τ_ij = −2 ν_e S_ij, ν_e(x) = c(x) · Δ³ mean|∇ω| or c(x) · Δ² rms|S|,
                                  c = C_l³ or C_s² (Mojgani et al. 2023); negative c is backscatter
    backscatter          c_4, b:  Π = −∇²(ν_4(x) ∇²ω), ν_4(x) = c_4(x) · Δ⁴ rms|S|, and the stress of the
                                  viscosity −b(x) ⟨ν_4⟩ κ², κ² = ⟨|∇ω|²⟩/⟨ω²⟩, which returns the share b
                                  of the energy that the first takes (after Jansen & Held 2014)

    sparing, vortex  c, b, n:   the vortex-sparing closure (sims/closures/vortex_sparing.py) with fields of
                                  drain, returned share and weighting; its other constants, and the middle of
                                  the bounds, are near the best ones of k4b0 at N = 32 and of k25b0 at N = 64
    shells           g, o:      damping rates of shells of the spectrum along x and along y (spectral.py)

`strong_backscatter` has other bounds, whose middle, C_4 = 0.23 and b = 1, is near the best constants.
Every action has values in −1 … 1, (m, m, C) or (2, m, C); −1 and 1 stand for the bounds. An action says where
its agents are: `arrange(m, grid)` gives a Lattice or Shells.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import jax
import jax.numpy as jnp

from ..contracts.errors import InputError
from ..sims.closures.eddy_viscosity import LocalEddyViscosity, leith_scale, smagorinsky_scale, varying
from ..sims.closures.flow import Array, Flow, laplacian
from ..sims.closures.vortex_sparing import Closure as VortexSparing
from ..sims.turbulence2d.grid import Grid
from .lattice import Lattice
from .spectral import ShellRates
from .targets import Target

SCALES = {"leith": leith_scale, "smagorinsky": smagorinsky_scale}


def within(action: jax.Array, lowest: float, highest: float) -> jax.Array:
    """The value of an action between its bounds; what lies outside −1 … 1 counts as the bound."""
    return lowest + 0.5 * (jnp.clip(action, -1.0, 1.0) + 1.0) * (highest - lowest)


class OnLattice:
    """An action whose agents sit in space."""

    def arrange(self, agents: int, grid: Grid) -> Lattice:
        """The agents on a grid."""
        return Lattice(agents, grid.n)


@dataclass(frozen=True)
class Coefficient(OnLattice):
    """Coefficient of the viscosity `scale`, within `lowest` … `highest`, dimensionless."""

    scale: str = "leith"
    lowest: float = -0.02
    highest: float = 0.04

    components: ClassVar[int] = 1
    names: ClassVar[tuple[str, ...]] = ("c",)

    def __post_init__(self):
        if self.scale not in SCALES:
            raise InputError(f"Unknown viscosity scale {self.scale!r}; known: {', '.join(SCALES)}.")
        if not self.lowest < self.highest:
            raise InputError(
                f"The bounds of the action are {self.lowest} and {self.highest}; expected lowest < highest."
            )

    def physical(self, action: jax.Array) -> jax.Array:
        """c of an action."""
        return within(action, self.lowest, self.highest)

    def closure(
        self, action: jax.Array, lattice: Lattice, target: Target | None = None
    ) -> LocalEddyViscosity:
        """The closure of actions (m, m, 1), held until the next ones."""
        return LocalEddyViscosity(lattice.interpolate(self.physical(action[..., 0])), SCALES[self.scale])


@dataclass(frozen=True)
class Backscatter(OnLattice):
    """Biharmonic coefficient c_4 = C_4⁴ in 0 … `strongest`, returned share b in `least` … `most`."""

    strongest: float = 0.008
    least: float = -0.5
    most: float = 1.5

    components: ClassVar[int] = 2
    names: ClassVar[tuple[str, ...]] = ("c_4", "b")

    def closure(
        self, action: jax.Array, lattice: Lattice, target: Target | None = None
    ) -> Callable[[Flow], Array]:
        """The closure of actions (m, m, 2), held until the next ones."""
        biharmonic = lattice.interpolate(within(action[..., 0], 0.0, self.strongest))
        returned = lattice.interpolate(within(action[..., 1], self.least, self.most))
        return lambda flow: local_backscatter(flow, biharmonic, returned)


def local_backscatter(flow: Flow, biharmonic: Array, returned: Array) -> Array:
    """Π̂, (N, K+1), of the fields c_4 and b, (N, N) each; uniform fields make it that of Jansen and Held."""
    ops, hat = flow.operators, flow.vorticity_hat
    viscosity = biharmonic * (ops.spacing**2 * smagorinsky_scale(flow))
    square = jnp.real(hat) ** 2 + jnp.imag(hat) ** 2
    weight = jnp.where(ops.kx > 0, 2.0, 1.0) * square
    wavenumber_squared = jnp.sum(weight * ops.k2) / (jnp.sum(weight) + 1e-20)
    dissipation = ops.mask * ops.k2 * ops.to_spectrum(viscosity * laplacian(flow))
    return dissipation + varying(flow, -returned * jnp.mean(viscosity) * wavenumber_squared)


@dataclass(frozen=True)
class VortexFields(OnLattice):
    """Fields c, b and n of the vortex-sparing closure within `drain`, `returned` and `weighting` (lowest,
    highest); `form` holds its other constants."""

    drain: tuple[float, float]
    returned: tuple[float, float]
    weighting: tuple[float, float]
    form: VortexSparing

    components: ClassVar[int] = 3
    names: ClassVar[tuple[str, ...]] = ("c", "b", "n")

    def __post_init__(self):
        for name in ("drain", "returned", "weighting"):
            lowest, highest = getattr(self, name)
            if not lowest < highest:
                raise InputError(
                    f"The bounds of {name} are {lowest} and {highest}; expected lowest < highest."
                )
        if self.drain[0] < 0.0:
            raise InputError(f"The least drain is {self.drain[0]}; a negative one would blow up.")

    def closure(self, action: jax.Array, lattice: Lattice, target: Target | None = None) -> VortexSparing:
        """The closure of actions (m, m, 3), held until the next ones."""
        bounds = (self.drain, self.returned, self.weighting)
        fields = [lattice.interpolate(within(action[..., i], *pair)) for i, pair in enumerate(bounds)]
        # The spline through agents near a bound may leave it: a negative drain would make vortices explode.
        return replace(self.form, drain=jnp.maximum(fields[0], 0.0), returned=fields[1], weighting=fields[2])


BETA_OFFSETS = (
    (0.85, -0.03, 0.23, 0.45, 0.67, 1.16, 0.99, 1.0, 0.72, 0.27, 0.14, -0.01),
    (0.02, -0.06, -0.16, -0.62, -0.21, 0.03, -0.73, -0.30, -0.46, -0.45, -0.35, 0.42),
)
"""Offsets of 12 shells along x and along y for k4b20 at N = 32, from integral control of 64 simulations over
600 time units."""

ACTIONS = {
    "leith": Coefficient("leith", -0.02, 0.04),
    "smagorinsky": Coefficient("smagorinsky", -0.04, 0.08),
    "backscatter": Backscatter(),
    "strong_backscatter": Backscatter(0.006, -0.5, 2.5),
    "sparing": VortexFields((0.14, 0.54), (0.88, 1.48), (-0.25, 0.35), VortexSparing()),
    "vortex": VortexFields(
        (0.61, 1.01),
        (0.97, 1.21),
        (1.05, 1.55),
        VortexSparing(
            steepness=2.34,
            return_exponent=2.47,
            sparing=0.55,
            core_sparing=0.48,
            saturation=0.087,
            ceiling=7.2,
        ),
    ),
    "shells": ShellRates(VortexSparing()),
    "shells_anisotropic": ShellRates(
        VortexSparing(
            drain=0.215, returned=1.27, steepness=3.25, return_exponent=2.3, core_sparing=0.3, anisotropy=0.8
        )
    ),
    "shells_beta": ShellRates(
        VortexSparing(
            drain=0.215, returned=1.27, steepness=3.25, return_exponent=2.3, core_sparing=0.3, anisotropy=0.8
        ),
        BETA_OFFSETS,
    ),
}


def get_action(name: str) -> Coefficient | Backscatter | VortexFields | ShellRates:
    """The action of that name with bounds that suit it; InputError lists the known ones."""
    if name not in ACTIONS:
        raise InputError(f"Unknown action {name!r}; known: {', '.join(ACTIONS)}.")
    return ACTIONS[name]
