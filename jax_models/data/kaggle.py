"""The LEAP competition's CSV: `sample_id`, 556 raw inputs and, in training files, 368 raw targets.

Columns are `state_t_0` … `state_t_59` for profiles and plain names for scalars; `cam_in_SNOWHICE` was
dropped. Files are read in pieces (train.csv has 182 GB).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...contracts.errors import FileError
from ...contracts.feature_sets import FeatureSet, feature_set
from ...contracts.variables import variable


def kaggle_columns(features: FeatureSet, names: tuple[str, ...]) -> list[str]:
    """CSV column names of variables in the order of the feature set."""
    return [
        f"{name}_{level}" if variable(name).is_profile else name
        for name in names
        for level in range(*features.span(name))
    ]


def read_kaggle(
    path: Path, *, rows: int = 20_000
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Pieces (sample numbers (n,), inputs (n, 556), targets (n, 368) or None where the file has none).

    Values are float32 in raw units; the sample number is that of `train_123`. Raises FileError for a missing
    column, an entry that is no number, or a sample without number.
    """
    import pandas  # xarray's own dependency; only this reader needs it

    features = feature_set("kaggle")
    wanted_in, wanted_out = (kaggle_columns(features, names) for names in (features.inputs, features.outputs))
    if not Path(path).is_file():
        raise FileError(f"{path} does not exist.")
    header = pandas.read_csv(path, nrows=0).columns
    missing = [name for name in ("sample_id", *wanted_in) if name not in header]
    has_targets = any(name in header for name in wanted_out)
    missing += [name for name in wanted_out if has_targets and name not in header]
    if missing:
        raise FileError(f"{path}: {len(missing)} columns are missing, the first is {missing[0]!r}.")
    used = [*wanted_in, *(wanted_out if has_targets else ())]
    kinds = dict.fromkeys(used, np.float64) | {"sample_id": str}
    try:
        for piece in pandas.read_csv(path, usecols=list(kinds), dtype=kinds, chunksize=rows):
            samples = piece["sample_id"].str.rpartition("_")[2].to_numpy().astype(np.int64)
            values = piece[used].to_numpy(np.float32)
            yield samples, values[:, : len(wanted_in)], values[:, len(wanted_in) :] if has_targets else None
    except ValueError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} holds something that is no number ({error}).") from error
