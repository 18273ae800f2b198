"""No cloud and no vapour tendency above the tropopause (Hu et al. 2024; `cb_strato_water_constraint`).

The tropopause is the lowest level k, 1 ≤ k ≤ nlev−2, with p ≤ 400 hPa and a lapse ∂θ/∂z > 10 K/km, centred:
(θ[k−1] − θ[k+1]) / (z[k−1] − z[k+1]), dz = −R T/g d ln p.  From the top down to it:
∂q1 = 0,  ∂q2 = −q2/Δt,  ∂q3 = −q3/Δt.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ...contracts.variables import GAS_DRY, GRAVITY, HEAT_CAPACITY, STEP_S
from .levels import HybridLevels


@dataclass(frozen=True)
class DryStratosphere:
    """`lapse`: K m-1. `ceiling`: Pa. `step`: s."""

    levels: HybridLevels
    lapse: float = 0.010
    ceiling: float = 4e4
    step: float = STEP_S

    def __call__(self, inputs, outputs):
        outputs = dict(outputs)
        above = self.is_above(inputs["state_t"], inputs["state_ps"])
        outputs["ptend_q0001"] = jnp.where(above, 0, outputs["ptend_q0001"])
        for number in ("q0002", "q0003"):
            emptied = -inputs[f"state_{number}"] / self.step
            outputs[f"ptend_{number}"] = jnp.where(above, emptied, outputs[f"ptend_{number}"])
        return outputs

    def is_above(self, temperature, ps):
        """(batch, nlev) True from the top down to the tropopause level, itself included.

        A column without one keeps only its top level, as the coupled model does.
        """
        pressure = self.levels.pressure(ps)
        theta = temperature * (1e5 / pressure) ** (GAS_DRY / HEAT_CAPACITY)
        mean = 0.5 * (temperature[:, 2:] + temperature[:, :-2])
        depth = GAS_DRY / GRAVITY * mean * jnp.log(pressure[:, 2:] / pressure[:, :-2])
        stable = (theta[:, :-2] - theta[:, 2:]) / depth > self.lapse
        stable &= pressure[:, 1:-1] <= self.ceiling
        index = jnp.arange(1, temperature.shape[1] - 1)[None]
        lowest = jnp.max(jnp.where(stable, index, 0), axis=1, keepdims=True)
        return jnp.asarray(np.arange(temperature.shape[1]))[None] <= lowest
