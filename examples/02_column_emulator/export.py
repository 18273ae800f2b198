"""Train an emulator of column physics, export it, and write columns for the programs to run it on.

python export.py FOLDER [linear] [packed ClimSim file]

FOLDER gets emulator.bundle, columns.bin and expected.bin. columns.bin holds the number of columns as int32,
then each input of the bundle as float32, (ncol, nlev) or (ncol), in the order of its manifest; expected.bin
holds each output in the same way, as the emulator gives it inside JAX before export. Without a file the
columns are mock ones; the last time step is run, the others are for training.
"""

from pathlib import Path

import numpy as np
from flax import nnx

from subgrid.contracts.errors import InputError
from subgrid.contracts.files import require_absent
from subgrid.contracts.script import run_script
from subgrid.jax_models.data.columns import ColumnSet
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.source import read_columns
from subgrid.jax_models.emulator_bundle import export_emulator
from subgrid.jax_models.emulator_training import predict, train_emulator
from subgrid.jax_models.normalization import split
from subgrid.jax_models.recipes import recipe, training_data

EPOCHS = 2  # enough to have weights that are not those of the start; linear needs none


def export(folder: Path, emulator: str, columns: ColumnSet, *, epochs: int = EPOCHS) -> None:
    """Train on all time steps but the last, and write the three files for the last; 0 epochs: untrained."""
    require_absent(folder / "emulator.bundle")
    train = training_data(columns.at(np.arange(columns.steps - 1)), emulator)
    unseen = training_data(columns.at(np.array([columns.steps - 1])), emulator)
    chosen = recipe(emulator)
    trained = epochs or chosen.epochs == 0
    model = (
        train_emulator(chosen, train, epochs=epochs).model if trained else chosen.build(train, nnx.Rngs(0))
    )
    bundle = export_emulator(
        folder / "emulator.bundle",
        model,
        train.inputs,
        name=emulator,
        description=f"{emulator} on {train.features.name} inputs, example 2",
        batch_sizes=(64,),
        platforms=("cpu",),
    )
    features = train.features
    inputs = split(unseen.inputs.astype(np.float32), features.input_slices)
    outputs = split(predict(model, unseen.inputs, batch=64), features.output_slices)
    with (folder / "columns.bin").open("wb") as file:
        np.int32(len(unseen.inputs)).tofile(file)
        for field in bundle.inputs:
            np.ascontiguousarray(inputs[field.name]).tofile(file)
    with (folder / "expected.bin").open("wb") as file:
        for field in bundle.outputs:
            np.ascontiguousarray(outputs[field.name], np.float32).tofile(file)


def main(folder: str, emulator: str = "linear", data: str | None = None) -> None:
    """Mock columns unless a file is given."""
    if Path(folder).is_file():
        raise InputError(f"{folder} is a file, expected a folder for the outputs; choose another name.")
    Path(folder).mkdir(parents=True, exist_ok=True)
    export(Path(folder), emulator, read_columns(data) if data else mock_columns(9, ncol=96))


if __name__ == "__main__":
    run_script(main)
