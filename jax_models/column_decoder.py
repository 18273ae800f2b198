"""From network units to physical columns by forms that cannot break the physics they know.

    (SOLS, SOLL, SOLSD, SOLLD, rest) = S cos θ_end · softmax(…)    sunlight is divided, never invented
    FLWDS = 1.1 σ T_low⁴ · sigmoid(…)                               an emissivity of the air above
    PRECC = P₀ softplus(…),   PRECSC = PRECC · sigmoid(…)           snow is a part of precipitation
    ∂x = median + spread · (…)     for T, q1, qn, u, v per level

S = SOLIN / COSZRS is the solar constant of the day. NETSW is left to the constraint NetShortwave.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.feature_sets import feature_set
from ..contracts.variables import LEVELS, SURFACE_OUT
from .constraints.microphysics import CondensateSplit
from .constraints.positivity import PositiveWater, ZeroLevels
from .constraints.shortwave import DarkAtNight, NetShortwave
from .normalization import Statistic

STEFAN_BOLTZMANN = 5.670374e-8  # W m-2 K-4
SOLAR_CONSTANT = 1361.0  # W m-2, used only where the sun rises within the step
LOW_SUN = 0.02
SKY = 1.1  # warm air aloft may radiate more than the lowest level
PRECIPITATION = 4e-8  # m s-1, about 100 W m-2
DIRECT_AND_DIFFUSE = ("cam_out_SOLS", "cam_out_SOLL", "cam_out_SOLSD", "cam_out_SOLLD")
TYPICAL_SHARES = np.log(np.array([0.20, 0.20, 0.12, 0.06, 0.40]) / 0.40)
PROFILES = ("ptend_t", "ptend_q0001", "ptend_qn", "ptend_u", "ptend_v")
N_LATENT = len(PROFILES) * LEVELS + 7


class PhysicalDecoder(nnx.Module):
    """Latent (batch, 5 · 60 + 7) and raw inputs by name to outputs by name, raw units.

    rows: (n, n_out) raw training targets in the order of V2; they fix median and spread of each level.
    """

    def __init__(self, rows: np.ndarray):
        slices = feature_set("V2").output_slices
        tendencies = {name: rows[:, slices[name]] for name in slices if name not in SURFACE_OUT}
        tendencies["ptend_qn"] = tendencies["ptend_q0002"] + tendencies["ptend_q0003"]
        centre, scale = zip(*(_level_statistics(tendencies[name]) for name in PROFILES), strict=True)
        self.centre = Statistic(jnp.asarray(np.stack(centre), jnp.float32))
        self.scale = Statistic(jnp.asarray(np.stack(scale), jnp.float32))

    def __call__(self, inputs: dict, latent: jax.Array) -> dict:
        profiles = latent[:, : len(PROFILES) * LEVELS].reshape(-1, len(PROFILES), LEVELS)
        profiles = self.centre[...][None] + self.scale[...][None] * profiles
        scalars = latent[:, len(PROFILES) * LEVELS :]
        outputs = {name: profiles[:, i] for i, name in enumerate(PROFILES)}
        outputs.update(_sunlight(inputs, scalars[:, :4]))
        ground = STEFAN_BOLTZMANN * inputs["state_t"][:, -1:] ** 4
        outputs["cam_out_FLWDS"] = SKY * ground * jax.nn.sigmoid(scalars[:, 4:5] + 1.0)
        rain = PRECIPITATION * jax.nn.softplus(scalars[:, 5:6] - 1.0)
        outputs["cam_out_PRECC"] = rain
        outputs["cam_out_PRECSC"] = rain * jax.nn.sigmoid(scalars[:, 6:7] - 1.0)
        return outputs


def _sunlight(inputs: dict, logits: jax.Array) -> dict:
    within = inputs["pbuf_COSZRS"]
    constant = jnp.where(
        within > LOW_SUN, inputs["pbuf_SOLIN"] / jnp.maximum(within, LOW_SUN), SOLAR_CONSTANT
    )
    logits = jnp.concatenate([logits, jnp.zeros_like(logits[:, :1])], axis=-1)
    shares = jax.nn.softmax(logits + jnp.asarray(TYPICAL_SHARES, logits.dtype)[None], axis=-1)
    flux = constant * inputs["coszrs_end"] * shares
    return {name: flux[:, i : i + 1] for i, name in enumerate(DIRECT_AND_DIFFUSE)}


def _level_statistics(tendency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and mean absolute deviation of (n, nlev); levels that hardly vary get a small common spread."""
    spread = np.abs(tendency - tendency.mean(0)).mean(0)
    return np.median(tendency, axis=0), spread + 1e-3 * spread.mean()


def physical_constraints() -> tuple:
    """The last layers of our models: split, positivity, silent levels, identity of the net shortwave."""
    return (
        PositiveWater(),
        CondensateSplit(),
        PositiveWater(),
        ZeroLevels(),
        DarkAtNight(sun="coszrs_end"),
        NetShortwave(),
    )
