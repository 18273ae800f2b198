"""The program `vjp` of a bundle: cotangents of the outputs to cotangents of the inputs."""

from collections.abc import Callable, Sequence

import jax
import numpy as np

from ..contracts.bundle import COTANGENT, PRECISIONS, Field
from .export_checks import evaluate, zip_named


def pullback(forward: Callable, inputs: Sequence[Field], outputs: Sequence[Field]) -> tuple:
    """vjp of `forward` for its real inputs: (inputs, cotangents of outputs) → cotangents of inputs."""
    real_inputs = [i for i, field in enumerate(inputs) if field.is_real]
    real_outputs = [i for i, field in enumerate(outputs) if field.is_real]

    def vjp(values: list, *arguments: jax.Array) -> tuple[jax.Array, ...]:
        primals, cotangents = list(arguments[: len(inputs)]), arguments[len(inputs) :]

        def of_real_inputs(*reals: jax.Array) -> tuple[jax.Array, ...]:
            batch = list(primals)
            for i, real in zip(real_inputs, reals, strict=True):
                batch[i] = real
            results = forward(values, *batch)
            return tuple(results[i] for i in real_outputs)

        _, pull = jax.vjp(of_real_inputs, *(primals[i] for i in real_inputs))
        with jax.default_matmul_precision("highest"):
            return pull(tuple(cotangents))

    arguments = (*inputs, *(cotangent(outputs[i]) for i in real_outputs))
    return vjp, arguments, tuple(cotangent(inputs[i]) for i in real_inputs)


def cotangent(field: Field) -> Field:
    """Derivative of a number with respect to `field`."""
    return Field(COTANGENT + field.name, field.kind, field.shape)


def pullback_vectors(signature: tuple, values: list, given: list, expected: list) -> tuple[list, list]:
    """Arguments and results of vjp; the outputs themselves serve as cotangents, scaled to unit size."""
    vjp, arguments, results = signature
    seeds = [
        (array / max(np.max(np.abs(array)), np.finfo(array.dtype).tiny)).astype(array.dtype)
        for array in expected
        if array.dtype.name in PRECISIONS
    ]
    whole = [*given, *seeds]
    zip_named(arguments, whole)
    return whole, evaluate(vjp, values, whole, results)
