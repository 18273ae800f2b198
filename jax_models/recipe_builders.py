"""How an emulator is put together: encoder, network, decoder and constraints around training rows."""

from collections.abc import Callable

import numpy as np
from flax import nnx

from ..contracts.feature_sets import feature_set
from ..contracts.variables import LEVELS
from .column_decoder import N_LATENT, PhysicalDecoder, physical_constraints
from .column_emulator import ColumnEmulator
from .column_features import N_PROFILES, ColumnFeatures
from .constraints.microphysics import CondensateSplit
from .constraints.positivity import NonNegativeSurface, PositiveWater, ZeroLevels
from .normalization import AffineDecoder, DerivedEncoder, ZScoreEncoder
from .training_set import TrainingSet

Build = Callable[[TrainingSet, nnx.Rngs], ColumnEmulator]


def z_scored(network: Callable[..., nnx.Module]) -> Build:
    """Build `network(n_in, n_out, rngs=…)` between z-scores of inputs and outputs, without constraints."""

    def build(data: TrainingSet, rngs: nnx.Rngs) -> ColumnEmulator:
        features = data.features
        return ColumnEmulator(
            features,
            ZScoreEncoder(features, data.inputs),
            network(features.n_in, features.n_out, rngs=rngs),
            AffineDecoder.fit(features, data.targets),
        )

    return build


def published(network: Callable[..., nnx.Module]) -> Build:
    """As `z_scored`, outputs scaled without offset as in 2023, for heads that end in ReLU or ELU.

    The last layer starts at the training mean (`start_at`): fluxes far from zero need not be climbed to.
    """

    def build(data: TrainingSet, rngs: nnx.Rngs) -> ColumnEmulator:
        features = data.features
        decoder = AffineDecoder.scale_only(features, data.targets)
        inner = network(features.n_in, features.n_out, rngs=rngs)
        inner.start_at(decoder.inverse(data.targets).mean(axis=0))
        return ColumnEmulator(features, ZScoreEncoder(features, data.inputs), inner, decoder)

    return build


def online(network: Callable[..., nnx.Module], derived: str) -> Build:
    """Build a network of feature set `derived` on raw V2 inputs and outputs, with the online constraints."""

    def build(data: TrainingSet, rngs: nnx.Rngs) -> ColumnEmulator:
        inner, outputs = feature_set(derived), dict(_by_name(data))
        outputs["ptend_qn"] = outputs["ptend_q0002"] + outputs["ptend_q0003"]
        rows = np.concatenate([outputs[name] for name in inner.outputs], axis=-1)
        split = (CondensateSplit(),) if "ptend_qn" in inner.outputs else ()
        decoder, made = AffineDecoder.scale_only(inner, rows), network(inner.n_in, inner.n_out, rngs=rngs)
        made.start_at(decoder.inverse(rows).mean(axis=0))
        return ColumnEmulator(
            data.features,
            DerivedEncoder(data.features, inner, data.inputs, data.levels),
            made,
            decoder,
            (PositiveWater(), *split, PositiveWater(), ZeroLevels(), NonNegativeSurface()),
        )

    return build


def _by_name(data: TrainingSet):
    for name, span in data.features.output_slices.items():
        yield name, data.targets[:, span]


def physical(network: Callable[..., nnx.Module]) -> Build:
    """Build `network` between our features and the physical decoder, with the constraints on."""

    def build(data: TrainingSet, rngs: nnx.Rngs) -> ColumnEmulator:
        encoder = ColumnFeatures(data.features, data.inputs, data.levels)
        return ColumnEmulator(
            data.features,
            encoder,
            network(encoder.width, N_LATENT, rngs=rngs),
            PhysicalDecoder(data.targets),
            physical_constraints(),
        )

    return build


def physical_column(network: Callable[..., nnx.Module]) -> Build:
    """As `physical`, for networks that run over the levels: `network(n_in, n_out, scalars_in=…, rngs=…)`."""

    def over_levels(width: int, n_out: int, rngs: nnx.Rngs) -> nnx.Module:
        # Column networks give eight scalars; the decoder leaves the last unused, NETSW being an identity.
        return network(width, n_out + 1, scalars_in=width - N_PROFILES * LEVELS, rngs=rngs)

    return physical(over_levels)
