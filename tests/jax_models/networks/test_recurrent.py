"""Bi-LSTM and Bi-GRU against plain NumPy loops with PyTorch's gate order."""

import numpy as np
import pytest
from flax import nnx

from subgrid.jax_models.networks.recurrent import BiGRU, BiLSTM

pytestmark = pytest.mark.usefixtures("quick_compilation")

WEIGHTS = ("kernel", "recurrent", "bias", "recurrent_bias")
LEVELS, BATCH, N_IN, WIDTH = 7, 3, 5, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, side):
    w, u, b, d = (
        np.asarray(getattr(side, n)[...], np.float64)
        for n in ("kernel", "recurrent", "bias", "recurrent_bias")
    )
    h = c = np.zeros((x.shape[0], WIDTH))
    out = []
    for level in range(x.shape[1]):
        i, f, g, o = np.split(x[:, level] @ w + b + h @ u + d, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.stack(out, axis=1)


def gru(x, side):
    w, u, b, d = (
        np.asarray(getattr(side, n)[...], np.float64)
        for n in ("kernel", "recurrent", "bias", "recurrent_bias")
    )
    h, out = np.zeros((x.shape[0], WIDTH)), []
    for level in range(x.shape[1]):
        a, e = np.split(x[:, level] @ w + b, 3, axis=-1), np.split(h @ u + d, 3, axis=-1)
        r, z = sigmoid(a[0] + e[0]), sigmoid(a[1] + e[1])
        h = (1 - z) * np.tanh(a[2] + r * e[2]) + z * h
        out.append(h)
    return np.stack(out, axis=1)


@pytest.mark.parametrize(("layer", "loop"), [(BiLSTM, lstm), (BiGRU, gru)])
def test_against_a_plain_loop(layer, loop):
    module = layer(N_IN, WIDTH, rngs=nnx.Rngs(2))
    x = np.random.default_rng(0).normal(size=(BATCH, LEVELS, N_IN)).astype(np.float32)
    expected = np.concatenate([loop(x, module.down), loop(x[:, ::-1], module.up)[:, ::-1]], axis=-1)
    np.testing.assert_allclose(module(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [BiLSTM, BiGRU])
def test_information_flows_both_ways(layer):
    module = layer(N_IN, WIDTH, rngs=nnx.Rngs(2))
    x = np.zeros((1, LEVELS, N_IN), np.float32)
    disturbed = x.copy()
    disturbed[:, 3] = 1
    moved = np.abs(np.asarray(module(disturbed) - module(x)))[0]
    assert (moved[:3, :WIDTH] == 0).all()
    assert (moved[3:, :WIDTH] > 0).any(axis=1).all()
    assert (moved[:4, WIDTH:] > 0).any(axis=1).all()
    assert (moved[4:, WIDTH:] == 0).all()
