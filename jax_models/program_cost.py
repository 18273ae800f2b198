"""Floating-point operations of a program, counted from its StableHLO with loops multiplied out.

A product of matrices (m, k) (k, n) counts 2 m k n, a convolution likewise, arithmetic and transcendental
functions one for each element; comparison, selection and movement count nothing. (XLA's own analysis counts
the body of a loop once.)
"""

import math
from collections.abc import Callable

from jax.extend.mlir import ir
from jax.extend.mlir.dialects import stablehlo

from ..contracts.bundle import Bundle
from ..contracts.errors import InputError

ARITHMETIC = frozenset(
    f"stablehlo.{name}"
    for name in (
        "abs", "add", "cbrt", "clamp", "cosine", "divide", "exponential", "exponential_minus_one", "log",
        "log_plus_one", "logistic", "maximum", "minimum", "multiply", "negate", "power", "remainder", "rsqrt",
        "sine", "sqrt", "subtract", "tan", "tanh",
    )
)  # fmt: skip


def flops_per_column(bundle: Bundle) -> float:
    """Of one column in the program `forward` of the largest batch."""
    batch = max(bundle.batch_sizes)
    program = next(p for p in bundle.programs if p.name == "forward" and p.batch == batch)
    return count_flops((bundle.path / program.artifact.path).read_bytes()) / batch


def count_flops(artifact: bytes) -> float:
    """Of a portable artifact. Raises InputError for a loop whose number of turns depends on data."""
    with ir.Context() as context:
        stablehlo.register_dialect(context)
        module = stablehlo.deserialize_portable_artifact(context, artifact)
        functions = {op.attributes["sym_name"].value: op for op in module.body.operations}
        return _Counter(functions).of(functions["main"])


class _Counter:
    """Walks regions; each function is counted once and remembered."""

    def __init__(self, functions: dict[str, ir.OpView]):
        self.functions = functions
        self.known: dict[str, float] = {}

    def of(self, op: ir.OpView) -> float:
        """Of everything inside `op`."""
        return sum(self._one(inner) for region in op.regions for block in region for inner in block)

    def _one(self, op: ir.OpView) -> float:
        name = op.operation.name
        special: dict[str, Callable] = {
            "stablehlo.while": self._loop,
            "stablehlo.dot_general": _product,
            "stablehlo.convolution": _convolution,
            "stablehlo.reduce": lambda o: _size(o.operands[0]),
            "stablehlo.reduce_window": lambda o: _size(o.results[0]),
            "func.call": lambda o: self._called(o.attributes["callee"].value),
            "stablehlo.composite": lambda o: self._called(o.attributes["decomposition"].value),
        }
        if name in special:
            return special[name](op)
        if name in ARITHMETIC and not isinstance(_type(op.results[0]).element_type, ir.IntegerType):
            return _size(op.results[0])
        return self.of(op)

    def _called(self, name: str) -> float:
        if name not in self.known:
            self.known[name] = self.of(self.functions[name])
        return self.known[name]

    def _loop(self, op: ir.OpView) -> float:
        inside = sum(self._one(inner) for inner in op.regions[1].blocks[0])
        return _turns(op) * inside if inside else 0.0


def _turns(loop: ir.OpView) -> int:
    """Of a loop that counts from a constant to a constant, as scans and counted loops do."""
    condition, body = (region.blocks[0] for region in loop.regions)
    test = _producer(condition.operations[len(condition.operations) - 1].operands[0])
    counted = test is not None and test.operation.name == "stablehlo.compare"
    if not counted or not isinstance(test.operands[0].owner, ir.Block):
        raise InputError(
            "A loop of the program ends by something other than a counter; it has no fixed cost."
        )
    counter = ir.BlockArgument(test.operands[0]).arg_number
    step = _producer(body.operations[len(body.operations) - 1].operands[counter])
    steps = [_integer(value) for value in step.operands] if step is not None else []
    first, last = _integer(loop.operands[counter]), _integer(test.operands[1])
    found = [value for value in steps if value is not None]
    if first is None or last is None or not found or step.operation.name != "stablehlo.add":
        raise InputError("The number of turns of a loop depends on data; the program has no fixed cost.")
    return max(0, -(-(last - first) // found[0]))


def _producer(value: ir.Value) -> ir.OpView | None:
    return None if isinstance(value.owner, ir.Block) else value.owner.opview


def _integer(value: ir.Value) -> int | None:
    """The number of a constant, through conversions; None for anything else."""
    op = _producer(value)
    if op is None:
        return None
    if op.operation.name == "stablehlo.constant":
        return int(ir.DenseIntElementsAttr(op.attributes["value"])[0])
    passed_on = op.operation.name in ("stablehlo.convert", "stablehlo.broadcast_in_dim", "stablehlo.reshape")
    return _integer(op.operands[0]) if passed_on else None


def _type(value: ir.Value) -> ir.RankedTensorType:
    return ir.RankedTensorType(value.type)


def _size(value: ir.Value) -> float:
    return float(math.prod(_type(value).shape))


def _product(op: ir.OpView) -> float:
    dimensions = stablehlo.DotDimensionNumbers(op.attributes["dot_dimension_numbers"])
    shape = _type(op.operands[0]).shape
    summed = math.prod(shape[i] for i in dimensions.lhs_contracting_dimensions)
    return 2.0 * summed * _size(op.results[0])


def _convolution(op: ir.OpView) -> float:
    kernel = _type(op.operands[1]).shape
    dimensions = stablehlo.ConvDimensionNumbers(op.attributes["dimension_numbers"])
    per_output = math.prod(kernel) / kernel[dimensions.kernel_output_feature_dimension]
    return 2.0 * per_output * _size(op.results[0])
