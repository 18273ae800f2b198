"""The Python twin of run_columns.f90: the same library, the same bundle, the same numbers, and no JAX.

python run_columns.py emulator.bundle columns.bin
"""

from pathlib import Path

import numpy as np

from subgrid.contracts.bundle import Bundle
from subgrid.contracts.errors import FileError
from subgrid.contracts.script import run_script
from subgrid.fortran_bridge.bundle_runner import BundleModel


def read(path: str, bundle: Bundle) -> list[np.ndarray]:
    """Inputs (ncol, nlev) or (ncol) in the order of the manifest."""
    if not Path(path).is_file():
        raise FileError(f"{path} does not exist; export.py writes it beside the bundle.")
    words = np.fromfile(path, np.int32)
    shapes = [(int(words[:1].sum()), *field.shape) for field in bundle.inputs]
    ends = np.cumsum([1, *(np.prod(shape) for shape in shapes)])
    if words.size != ends[-1]:
        raise FileError(
            f"{path} holds {words.size} numbers, expected {ends[-1]} for the inputs of {bundle.name}; "
            "give the columns that export.py wrote beside the bundle."
        )
    parts = np.split(words.view(np.float32), ends[:-1])[1:]
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def main(bundle: str, columns: str) -> None:
    """Mean, smallest and largest value of each output."""
    manifest = Bundle.open(bundle)
    inputs = read(columns, manifest)
    with BundleModel(bundle, device="cpu") as model:
        outputs = model(*inputs)
    for field, values in zip(manifest.outputs, outputs, strict=True):
        numbers = "".join(f"{n:12.4e}" for n in (values.mean(dtype=float), values.min(), values.max()))
        print(f"{field.name:>16}{numbers}  {field.units}")


if __name__ == "__main__":
    run_script(main)
