"""The quick-start arrays: `train_input.npy`, `train_target.npy` and their like, normalised float32.

Rows are time-major, 384 consecutive rows a time step. Inputs were (x − mean)/(max − min), targets y · scale;
both are undone here, so that every reader gives raw units. Levels with max = min read as their mean; of the
snow on sea ice only its absence survived the normalisation by 1e30, so it reads as 1e30 or 0.
"""

from collections.abc import Iterator
from pathlib import Path

import netCDF4
import numpy as np

from ...contracts.errors import FileError
from ...contracts.feature_sets import FeatureSet, feature_set
from ...contracts.variables import COLUMNS_LOW_RES, FILL


def read_npy(
    inputs: Path, targets: Path, features: FeatureSet, normalization: Path, *, rows: int = 384 * 256
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pieces (raw inputs, raw targets) of at most `rows` rows, memory-mapped.

    normalization: folder with input_{mean,max,min}.nc and output_scale.nc. Raises FileError for arrays whose
    width is not that of `features`, whose lengths differ, or that do not hold whole time steps.
    """
    x, y = _open(inputs, features.n_in), _open(targets, features.n_out)
    if len(x) != len(y):
        raise FileError(f"{inputs} has {len(x)} rows, {targets} has {len(y)}; they do not belong together.")
    if len(x) % COLUMNS_LOW_RES:
        raise FileError(
            f"{inputs} has {len(x)} rows, expected a multiple of {COLUMNS_LOW_RES} (whole time steps)."
        )
    mean, high, low = (
        _vector(normalization, f"input_{k}.nc", features, features.inputs) for k in ("mean", "max", "min")
    )
    scale = _vector(normalization, "output_scale.nc", features, features.outputs)
    for start in range(0, len(x), rows):
        piece = slice(start, start + rows)
        raw = np.asarray(x[piece], np.float64) * (high - low) + mean
        raw = np.where(high < FILL / 2, raw, np.where(raw > FILL / 2, FILL, 0.0))
        yield raw.astype(np.float32), (np.asarray(y[piece], np.float64) / scale).astype(np.float32)


def feature_set_of(inputs: Path) -> FeatureSet:
    """V1 or V2 by the width of the input array. Raises FileError for another width."""
    width = _load(inputs).shape[-1]
    known = {features.n_in: features for features in map(feature_set, ("V1", "V2"))}
    if width not in known:
        raise FileError(
            f"{inputs} has {width} values a row, expected {' or '.join(map(str, known))}; is it of another "
            "feature set?"
        )
    return known[width]


def _load(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise FileError(f"{path} is not a readable .npy file ({error}).") from error


def _open(path: Path, width: int) -> np.ndarray:
    array = _load(path)
    if array.ndim != 2 or array.shape[1] != width:
        raise FileError(
            f"{path} has shape {array.shape}, expected (rows, {width}); is it of another feature set?"
        )
    return array


def _vector(folder: Path, file: str, features: FeatureSet, names: tuple[str, ...]) -> np.ndarray:
    path = Path(folder) / file
    if not path.is_file():
        raise FileError(f"{path} does not exist; give the folder of ClimSim's normalisation files.")
    with netCDF4.Dataset(str(path)) as dataset:
        dataset.set_auto_mask(False)
        parts = [np.atleast_1d(dataset[n][...])[slice(*features.span(n))] for n in names]
    return np.concatenate(parts).astype(np.float64)
