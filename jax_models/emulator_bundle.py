"""Emulators as bundles: each input and output a named raw quantity, normalisation and physics inside.

The bundle of a stochastic emulator holds another one, `ensemble/`, whose program gives all members.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.bundle import WEIGHTS, Bundle, Field
from ..contracts.feature_sets import FEATURE_SETS, FeatureSet
from ..contracts.files import writing
from ..contracts.variables import variable
from .bundle_model import load
from .column_emulator import ColumnEmulator
from .ensemble import ensemble, is_stochastic
from .export import export_bundle
from .normalization import split

BATCH_SIZES = (1, 384)
ENSEMBLE = "ensemble"  # the folder, inside a bundle, of the bundle that gives all members
CHECK_ENTRIES = 4
CHECK_CANDIDATES = 256


def export_emulator(
    path: str | os.PathLike,
    emulator: ColumnEmulator,
    inputs: np.ndarray,
    *,
    name: str,
    description: str,
    config: str = "",
    batch_sizes: tuple[int, ...] = BATCH_SIZES,
    platforms: tuple[str, ...] = ("cpu", "cuda"),
    overwrite: bool = False,
) -> Bundle:
    """Write `emulator` as a bundle; a profile is a field (nlev,), a surface quantity a scalar.

    inputs: (n, n_in) raw training inputs; they give valid ranges and check vectors (`check_rows`).
    Raises what `export_bundle` raises.
    """
    rows = check_rows(emulator, inputs)
    words = {"description": description, "config": config}
    sizes = {"batch_sizes": batch_sizes, "platforms": platforms}
    with writing(path, overwrite=overwrite) as folder:
        _export(folder, _forward, emulator, inputs, [], rows, name=name, **words, **sizes)
        if is_stochastic(emulator):
            seed = Field("seed", "int32", (), "1", "what this column draws from", 0, np.iinfo(np.int32).max)
            members = folder / ENSEMBLE
            _export(
                members, _members, emulator, inputs, [seed], rows,
                name=f"{name}-{ENSEMBLE}", **words, **sizes,
            )  # fmt: skip
            _share_weights(folder, members)
    return Bundle.open(path)


def _forward(emulator: ColumnEmulator, raw: jax.Array) -> jax.Array:
    return emulator(raw)


def _members(emulator: ColumnEmulator, raw: jax.Array, seed: jax.Array) -> jax.Array:
    return ensemble(emulator, raw, seed)


def _export(
    path: Path,
    call: Callable,
    emulator: ColumnEmulator,
    inputs: np.ndarray,
    extra: list[Field],
    rows: np.ndarray,
    **options,
) -> None:
    """One bundle of `call(emulator, raw, *extra)`, which gives (batch[, members], n_out)."""
    features = emulator.features
    graphdef, arrays = nnx.split(emulator)
    columns = split(rows, features.input_slices)
    more = [np.arange(1, len(rows) + 1, dtype=field.kind) for field in extra]

    def apply(parameters: dict, *fields: jax.Array) -> tuple[jax.Array, ...]:
        given = fields[: len(features.inputs)]
        raw = jnp.concatenate([f.reshape(f.shape[0], -1) for f in given], axis=-1)
        model = nnx.merge(graphdef, _restored(arrays, parameters))
        outputs = call(model, raw, *fields[len(given) :])
        return tuple(_entry(outputs[..., features.output_slices[n]], n) for n in features.outputs)

    shapes = jax.eval_shape(lambda *a: call(emulator, *a), rows, *more).shape[1:-1]
    export_bundle(
        path,
        apply,
        _named(arrays),
        inputs=[*(_field(n, features, inputs[:, features.input_slices[n]]) for n in features.inputs), *extra],
        outputs=[_field(n, features, leading=shapes) for n in features.outputs],
        check_inputs=[*(np.asarray(_entry(columns[n], n), np.float32) for n in features.inputs), *more],
        **options,
    )


def _share_weights(folder: Path, members: Path) -> None:
    """One copy on disk of weights that both bundles need; two where the file system has no hard links."""
    twin = members / WEIGHTS
    if twin.read_bytes() == (folder / WEIGHTS).read_bytes():
        twin.unlink()
        try:
            os.link(folder / WEIGHTS, twin)
        except OSError:
            shutil.copyfile(folder / WEIGHTS, twin)


def check_rows(emulator: ColumnEmulator, inputs: np.ndarray) -> np.ndarray:
    """Rows to check with, those first in which no output is near zero, (CHECK_ENTRIES, n_in).

    A check is relative to the largest value of an output; at night, or behind a rectifier, an output that is
    almost zero would demand more than its precision of the device.
    """
    rows = inputs[np.linspace(0, len(inputs) - 1, min(CHECK_CANDIDATES, len(inputs))).astype(int)]
    outputs = split(np.abs(np.asarray(emulator(jnp.asarray(rows)))), emulator.features.output_slices)
    size = np.stack([values.reshape(len(rows), -1).max(1) for values in outputs.values()])
    share = size / np.maximum(size.max(1, keepdims=True), np.finfo(np.float32).tiny)
    return rows[np.argsort(-share.min(0), kind="stable")[:CHECK_ENTRIES]]


def _named(arrays: nnx.State) -> dict[str, jax.Array]:
    """Arrays by a dotted path; the order is that of the state."""
    return {".".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(arrays)}


def _restored(arrays: nnx.State, parameters: dict[str, jax.Array]) -> nnx.State:
    flat = [
        (path, leaf.replace(parameters[".".join(map(str, path))])) for path, leaf in nnx.to_flat_state(arrays)
    ]
    return nnx.from_flat_state(flat)


def _entry(values, name: str):
    """(…, width) to the shape of a field of the bundle: scalars lose their axis."""
    return values if variable(name).is_profile else values[..., 0]


def _field(
    name: str, features: FeatureSet, seen: np.ndarray | None = None, *, leading: tuple[int, ...] = ()
) -> Field:
    row = variable(name)
    start, stop = features.span(name)
    low, high = (None, None) if seen is None else (float(seen.min()), float(seen.max()))
    shape = (*leading, stop - start) if row.is_profile else leading
    return Field(name, "float32", shape, row.units, row.long_name, low, high)


def load_emulator(path: str | os.PathLike) -> tuple[FeatureSet, Callable[[np.ndarray], np.ndarray], Bundle]:
    """Feature set, function (n, n_in) raw → (n, n_out) raw, and manifest of a bundle of column physics.

    Names in the bundle must be rows of the table; raises InputError for one that is not.
    """
    bundle = Bundle.open(path)
    features = _features_of(bundle)
    model = load(path)

    def predict(matrix: np.ndarray) -> np.ndarray:
        columns = split(np.asarray(matrix, np.float32), features.input_slices)
        results = model(*(_entry(columns[n], n) for n in features.inputs))
        return np.concatenate([np.asarray(r).reshape(len(matrix), -1) for r in results], axis=-1)

    return features, predict, bundle


def load_ensemble(path: str | os.PathLike) -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    """Function (n, n_in) raw and (n,) seeds → (n, members, n_out) raw; None for a bundle without ensemble."""
    if not (Path(path) / ENSEMBLE).is_dir():
        return None
    features, model = _features_of(Bundle.open(path)), load(Path(path) / ENSEMBLE)

    def draw(matrix: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        columns = split(np.asarray(matrix, np.float32), features.input_slices)
        given = (_entry(columns[n], n) for n in features.inputs)
        results = [np.asarray(r) for r in model(*given, np.asarray(seeds, np.int32))]
        return np.concatenate([r.reshape(*r.shape[:2], -1) for r in results], axis=-1)

    return draw


def _features_of(bundle: Bundle) -> FeatureSet:
    inputs, outputs = (tuple(f.name for f in fields) for fields in (bundle.inputs, bundle.outputs))
    for known in FEATURE_SETS.values():
        if (known.inputs, known.outputs) == (inputs, outputs):
            return known
    for name in (*inputs, *outputs):
        variable(name)
    return FeatureSet(bundle.name, inputs, outputs)
