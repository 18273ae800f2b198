"""One program for one platform and batch: lowered by jax.export, stripped of debug locations, checked."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
from jax import export
from jax.extend.mlir import ir, passmanager
from jax.extend.mlir.dialects import stablehlo

from ..contracts.errors import InputError
from .products import written_as_convolutions

# A plug-in claims two years of forward compatibility, yet plug-ins that are a year old are in use: the
# artifact is written for the oldest StableHLO that has every operation jax 0.10 emits (composites came with
# 1.8).
TARGET_VERSION = "1.9.0"

# Custom calls that XLA itself rewrites, so that a plug-in without jaxlib runs them.
BARE_CUSTOM_CALLS = frozenset({"mhlo.topk", "mhlo.erf", "mhlo.erf_inv", "mhlo.tan"})


@dataclass(frozen=True)
class Lowered:
    """`mlir` is the portable artifact, `jax` its twin for JAX hosts, `kept` the arguments it takes."""

    mlir: bytes
    jax: bytes
    kept: tuple[int, ...]
    results: tuple[tuple[str, tuple[int, ...]], ...]


def lower(function: Callable, arguments: Sequence[jax.ShapeDtypeStruct], platform: str) -> Lowered:
    """Lower `function(*arguments)` for one platform.

    Raises `InputError` for custom calls that a bare plug-in lacks, Python callbacks, and several devices.
    """
    try:
        exported = export.export(jax.jit(function), platforms=[platform])(*arguments)
    except (NotImplementedError, ValueError) as error:
        raise InputError(
            f"jax.export cannot lower the program for {platform} ({str(error).splitlines()[0]}); a program "
            "may not call back into Python."
        ) from error
    if tuple(exported.platforms) != (platform,) or exported.nr_devices != 1:
        raise InputError(
            f"The program was lowered for {exported.platforms} on {exported.nr_devices} devices, expected "
            f"{platform} on one; a bundle holds one program per platform."
        )
    require_bare(exported.mlir_module(), platform)
    artifact = stripped(exported.mlir_module_serialized, platform)
    twin = dataclasses.replace(exported, mlir_module_serialized=artifact, fun_name="program")
    return Lowered(
        mlir=artifact,
        jax=bytes(twin.serialize()),
        kept=tuple(exported.module_kept_var_idx),
        results=tuple((aval.dtype.name, tuple(aval.shape)) for aval in exported.out_avals),
    )


def stripped(artifact: bytes, platform: str) -> bytes:
    """Without debug locations, which hold paths of the exporter's machine and make equal programs differ.

    For CPUs products are written as in `products`.
    """
    with ir.Context() as context:
        stablehlo.register_dialect(context)
        module = stablehlo.deserialize_portable_artifact(context, artifact)
        passmanager.PassManager.parse("builtin.module(strip-debuginfo)").run(module.operation)
        if platform == "cpu":
            written_as_convolutions(module)
        version = stablehlo.get_smaller_version(TARGET_VERSION, embedded_version(artifact))
        return stablehlo.serialize_portable_artifact(module, version)


def embedded_version(artifact: bytes) -> str:
    """The StableHLO version that the header of a portable artifact names."""
    return re.search(rb"StableHLO_v(\d+\.\d+\.\d+)", artifact).group(1).decode()


def require_bare(text: str, platform: str) -> None:
    """Refuse custom calls whose handlers live in jaxlib, not in the plug-in."""
    found = set(re.findall(r"custom_call\s+@\"?([\w.$]+)", text))
    missing = sorted(found - BARE_CUSTOM_CALLS)
    if missing:
        raise InputError(
            f"The program for {platform} calls {', '.join(missing)}, which a plug-in without jaxlib lacks; "
            "replace solves, decompositions and device-specific kernels by elementary operations."
        )
