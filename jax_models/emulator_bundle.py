"""Emulators as bundles: each input and output a named raw quantity, normalisation and physics inside."""

import os
from collections.abc import Callable

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.bundle import Bundle, Field
from ..contracts.variables import FEATURE_SETS, FeatureSet, variable
from .bundle_model import load
from .column_emulator import ColumnEmulator
from .export import export_bundle
from .normalization import split

BATCH_SIZES = (1, 384)
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

    inputs: (n, n_in) raw training inputs; they give valid ranges and check vectors (`_check_rows`).
    Raises what `export_bundle` raises.
    """
    features = emulator.features
    graphdef, arrays = nnx.split(emulator)
    columns = split(_check_rows(emulator, inputs), features.input_slices)

    def apply(parameters: dict, *fields: jax.Array) -> tuple[jax.Array, ...]:
        raw = jnp.concatenate([f.reshape(f.shape[0], -1) for f in fields], axis=-1)
        outputs = split(nnx.merge(graphdef, _restored(arrays, parameters))(raw), features.output_slices)
        return tuple(_entry(outputs[n], n, features) for n in features.outputs)

    return export_bundle(
        path,
        apply,
        _named(arrays),
        inputs=[_field(n, features, inputs[:, features.input_slices[n]]) for n in features.inputs],
        outputs=[_field(n, features) for n in features.outputs],
        check_inputs=[np.asarray(_entry(columns[n], n, features), np.float32) for n in features.inputs],
        name=name,
        description=description,
        config=config,
        batch_sizes=batch_sizes,
        platforms=platforms,
        overwrite=overwrite,
    )


def _check_rows(emulator: ColumnEmulator, inputs: np.ndarray) -> np.ndarray:
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


def _entry(values, name: str, features: FeatureSet):
    """(batch, width) to the shape of a field of the bundle: scalars lose their axis."""
    return values if variable(name).is_profile else values[:, 0]


def _field(name: str, features: FeatureSet, seen: np.ndarray | None = None) -> Field:
    row = variable(name)
    start, stop = features.span(name)
    low, high = (None, None) if seen is None else (float(seen.min()), float(seen.max()))
    shape = (stop - start,) if row.is_profile else ()
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
        results = model(*(_entry(columns[n], n, features) for n in features.inputs))
        return np.concatenate([np.asarray(r).reshape(len(matrix), -1) for r in results], axis=-1)

    return features, predict, bundle


def flops_per_column(bundle: Bundle) -> float:
    """Floating-point operations of one column, as XLA counts them in the program of the largest batch.

    0 (unknown) for programs with a loop, of which XLA counts the body once.
    """
    batch = max(bundle.batch_sizes)
    program = next(p for p in bundle.programs if p.name == "forward" and p.batch == batch)
    exported = jax.export.deserialize(bytearray((bundle.path / program.jax_artifact.path).read_bytes()))
    if "stablehlo.while" in exported.mlir_module():
        return 0.0
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in exported.in_avals]
    return float(jax.jit(exported.call).lower(*shapes).compile().cost_analysis()["flops"]) / batch


def _features_of(bundle: Bundle) -> FeatureSet:
    inputs, outputs = (tuple(f.name for f in fields) for fields in (bundle.inputs, bundle.outputs))
    for known in FEATURE_SETS.values():
        if (known.inputs, known.outputs) == (inputs, outputs):
            return known
    for name in (*inputs, *outputs):
        variable(name)
    return FeatureSet(bundle.name, inputs, outputs)
