"""The Python twin of run_columns.f90: the same library, the same bundle, the same numbers, and no JAX.

python run_columns.py emulator.bundle columns.bin
"""

import sys

import numpy as np

from subgrid.contracts.bundle import Bundle
from subgrid.fortran_bridge.bundle_runner import BundleModel


def read(path: str, bundle: Bundle) -> list[np.ndarray]:
    """Inputs (ncol, nlev) or (ncol) in the order of the manifest."""
    with open(path, "rb") as file:
        columns = int(np.fromfile(file, np.int32, 1)[0])
        shapes = [(columns, *field.shape) for field in bundle.inputs]
        return [np.fromfile(file, np.float32, int(np.prod(shape))).reshape(shape) for shape in shapes]


def main(path: str, columns: str) -> None:
    """Mean, smallest and largest value of each output."""
    bundle = Bundle.open(path)
    with BundleModel(path, device="cpu") as model:
        outputs = model(*read(columns, bundle))
    for field, values in zip(bundle.outputs, outputs, strict=True):
        numbers = "".join(f"{n:12.4e}" for n in (values.mean(dtype=float), values.min(), values.max()))
        print(f"{field.name:>16}{numbers}  {field.units}")


if __name__ == "__main__":
    main(*sys.argv[1:])
