"""From a JAX function and its parameters to a bundle that Fortran, C, NumPy and JAX hosts run
(docs/bundle.md).

export_bundle("closure.bundle", apply, parameters,
              inputs=[Field("vorticity", "float32", (64, 64))], outputs=[Field("tendency", "float32", (64,
              64))], check_inputs=[vorticity[:4]], name="closure", description="…")
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..contracts.bundle import Bundle, Field
from ..contracts.bundle_writer import Artifact, CheckVectors, write_bundle
from ..contracts.errors import InputError
from ..contracts.files import require_absent
from .export_checks import (
    common_precision,
    conforming,
    evaluate,
    require_independent_entries,
    require_sensible,
    zip_named,
)
from .export_pullback import pullback, pullback_vectors
from .lowering import lower

RTOL = {"float32": 1e-4, "float64": 1e-9}  # of the largest value: another device sums in another order


def export_bundle(
    path: str | os.PathLike,
    apply: Callable[..., Any],
    parameters: Any,
    *,
    inputs: Sequence[Field],
    outputs: Sequence[Field],
    check_inputs: Sequence[np.ndarray],
    name: str,
    description: str,
    config: str = "",
    programs: Sequence[str] = ("forward",),
    batch_sizes: Sequence[int] = (1, 64),
    platforms: Sequence[str] = ("cpu", "cuda"),
    rtol: float | None = None,
    atol: float | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Export `apply(parameters, *inputs) -> outputs`, whose arrays have a leading batch axis of any size.

    - `parameters`: any pytree of arrays; stored once and passed to the programs, not compiled into them.
    - `check_inputs`: real inputs, one array (entries, *shape) per input, two or more different entries; the
      outputs that `apply` gives for them are the check vectors that every reader has to reproduce.
    - `programs`: `forward`, and `vjp` for hosts that need gradients with respect to the inputs.
    - `rtol`: of the largest expected value, 1e-4 in float32 and 1e-9 in float64 unless given; `atol` is
      otherwise that part of the largest value of the smallest output, because one entry may be near zero.

    Products are made in full precision on every platform: what the check vectors promise leaves no room for
    TF32.

    Raises `InputError` for float64 without `jax_enable_x64`, float64 parameters where inputs and outputs are
    float32, kinds or shapes other than declared, outputs that depend on other entries of the batch or are not
    finite, and programs that need jaxlib's own kernels.
    """
    require_absent(path, overwrite=overwrite)
    inputs, outputs, batch_sizes = tuple(inputs), tuple(outputs), tuple(sorted(set(batch_sizes)))
    require_sensible(batch_sizes, platforms, programs)
    flat, tree = jax.tree_util.tree_flatten_with_path(parameters)
    arrays = {parameter_name(key): np.asarray(value) for key, value in flat}
    precision = common_precision(arrays, (*inputs, *outputs))
    given = [conforming(field, array, "check input") for field, array in zip_named(inputs, check_inputs)]

    def forward(values: list, *batch: jax.Array) -> tuple[jax.Array, ...]:
        with jax.default_matmul_precision("highest"):
            results = apply(jax.tree_util.tree_unflatten(tree, values), *batch)
        return tuple(results) if isinstance(results, tuple | list) else (results,)

    values = list(arrays.values())
    expected = evaluate(forward, values, given, outputs)
    require_independent_entries(forward, values, given, expected, outputs)
    rtol = RTOL[precision] if rtol is None else rtol
    signatures = {"forward": (forward, inputs, outputs), "vjp": pullback(forward, inputs, outputs)}
    vectors = {"forward": (given, expected)}
    if "vjp" in programs:
        vectors["vjp"] = pullback_vectors(signatures["vjp"], values, given, expected)
    artifacts = [
        artifact(program, signatures[program], values, platform, batch)
        for program in programs
        for platform in platforms
        for batch in batch_sizes
    ]
    return write_bundle(
        path,
        name=name,
        description=description,
        config=config,
        precision=precision,
        batch_sizes=batch_sizes,
        inputs=inputs,
        outputs=outputs,
        parameters=arrays,
        programs=artifacts,
        checks=[check_vectors(program, *vectors[program], rtol, atol) for program in programs],
        overwrite=overwrite,
    )


def check_vectors(program: str, given: list, expected: list, rtol: float, atol: float | None) -> CheckVectors:
    """The check of one program; see `export_bundle` for the tolerances."""
    if atol is None:
        atol = rtol * float(min(np.max(np.abs(array)) for array in expected))
    return CheckVectors(program, tuple(given), tuple(expected), rtol, atol)


def artifact(program: str, signature: tuple, values: list, platform: str, batch: int) -> Artifact:
    """Lower one program for one platform and batch size."""
    function, arguments, results = signature
    count = len(values)
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in values]
    shapes += [jax.ShapeDtypeStruct((batch, *field.shape), jnp.dtype(field.kind)) for field in arguments]

    def flat(*everything: jax.Array) -> tuple[jax.Array, ...]:
        return function(list(everything[:count]), *everything[count:])

    lowered = lower(flat, shapes, platform)
    declared = tuple((field.kind, (batch, *field.shape)) for field in results)
    if lowered.results != declared:
        raise InputError(
            f"Program {program} for batch {batch} gives {lowered.results}, declared were {declared}; apply "
            "must treat every batch size alike."
        )
    return Artifact(
        name=program,
        platform=platform,
        batch=batch,
        inputs=tuple(field.name for field in arguments),
        outputs=tuple(field.name for field in results),
        parameters_kept=tuple(i for i in lowered.kept if i < count),
        inputs_kept=tuple(i - count for i in lowered.kept if i >= count),
        mlir=lowered.mlir,
        jax=lowered.jax,
    )


def parameter_name(path: tuple) -> str:
    """The place of a parameter in its tree as one word: `layers.0.kernel`."""
    return "_".join(jax.tree_util.keystr(path, simple=True, separator=".").split()) or "parameter"
