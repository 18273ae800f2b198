"""Costs are those of pencil and paper, loops included."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from subgrid.contracts.errors import InputError
from subgrid.jax_models.lowering import lower
from subgrid.jax_models.networks.recurrent import BiLSTM
from subgrid.jax_models.program_cost import count_flops


def cost(function, *shapes):
    return count_flops(lower(function, [jax.ShapeDtypeStruct(s, jnp.float32) for s in shapes], "cpu").mlir)


def test_products_sums_and_functions():
    assert cost(lambda a, b: jnp.tanh(a @ b), (3, 4), (4, 5)) == 2 * 3 * 4 * 5 + 15
    assert cost(lambda a: jnp.where(a > 0, a, 0).sum(axis=1), (3, 4)) == 12
    assert cost(jax.nn.relu, (7,)) == 7


def test_convolution():
    def convolve(x, k):
        return jax.lax.conv_general_dilated(x, k, (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC"))

    assert cost(convolve, (2, 60, 6), (3, 6, 16)) == 2 * 2 * 60 * 16 * 3 * 6


def test_loops_are_multiplied_out():
    def scan(x):
        return jax.lax.scan(lambda c, _: (c * x, None), x, None, length=17)[0]

    assert cost(scan, (5,)) == 17 * 5
    assert cost(lambda x: jax.lax.fori_loop(2, 9, lambda _, v: jnp.sin(v) + x, x), (5,)) == 7 * 10


def test_a_recurrent_layer():
    levels, batch, n_in, width = 60, 2, 3, 8
    graphdef, state = nnx.split(BiLSTM(n_in, width, rngs=nnx.Rngs(0)))
    found = cost(lambda x: nnx.merge(graphdef, state)(x), (batch, levels, n_in))
    products = 2 * levels * batch * 2 * (n_in + width) * 4 * width
    assert products < found < 1.5 * products


def test_a_loop_that_depends_on_data_has_no_cost():
    with pytest.raises(InputError, match="no fixed cost"):
        cost(lambda x: jax.lax.while_loop(lambda v: v.sum() < 3, lambda v: v * 2, x), (5,))
