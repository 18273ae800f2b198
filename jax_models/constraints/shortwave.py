"""Shortwave at the surface: dark at night, and net = down minus reflected, exactly.

    NETSW = SOLS (1−ASDIR) + SOLSD (1−ASDIF) + SOLL (1−ALDIR) + SOLLD (1−ALDIF)

holds in the raw data to 7e-14 W m⁻² rms, so a network need not learn NETSW at all.
"""

from dataclasses import dataclass

import jax.numpy as jnp

from ...contracts.variables import SHORTWAVE

BANDS = (
    ("cam_out_SOLS", "cam_in_ASDIR"),
    ("cam_out_SOLSD", "cam_in_ASDIF"),
    ("cam_out_SOLL", "cam_in_ALDIR"),
    ("cam_out_SOLLD", "cam_in_ALDIF"),
)


@dataclass(frozen=True)
class DarkAtNight:
    """No shortwave where `sun` (pbuf_COSZRS as in the coupled model, or coszrs_end) is not above zero."""

    sun: str = "pbuf_COSZRS"

    def __call__(self, inputs, outputs):
        day = inputs[self.sun] > 0
        return {k: jnp.where(day, v, 0) if k in SHORTWAVE else v for k, v in outputs.items()}


@dataclass(frozen=True)
class NetShortwave:
    """NETSW from the four downward fluxes and albedos."""

    def __call__(self, inputs, outputs):
        net = sum(outputs[flux] * (1 - inputs[albedo]) for flux, albedo in BANDS)
        return {**outputs, "cam_out_NETSW": net}
