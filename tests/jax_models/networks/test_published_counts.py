"""Published parameter counts, exactly; every network is finite, batch-independent and differentiable."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.jax_models.networks.bilstm import VerticalBiLSTM
from subgrid.jax_models.networks.cnn import CNN
from subgrid.jax_models.networks.constant import Constant
from subgrid.jax_models.networks.convnext import ConvNeXt
from subgrid.jax_models.networks.cvae import CVAE
from subgrid.jax_models.networks.encoder_decoder import EncoderDecoder
from subgrid.jax_models.networks.encoder_lstm import EncoderLSTM
from subgrid.jax_models.networks.heteroskedastic import Heteroskedastic
from subgrid.jax_models.networks.linear import Linear
from subgrid.jax_models.networks.mlp import MLP, BaselineMLP, OnlineMLP
from subgrid.jax_models.networks.randomized_prior import RandomizedPrior
from subgrid.jax_models.networks.res_lstm import ResLSTM
from subgrid.jax_models.networks.residual_mlp import ResidualMLP
from subgrid.jax_models.networks.squeezeformer import Squeezeformer
from subgrid.jax_models.networks.unet import UNet

pytestmark = pytest.mark.usefixtures("quick_compilation")

COUNTS = {
    "MLP": (lambda r: BaselineMLP(rngs=r), 1_753_472),
    "CNN": (lambda r: CNN(rngs=r), 13_215_420),
    "ED": (lambda r: EncoderDecoder(rngs=r), 831_879),
    "HSR": (lambda r: Heteroskedastic(rngs=r), 6_832_384),
    "RPN": (lambda r: RandomizedPrior(rngs=r), 32 * 1_736_960),
    "cVAE": (lambda r: CVAE(rngs=r), 4_872_456),
    "MLP_v2rh": (lambda r: OnlineMLP(rngs=r), 1_500_400),
    "U-Net v2_rh_mc": (lambda r: UNet(rngs=r), 12_975_373),
    "U-Net V4": (lambda r: UNet(1525, 368, rngs=r, scalars_in=25, locations=True), 12_990_742),
    "U-Net V5": (lambda r: UNet(1405, 308, rngs=r, scalars_in=25, locations=True), 12_989_589),
    "ResLSTM": (lambda r: ResLSTM(rngs=r), 15_395_341),
    "Enc-Dec LSTM": (lambda r: EncoderLSTM(rngs=r), 18_582_976),
    "ConvNeXt": (lambda r: ConvNeXt(rngs=r), 26_805_429),
    "Squeezeformer": (lambda r: Squeezeformer(rngs=r), 44_785_225),
}


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts_in_single_precision_although_64_bits_are_on(name):
    """A single float64 number promotes all that follows it: convolutions take many times as long."""
    assert jax.config.jax_enable_x64
    build, published = COUNTS[name]
    network = nnx.eval_shape(lambda: build(nnx.Rngs(0)))
    assert sum(int(np.prod(p.shape)) for p in jax.tree.leaves(nnx.state(network, nnx.Param))) == published
    kinds = {leaf.dtype.name for leaf in jax.tree.leaves(nnx.state(network, (nnx.Param, nnx.BatchStat)))}
    assert kinds == {"float32"}


HEAVY = "U-Net with locations"  # the table is all that it has beyond the U-Net, and compiling takes long
SMALL = {
    "constant": lambda r: Constant(124, 128, rngs=r),
    "linear": lambda r: Linear(124, 128, rngs=r),
    "MLP": lambda r: MLP(124, 128, rngs=r, widths=(16,)),
    "baseline MLP": lambda r: BaselineMLP(rngs=r),
    "residual MLP": lambda r: ResidualMLP(124, 128, rngs=r, width=16, blocks=2),
    "CNN": lambda r: CNN(rngs=r, width=8, blocks=2),
    "ED": lambda r: EncoderDecoder(rngs=r, widths=(20, 10)),
    "HSR": lambda r: Heteroskedastic(rngs=r, width=16, depth=2),
    "RPN": lambda r: RandomizedPrior(rngs=r, count=3, widths=(8,)),
    "cVAE": lambda r: CVAE(rngs=r, width=16, depth=2),
    "U-Net": lambda r: UNet(124, 128, rngs=r, scalars_in=4, width=16, multiples=(1, 2), blocks=1),
    HEAVY: lambda r: UNet(125, 128, rngs=r, scalars_in=5, width=16, multiples=(1, 2), locations=True),
    "Bi-LSTM": lambda r: VerticalBiLSTM(124, 128, rngs=r, scalars_in=4, width=8, layers=2),
    "ResLSTM": lambda r: ResLSTM(124, 128, rngs=r, scalars_in=4, width=8, layers=2),
    "Enc-Dec LSTM": lambda r: EncoderLSTM(124, 128, rngs=r, scalars_in=4, width=8, layers=1),
    "ConvNeXt": lambda r: ConvNeXt(124, 128, rngs=r, scalars_in=4, depths=(1, 1), widths=(6, 8)),
    "Squeezeformer": lambda r: Squeezeformer(124, 128, rngs=r, scalars_in=4, width=8, blocks=1, head=6),
}


def filled(build):
    """The network with random numbers in place of initial values: no initialiser is compiled."""
    rng = np.random.default_rng(1)

    def number(leaf):
        return (0.1 * rng.normal(size=leaf.shape)).astype(leaf.dtype)

    graphdef, stats, rest = nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(0))), nnx.BatchStat, ...)
    # Running variances are positive.
    positive = jax.tree.map(lambda leaf: (0.5 + np.abs(number(leaf))).astype(leaf.dtype), stats)
    return nnx.merge(graphdef, positive, jax.tree.map(number, rest))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == HEAVY else ()) for name in SMALL]
)
def test_does_not_smoke(name):
    network = filled(SMALL[name])
    width = 125 if name == HEAVY else 124
    x = np.random.default_rng(0).normal(size=(3, width)).astype(np.float32)

    graphdef, params, rest = nnx.split(network, nnx.Param, ...)

    @jax.jit
    def run(params, rest, x):
        def loss(params):
            # Merged inside, so that batch statistics move in the copy alone.
            network = nnx.merge(graphdef, params, jax.tree.map(lambda leaf: leaf, rest))
            y = network(x)
            return jnp.mean(network(x, key=jax.random.key(0)) ** 2), y

        return jax.grad(loss, has_aux=True)(params)

    gradient, y = run(params, rest, x)
    # By NumPy: every shape would be another program to compile.
    assert (y.shape, y.dtype) == ((3, 128), jnp.float32)
    assert np.isfinite(y).all()
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradient))
    # Another column in the batch changes nothing for the first.
    _, disturbed = run(params, rest, np.concatenate([x[:1], -2.0 * x[1:]]))
    np.testing.assert_allclose(disturbed[0], y[0], rtol=1e-5, atol=1e-6)


def test_stochastic_networks_draw_what_they_describe():
    x = np.ones((2, 124), np.float32)
    hsr = filled(lambda r: Heteroskedastic(rngs=r, width=16, depth=1))
    mean, log_precision = nnx.jit(type(hsr).distribution)(hsr, x)
    drawn = nnx.jit(lambda model: model.sample(x, jax.random.key(0), 4000))(hsr)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.2)
    np.testing.assert_allclose(drawn.std(0), np.exp(-0.5 * log_precision), rtol=0.1)
    cvae = filled(lambda r: CVAE(rngs=r, width=16, depth=1))
    assert nnx.jit(lambda model: model.sample(x, jax.random.key(0), 5))(cvae).shape == (5, 2, 128)
    bound = nnx.jit(lambda model: model.loss(x, jnp.ones((2, 128), jnp.float32), jax.random.key(1)))(cvae)
    assert bound.shape == (2,)
    assert np.isfinite(bound).all()


def test_priors_are_frozen_and_members_differ():
    rpn = nnx.jit(lambda: RandomizedPrior(rngs=nnx.Rngs(0), count=4, widths=(8,)))()
    x = np.random.default_rng(0).normal(size=(5, 124)).astype(np.float32)
    members, mean = nnx.jit(lambda model: (model.members(x), model(x)))(rpn)
    assert members.shape == (4, 5, 128)
    assert float(np.std(members, axis=0).mean()) > 0.1
    np.testing.assert_allclose(np.mean(members, axis=0), mean, rtol=1e-5, atol=1e-6)
    trained = sum(p.size for p in jax.tree.leaves(nnx.state(rpn, nnx.Param)))
    assert trained == 4 * (124 * 8 + 8 + 8 * 128 + 128)
