"""An emulator of column physics: raw units in, raw units out, whatever network is inside.

    raw inputs → encoder → network → decoder → constraint₁ → constraint₂ → … → raw outputs

One object serves training, scoring and export: the physics that a host gets is the physics that was trained.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from ..contracts.feature_sets import FeatureSet
from .normalization import join, split

Constraint = Callable[[dict, dict], dict]


class ColumnEmulator(nnx.Module):
    """A network between its normalisations and its constraints.

    features: names and order of the raw inputs and outputs.
    encoder: (batch, n_in) raw → whatever the network takes.
    network: `network(encoded, key=None)`; a key turns dropout on.
    decoder: (inputs by name, latent) → outputs by name, raw units.
    constraints: applied in this order; each is `(inputs, outputs) → outputs`, both by name, (batch, width).
    """

    def __init__(
        self,
        features: FeatureSet,
        encoder: Callable,
        network: nnx.Module,
        decoder: Callable,
        constraints: tuple[Constraint, ...] = (),
    ):
        self.features = features
        self.encoder = encoder
        self.network = network
        self.decoder = decoder
        self.constraints = tuple(constraints)

    def __call__(self, raw: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        """(batch, n_in) raw to (batch, n_out) raw, float32."""
        inputs = split(raw, self.features.input_slices)
        return join(self.constrained(inputs, self.latent(raw, key=key)), self.features.outputs)

    def latent(self, raw: jax.Array, *, key: jax.Array | None = None):
        """What the network says before decoding, float32."""
        return single(self.network(self.encoded(raw), key=key))

    def encoded(self, raw: jax.Array) -> jax.Array:
        """What the network takes, in the type of its parameters: they decide the precision of the network."""
        parameters = jax.tree.leaves(nnx.state(self.network, nnx.Param))
        return self.encoder(raw).astype(parameters[0].dtype)

    def sample(self, raw: jax.Array, key: jax.Array, count: int) -> jax.Array:
        """(count, batch, n_out) raw: equally likely outputs, each decoded and constrained on its own.

        `network.sample(encoded, key, count)` draws them; its noise depends on the key alone.
        """
        return self.decoded(raw, single(self.network.sample(self.encoded(raw), key, count)))

    def decoded(self, raw: jax.Array, latents: jax.Array) -> jax.Array:
        """(count, batch, n_out) raw of that many latents of the same inputs."""
        inputs = split(raw, self.features.input_slices)
        return jax.vmap(lambda z: join(self.constrained(inputs, z), self.features.outputs))(latents)

    def constrained(self, inputs: dict, latent) -> dict:
        """Decoded and constrained outputs by name."""
        outputs = self.decoder(inputs, latent)
        for constraint in self.constraints:
            outputs = constraint(inputs, outputs)
        return outputs


def single(tree):
    """Half-precision results of a network as float32; everything after it needs their digits."""
    return jax.tree.map(lambda a: a.astype(jnp.promote_types(a.dtype, jnp.float32)), tree)
