"""Floating-point operations of a JAX function, counted in its program with the trip counts of its loops.

    matrix product 2 m n k;   convolution 2 · outputs · taps · channels in / groups;   scan: length × body

Everything else counts one operation per element of the result, data movement none. Unlike XLA's own analysis,
which sees the body of a loop once, recurrent networks are counted in full.
"""

from collections.abc import Callable
from math import prod

import jax
from jax.extend.core import Jaxpr, Literal

MOVEMENT = frozenset(
    {
        "broadcast_in_dim", "reshape", "transpose", "slice", "dynamic_slice", "dynamic_update_slice", "split",
        "concatenate", "squeeze", "gather", "scatter", "convert_element_type", "copy", "copy_p", "pad", "rev",
        "iota", "expand_dims", "stop_gradient", "device_put", "bitcast_convert_type",
    }
)  # fmt: skip


def flops_of(function: Callable, *arguments) -> float:
    """Operations of `function(*arguments)`; arguments may be `jax.ShapeDtypeStruct`.

    A branch counts as its most expensive alternative. Raises NotImplementedError for a loop whose number of
    turns is not known beforehand.
    """
    return float(_count(jax.make_jaxpr(function)(*arguments).jaxpr))


def _count(jaxpr: Jaxpr) -> int:
    return sum(_equation(equation) for equation in jaxpr.eqns)


def _equation(equation) -> int:
    name, parameters = equation.primitive.name, equation.params
    if name == "dot_general":
        return _product(equation)
    if name == "conv_general_dilated":
        return _convolution(equation)
    if name == "scan":
        return parameters["length"] * _count(parameters["jaxpr"].jaxpr)
    if name == "while":
        raise NotImplementedError("A while loop may turn any number of times; write it as a scan.")
    if name == "cond":
        return max(_count(branch.jaxpr) for branch in parameters["branches"])
    inner = [_jaxpr_of(p) for p in parameters.values() if _jaxpr_of(p) is not None]
    if inner:
        return sum(_count(jaxpr) for jaxpr in inner)
    if name in MOVEMENT:
        return 0
    reads = [v.aval for v in equation.invars if not isinstance(v, Literal)]
    results = [v.aval for v in equation.outvars]
    sized = reads if name.startswith(("reduce", "arg", "cum")) else results
    return max((prod(a.shape) for a in sized if hasattr(a, "shape")), default=0)


def _jaxpr_of(parameter):
    inner = getattr(parameter, "jaxpr", parameter)
    return inner if hasattr(inner, "eqns") else None


def _product(equation) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * prod(equation.outvars[0].aval.shape) * prod(left[axis] for axis in contracted)


def _convolution(equation) -> int:
    kernel, spec = equation.invars[1].aval.shape, equation.params["dimension_numbers"].rhs_spec
    # The kernel's second axis by the specification is channels in per group.
    return 2 * prod(equation.outvars[0].aval.shape) * prod(kernel[axis] for axis in spec[1:])
