"""A bundle inside a JAX host: the exported programs as a function for jit and scan, checked on the device in
use.

model = load("closure.bundle")
tendency, = model(vorticity)           # (n, *shape) for any n; inside jit, scan and grad too
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from ..contracts.bundle import Bundle, Program
from ..contracts.errors import InputError, SetupError

PLATFORM_OF_BACKEND = {"cpu": "cpu", "gpu": "cuda", "tpu": "tpu"}


def load(path, program: str = "forward", batch: int | None = None) -> Callable[..., tuple[jax.Array, ...]]:
    """A function (inputs with leading batch axis) → tuple of outputs, after it has reproduced the check
    vectors.

    Any number of entries is accepted: they are padded with the last one to the next batch size, or split
    over the largest. `batch` restricts the function to that one size. `forward` has a gradient with respect
    to its real inputs if the bundle has the program `vjp`. Under `vmap` the function is refused by JAX; put
    the entries in the batch.

    Raises `FileError` for a damaged bundle, `SetupError` if the bundle has no program for this device or
    needs x64, `BridgeError` if the device does not reproduce the check vectors.
    """
    bundle = Bundle.open(Path(path))
    platform = platform_in_use(bundle)
    if bundle.precision == "float64" and not jax.config.jax_enable_x64:
        raise SetupError(
            f"{bundle.path} computes in float64 while jax_enable_x64 is off; set JAX_ENABLE_X64=1."
        )
    sizes = bundle.batch_sizes if batch is None else (bundle.program(program, platform, batch).batch,)
    weights = [jnp.asarray(array) for array in bundle.read_parameters()]
    function = batched(bundle, program, platform, sizes, weights)
    if program == "forward" and "vjp" in bundle.program_names():
        pull = batched(bundle, "vjp", platform, sizes, weights)
        return differentiable(bundle, function, pull)
    return function


def platform_in_use(bundle: Bundle) -> str:
    """The bundle's word for JAX's default device."""
    backend = jax.default_backend()
    platform = PLATFORM_OF_BACKEND.get(backend, backend)
    if platform not in bundle.platforms():
        raise SetupError(
            f"{bundle.path} has programs for {', '.join(bundle.platforms())}, this JAX runs on {platform}; "
            f"export the bundle for {platform} too, or set JAX_PLATFORMS."
        )
    return platform


def batched(bundle: Bundle, name: str, platform: str, sizes: Sequence[int], weights: list) -> Callable:
    """Program `name` for any number of entries, each size checked once."""
    calls = {size: checked_call(bundle, bundle.program(name, platform, size), weights) for size in sizes}
    signature = bundle.program(name, platform, sizes[0])

    def run(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        entries = require_arguments(bundle, signature, arguments)
        return run_in_batches(calls, entries, arguments)

    return run


def checked_call(bundle: Bundle, program: Program, weights: list) -> Callable:
    """The deserialised program with its weights, after the self-test."""
    exported = export.deserialize(bytearray((bundle.path / program.jax_artifact.path).read_bytes()))
    # The twin takes every argument, also those that the compiled module drops.
    call = functools.partial(jax.jit(exported.call), *weights)
    arguments, expected = bundle.read_check(program)
    check = bundle.check(program)
    results = call(*(pad(jnp.asarray(array), program.batch) for array in arguments))
    for name, found, wanted in zip(program.outputs, results, expected, strict=True):
        check.require(
            name, np.asarray(found)[: check.entries], wanted, f"{jax.devices()[0].device_kind} through JAX"
        )
    return call


def require_arguments(bundle: Bundle, program: Program, arguments: Sequence[jax.Array]) -> int:
    """Number of entries, or `InputError` that names the argument which is not as the manifest says."""
    if len(arguments) != len(program.inputs):
        raise InputError(
            f"Program {program.name} of {bundle.path} got {len(arguments)} arguments, expected "
            f"{len(program.inputs)}: {', '.join(program.inputs)}."
        )
    entries = {jnp.shape(array)[:1] for array in arguments}
    for name, array in zip(program.inputs, arguments, strict=True):
        field = bundle.field(name)
        if (
            jnp.shape(array)[1:] != field.shape
            or jnp.ndim(array) == 0
            or jnp.result_type(array).name != field.kind
        ):
            raise InputError(
                f"The argument {name} of {bundle.path} is {jnp.result_type(array).name} {jnp.shape(array)}, "
                f"expected {field.kind} {('n', *field.shape)}."
            )
    if len(entries) != 1 or entries == {(0,)}:
        raise InputError(
            f"The arguments of {bundle.path} have {sorted(entries)} entries, expected one number ≥ 1."
        )
    return entries.pop()[0]


def run_in_batches(calls: dict[int, Callable], entries: int, arguments: Sequence[jax.Array]) -> tuple:
    """Whole batches of the largest size in a loop, the rest in the smallest size that holds it."""
    largest = max(calls)
    whole = entries // largest if entries > largest else 0
    parts = []
    if whole:
        chunks = tuple(a[: whole * largest].reshape(whole, largest, *a.shape[1:]) for a in arguments)
        done = jax.lax.map(lambda chunk: calls[largest](*chunk), chunks)
        parts.append(tuple(a.reshape(whole * largest, *a.shape[2:]) for a in done))
    rest = entries - whole * largest
    if rest:
        size = min(size for size in calls if size >= rest)
        tail = (pad(jnp.asarray(a)[whole * largest :], size) for a in arguments)
        parts.append(tuple(a[:rest] for a in calls[size](*tail)))
    return tuple(
        jnp.concatenate(pieces) if len(pieces) > 1 else pieces[0] for pieces in zip(*parts, strict=True)
    )


def pad(array: jax.Array, size: int) -> jax.Array:
    """Repeat the last entry: zeros would be no physical state."""
    missing = size - array.shape[0]
    return jnp.concatenate([array, jnp.repeat(array[-1:], missing, axis=0)]) if missing else array


def differentiable(bundle: Bundle, forward: Callable, pull: Callable) -> Callable:
    """`forward` with the bundle's own vjp as its gradient."""
    real_inputs = [i for i, field in enumerate(bundle.inputs) if field.is_real]
    real_outputs = [i for i, field in enumerate(bundle.outputs) if field.is_real]

    @jax.custom_vjp
    def model(*arguments):
        return forward(*arguments)

    def remember(*arguments):
        return forward(*arguments), arguments

    def backward(arguments, cotangents):
        found = dict(zip(real_inputs, pull(*arguments, *(cotangents[i] for i in real_outputs)), strict=True))
        # Integers have the tangent type float0.
        return tuple(
            found[i] if i in found else np.zeros(array.shape, jax.dtypes.float0)
            for i, array in enumerate(arguments)
        )

    model.defvjp(remember, backward)
    return model
