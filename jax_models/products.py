"""Products of a CPU program, written so that XLA multiplies the matrices with its own kernels.

    x W = Σₖ x[…, k] W[k, n]: a convolution over a window of one point, k channels in and n out

is the same sum, and XLA turns it back into a product. It does so after the pass that hands products to
YNNPACK, which in the builds of 2026 packs the weights in every call and is up to 10 % slower for the
matrices of emulators (docs/results/climsim/README.md, Speed). Elsewhere products stay as they are.
"""

import math
from collections.abc import Iterator

from jax.extend.mlir import ir
from jax.extend.mlir.dialects import stablehlo

LEAST_ROWS, LEAST_WIDTH = 32, 96  # of a product that gains; one of 64 x 64 loses up to 10 %
DIMENSIONS = "#stablehlo.conv<[b, 0, f]x[0, i, o]->[b, 0, f]>"


def written_as_convolutions(module: ir.Module) -> None:
    """Replace every product (…, k) (k, n) of float32 in `module` that gains by it."""
    for product in list(_products(module.operation)):
        _replace(product)


def _products(op: ir.Operation) -> Iterator[ir.OpView]:
    for region in op.regions:
        for block in region:
            for inner in block:
                if inner.operation.name == "stablehlo.dot_general" and _is_plain(inner):
                    yield inner
                yield from _products(inner.operation)


def _is_plain(op: ir.OpView) -> bool:
    """Whether rows times one matrix, in float32, and large enough."""
    dimensions = stablehlo.DotDimensionNumbers(op.attributes["dot_dimension_numbers"])
    left, right = (ir.RankedTensorType(operand.type) for operand in op.operands)
    summed = list(dimensions.lhs_contracting_dimensions), list(dimensions.rhs_contracting_dimensions)
    plain = right.rank == 2 and summed == ([left.rank - 1], [0]) and not dimensions.lhs_batching_dimensions
    single = all(isinstance(tensor.element_type, ir.F32Type) for tensor in (left, right))
    large = math.prod(left.shape[:-1]) >= LEAST_ROWS and min(right.shape) >= LEAST_WIDTH
    return plain and single and large


def _replace(op: ir.OpView) -> None:
    left, right = (ir.RankedTensorType(operand.type) for operand in op.operands)
    result, number = ir.RankedTensorType(op.results[0].type), left.element_type
    rows, (summed, columns) = math.prod(left.shape[:-1]), right.shape
    with ir.InsertionPoint(op), op.location:
        shapes = (1, rows, summed), (1, summed, columns), (1, rows, columns)
        flat, kernel, out = (ir.RankedTensorType.get(shape, number) for shape in shapes)
        attributes = {
            "dimension_numbers": ir.Attribute.parse(DIMENSIONS),
            "feature_group_count": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 1),
            "batch_group_count": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 1),
        }
        if "precision_config" in op.attributes:
            attributes["precision_config"] = op.attributes["precision_config"]
        operands = [
            stablehlo.reshape(kind, value) for kind, value in zip((flat, kernel), op.operands, strict=True)
        ]
        convolution = ir.Operation.create(
            "stablehlo.convolution", results=[out], operands=operands, attributes=attributes
        )
        back = stablehlo.reshape(result, convolution.results[0])
    op.results[0].replace_all_uses_with(back)
    op.operation.erase()
