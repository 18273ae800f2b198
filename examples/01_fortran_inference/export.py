"""Export a scheme with known answers: saturation vapour pressure over water (Bolton 1980, eq. 10).

python export.py saturation.bundle

e_s = a exp(b (T − T0) / (T − c))      a = 611.2 Pa, b = 17.67, c = 29.65 K, T0 = 273.15 K
"""

import jax.numpy as jnp
import numpy as np

from subgrid.contracts.bundle import Field
from subgrid.contracts.script import run_script
from subgrid.jax_models.export import export_bundle

LEVELS = 5
COEFFICIENTS = np.array([611.2, 17.67, 29.65], np.float32)


def saturation(coefficients, temperature):
    """Temperature (batch, LEVELS), K, to saturation vapour pressure (batch, LEVELS), Pa."""
    a, b, c = coefficients
    return a * jnp.exp(b * (temperature - 273.15) / (temperature - c))


def main(bundle: str) -> None:
    """Write the bundle, with sixteen columns between 230 and 310 K as check vectors."""
    temperature = np.linspace(230, 310, 16 * LEVELS, dtype=np.float32).reshape(16, LEVELS)
    exported = export_bundle(
        bundle,
        saturation,
        COEFFICIENTS,
        inputs=[Field("temperature", "float32", (LEVELS,), "K", valid_min=230, valid_max=310)],
        outputs=[Field("saturation_pressure", "float32", (LEVELS,), "Pa")],
        check_inputs=[temperature],
        name="saturation",
        description="Saturation vapour pressure over water (Bolton 1980)",
        programs=("forward", "vjp"),
        batch_sizes=(1, 64),
    )
    print(exported.summary())


if __name__ == "__main__":
    run_script(main)
