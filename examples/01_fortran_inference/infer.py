"""The Python twin of infer.f90: the same library, the same bundle, the same numbers, and no JAX.

python infer.py saturation.bundle
"""

import numpy as np

from subgrid.contracts.script import run_script
from subgrid.fortran_bridge.bundle_runner import BundleModel


def main(bundle: str) -> None:
    """Three columns of five levels; the first level of the first column is at 0 °C: 611.2 Pa."""
    level, column = np.arange(5), np.arange(3)
    temperature = (273.15 - 5 * level[None, :] + 10 * column[:, None]).astype(np.float32)
    with BundleModel(bundle, device="cpu") as model:
        (pressure,) = model(temperature)
    for one in pressure:
        print(" ".join(f"{value:10.3f}" for value in one))


if __name__ == "__main__":
    run_script(main)
