"""Operation counts of small programs, by hand; loops count every turn."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from subgrid.jax_models.flops import flops_of
from subgrid.jax_models.networks.bilstm import VerticalBiLSTM
from subgrid.jax_models.networks.mlp import BaselineMLP


def test_products_and_convolutions():
    a, b = jnp.zeros((3, 4)), jnp.zeros((4, 5))
    assert flops_of(lambda a, b: a @ b, a, b) == 2 * 3 * 4 * 5
    assert flops_of(lambda a, b: jnp.tanh(a @ b) + 1, a, b) == 2 * 3 * 4 * 5 + 2 * 15
    convolution = nnx.Conv(8, 6, 3, rngs=nnx.Rngs(0), use_bias=False)
    assert flops_of(convolution, jnp.zeros((2, 10, 8))) == 2 * (2 * 10 * 6) * 3 * 8
    depthwise = nnx.Conv(8, 8, 7, feature_group_count=8, rngs=nnx.Rngs(0), use_bias=False)
    assert flops_of(depthwise, jnp.zeros((2, 10, 8))) == 2 * (2 * 10 * 8) * 7


def test_a_loop_counts_each_turn():
    def loop(x, w):
        return jax.lax.scan(lambda h, _: (h @ w, None), x, None, length=60)[0]

    assert flops_of(loop, jnp.zeros((1, 7)), jnp.zeros((7, 7))) == 60 * 2 * 49
    with pytest.raises(NotImplementedError, match="while loop"):
        flops_of(lambda x: jax.lax.while_loop(lambda v: v.sum() < 9, lambda v: v + 1, x), jnp.zeros(3))


def test_the_baseline_has_the_published_count():
    """3.50 MFLOP a sample (Yu et al. 2023), two for each of the 1.75 million weights."""
    found = flops_of(BaselineMLP(rngs=nnx.Rngs(0)), jax.ShapeDtypeStruct((1, 124), jnp.float32))
    assert found == pytest.approx(3.5e6, rel=0.01)


def test_recurrent_networks_are_counted_level_by_level():
    lstm = VerticalBiLSTM(124, 128, rngs=nnx.Rngs(0), scalars_in=4, width=16, layers=1)
    found = flops_of(lstm, jax.ShapeDtypeStruct((1, 124), jnp.float32))
    products = 60 * (2 * 2 * (6 + 16) * 64 + 2 * 32 * 10)
    assert products < found < 1.3 * products
