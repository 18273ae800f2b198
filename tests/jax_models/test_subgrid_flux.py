"""The learned flux: equal to GM2 before training, symmetric, conservative, and bounded in its backscatter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from subgrid.jax_models.networks.subgrid_flux import (
    FluxConfig,
    SubgridFlux,
    divergence_tendency,
    flux_basis,
    gradients,
    limit_backscatter,
)

pytestmark = pytest.mark.usefixtures("quick_compilation")

WIDTH = 0.2


@pytest.fixture(scope="module")
def field():
    """Smooth random vorticity, (1, 48, 48), modes |k| <= 9."""
    rng = np.random.default_rng(3)
    hat = np.zeros((48, 25), complex)
    hat[np.ix_(np.r_[0:10, 39:48], range(10))] = rng.standard_normal((19, 10, 2)) @ [1, 1j]
    field = np.fft.irfft2(hat)
    return jnp.asarray((field / field.std())[None] - field.mean(), jnp.float32)


@pytest.fixture(scope="module")
def trained():
    """A model with weights that are not zero anywhere."""
    model = SubgridFlux(FluxConfig(WIDTH), rngs=nnx.Rngs(0))
    kernel = model.readout.kernel
    kernel[...] = 0.3 * jax.random.normal(jax.random.key(1), kernel.shape, kernel.dtype)
    return model


def test_untrained_network_is_the_gradient_model(field):
    model = SubgridFlux(FluxConfig(WIDTH), rngs=nnx.Rngs(0))
    gm2, *_ = flux_basis(gradients(field), WIDTH)
    np.testing.assert_allclose(model.unlimited(field), divergence_tendency(gm2), atol=1e-5)


def test_gradients_of_a_single_mode():
    """ω = sin(2x + y): ψ = −ω/5, u = cos(2x+y)/5, v = −2cos(2x+y)/5."""
    x = 2 * np.pi * np.arange(32) / 32
    phase = 2 * x[None, :] + x[:, None]
    flow = gradients(jnp.asarray(np.sin(phase)[None], jnp.float32))
    np.testing.assert_allclose(flow.u_x[0], -2 * np.sin(phase) / 5, atol=1e-5)
    np.testing.assert_allclose(flow.u_y[0], -np.sin(phase) / 5, atol=1e-5)
    np.testing.assert_allclose(flow.v_x[0], 4 * np.sin(phase) / 5, atol=1e-5)
    np.testing.assert_allclose(flow.w_xy[0], -2 * np.sin(phase), atol=1e-5)
    np.testing.assert_allclose(flow.u_yy[0], -np.cos(phase) / 5, atol=1e-5)


@pytest.mark.parametrize(
    "move",
    [
        lambda w: jnp.roll(w, (5, 11), axis=(-2, -1)),
        lambda w: jnp.rot90(w, axes=(-2, -1)),
        lambda w: -w[..., ::-1],
    ],
    ids=["shift", "rotation", "mirror"],
)
def test_symmetries_hold_whatever_the_weights(trained, field, move):
    """Rotation and mirror map the grid onto itself; vorticity and its tendency change sign in a mirror."""
    np.testing.assert_allclose(trained(move(field)), move(trained(field)), atol=2e-4)


def test_dimensions(trained, field):
    """ω → ω/τ at fixed lengths gives Π → Π/τ²."""
    np.testing.assert_allclose(trained(3 * field), 9 * trained(field), rtol=1e-3, atol=1e-3)


def test_mean_vorticity_is_conserved(trained, field):
    assert abs(float(trained(field).mean())) < 1e-5


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_backscatter_stays_below_its_share(trained, field, share):
    flow = gradients(field)
    flux = limit_backscatter(trained.flux(flow), (flow.w_x, flow.w_y), share)
    transfer = flux[0] * flow.w_x + flux[1] * flow.w_y
    backward, forward = jnp.maximum(transfer, 0).mean(), jnp.maximum(-transfer, 0).mean()
    unlimited = trained.flux(flow)
    assert float(jnp.maximum(unlimited[0] * flow.w_x + unlimited[1] * flow.w_y, 0).mean()) > 0
    assert float(backward) <= share * float(forward) * 1.001 + 1e-6


def test_entries_of_a_batch_do_not_see_each_other(trained, field):
    both = trained(jnp.concatenate([field, 5 * jnp.roll(field, 3, axis=-1)]))
    np.testing.assert_allclose(both[:1], trained(field), atol=1e-5)
