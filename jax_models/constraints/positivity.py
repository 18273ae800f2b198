"""No negative water after the step, no negative flux, no more snow than precipitation, silent top levels."""

from dataclasses import dataclass

import jax.numpy as jnp

from ...contracts.variables import STEP_S, SURFACE_OUT

WATER = (
    ("ptend_q0001", ("state_q0001",)),
    ("ptend_q0002", ("state_q0002",)),
    ("ptend_q0003", ("state_q0003",)),
    ("ptend_qn", ("state_q0002", "state_q0003")),
)
# Rounding of q + Δt (−q/Δt) in float32 may leave −1e-7 q; a margin of a few last-place units prevents it.
MARGIN = 1 - 4e-7


TOP_SILENT = ("ptend_q0001", "ptend_q0002", "ptend_q0003", "ptend_qn", "ptend_u", "ptend_v")


@dataclass(frozen=True)
class PositiveWater:
    """∂q ≥ −q/Δt for each water species present in both inputs and outputs. `step`: s."""

    step: float = STEP_S

    def __call__(self, inputs, outputs):
        outputs = dict(outputs)
        for tendency, species in WATER:
            if tendency in outputs and all(name in inputs for name in species):
                water = sum(inputs[name] for name in species)
                outputs[tendency] = jnp.maximum(outputs[tendency], -(MARGIN / self.step) * water)
        return outputs


@dataclass(frozen=True)
class NonNegativeSurface:
    """Every surface flux and precipitation rate ≥ 0."""

    def __call__(self, inputs, outputs):
        return {k: jnp.maximum(v, 0) if k in SURFACE_OUT else v for k, v in outputs.items()}


@dataclass(frozen=True)
class SnowWithinPrecipitation:
    """PRECSC ≤ PRECC: in the data PRECC is the total, rain and snow."""

    def __call__(self, inputs, outputs):
        snow = jnp.minimum(outputs["cam_out_PRECSC"], outputs["cam_out_PRECC"])
        return {**outputs, "cam_out_PRECSC": snow}


@dataclass(frozen=True)
class ZeroLevels:
    """Tendencies `names` vanish at level indices below `first`, where the embedded model does not reach."""

    names: tuple[str, ...] = TOP_SILENT
    first: int = 12

    def __call__(self, inputs, outputs):
        return {k: self._silence(v) if k in self.names else v for k, v in outputs.items()}

    def _silence(self, tendency):
        return jnp.where((jnp.arange(tendency.shape[-1]) >= self.first)[None], tendency, 0)
