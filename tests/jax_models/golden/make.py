"""Make tests/jax_models/golden/column: a bundle that every later version of subgrid and jax must read.

    JAX_ENABLE_X64=1 SOURCE_DATE_EPOCH=0 python tests/jax_models/golden/make.py

Made with jax 0.10.1. A new one is added beside it when the format changes; this one is kept.
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np

from subgrid.contracts.bundle import Bundle, Field
from subgrid.jax_models.export import export_bundle

LEVELS = 4
# Fixed numbers, written out by a formula that needs no random generator.
KERNEL = np.cos(np.arange(LEVELS * LEVELS, dtype=np.float64)).reshape(LEVELS, LEVELS)
TEMPERATURE = 250 + 40 * np.sin(np.arange(6 * LEVELS, dtype=np.float64)).reshape(6, LEVELS)
INSOLATION = np.array([0, 200, 400, 600, 800, 1000], np.float64)


def heating(parameters, temperature, insolation):
    """A column scheme in miniature: normalise, one layer, an elementary function, physical units."""
    anomaly = (temperature - 250) / 40
    rate = jnp.arctan(anomaly @ parameters["kernel"]) * (insolation[:, None] / 1000)
    return rate / 86400, rate.sum(axis=1)


def make(path: Path) -> Bundle:
    """Export the scheme for CPU with its pullback."""
    return export_bundle(
        path,
        heating,
        {"kernel": KERNEL},
        inputs=[
            Field("temperature", "float64", (LEVELS,), "K", valid_min=200, valid_max=300),
            Field("insolation", "float64", (), "W m-2"),
        ],
        outputs=[
            Field("heating", "float64", (LEVELS,), "K s-1"),
            Field("column_heating", "float64", (), "K day-1"),
        ],
        check_inputs=[TEMPERATURE, INSOLATION],
        name="golden-column",
        description="A column scheme in miniature",
        programs=("forward", "vjp"),
        batch_sizes=(1, 8),
        platforms=("cpu",),
    )


if __name__ == "__main__":
    make(Path(__file__).parent / "column")
