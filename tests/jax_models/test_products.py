"""Products of CPU programs: written otherwise, the same numbers, the same cost, and nothing else touched."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import stablehlo

from subgrid.jax_models.lowering import lower
from subgrid.jax_models.program_cost import count_flops

GENERATOR = np.random.default_rng(0)
KERNEL = GENERATOR.normal(size=(128, 96)).astype(np.float32)
ROWS = GENERATOR.normal(size=(8, 4, 128)).astype(np.float32)


def scheme(rows, kernel):
    """A product with two leading axes, two in a loop, one with few columns, and one with few rows."""
    high = jnp.einsum("blk,kn->bln", rows, kernel)
    flat = rows.reshape(-1, 128)
    looped, _ = jax.lax.scan(lambda h, _: (jnp.tanh((h @ kernel) @ kernel.T), None), flat, length=2)
    return high, looped, kernel.T @ flat.T, flat[:4] @ kernel


def names_of(artifact: bytes) -> list[str]:
    """All operations, those of loops too."""
    found = []

    def visit(op):
        found.append(op.name)
        return ir.WalkResult.ADVANCE

    with ir.Context() as context:
        stablehlo.register_dialect(context)
        stablehlo.deserialize_portable_artifact(context, artifact).operation.walk(visit)
    return found


@pytest.fixture(scope="module")
def lowered():
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (ROWS, KERNEL)]
    return {platform: lower(scheme, shapes, platform) for platform in ("cpu", "cuda")}


def test_only_large_products_of_rows_and_one_matrix_are_rewritten(lowered):
    cpu, cuda = (names_of(lowered[platform].mlir) for platform in ("cpu", "cuda"))
    assert cuda.count("stablehlo.dot_general") == 5
    assert "stablehlo.convolution" not in cuda
    assert cpu.count("stablehlo.dot_general") == 2
    assert cpu.count("stablehlo.convolution") == 3


def test_the_numbers_and_the_cost_stay(lowered):
    call = jax.jit(export.deserialize(bytearray(lowered["cpu"].jax)).call)
    for found, expected in zip(call(ROWS, KERNEL), jax.jit(scheme)(ROWS, KERNEL), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert count_flops(lowered["cpu"].mlir) == count_flops(lowered["cuda"].mlir)


def test_the_compiler_makes_products_of_them_again(lowered):
    compiled = jax.jit(export.deserialize(bytearray(lowered["cpu"].jax)).call).lower(ROWS, KERNEL).compile()
    assert "convolution(" not in compiled.as_text()
