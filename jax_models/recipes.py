"""Emulators by name: how each is built from training rows, and how it is trained.

A recipe is everything but the data. Hyperparameters of published designs are the published ones; what a
recipe changes for a small data set (fewer epochs, smaller batches) it says in `note`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from flax import nnx

from ..contracts.errors import InputError
from ..contracts.variables import feature_set
from . import losses
from .column_decoder import N_LATENT, PhysicalDecoder, physical_constraints
from .column_emulator import ColumnEmulator
from .column_features import ColumnFeatures
from .networks.constant import Constant
from .networks.linear import Linear
from .networks.mlp import MLP, BaselineMLP
from .networks.residual_mlp import ResidualMLP
from .normalization import AffineDecoder, ZScoreEncoder
from .training_set import TrainingSet

Build = Callable[[TrainingSet, nnx.Rngs], ColumnEmulator]
Weigh = Callable[[TrainingSet], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """One emulator. `weigh` gives loss weights (n, n_out) or (n_out,); epochs 0: solved, not descended."""

    name: str
    features: str
    build: Build
    loss: Callable = losses.mean_squared
    weigh: Weigh = field(default=lambda data: losses.standard_weights(data.features, data.targets))
    epochs: int = 25
    batch: int = 512
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    ema_decay: float = 0.0
    solve: Callable[[ColumnEmulator, TrainingSet], None] | None = None
    note: str = ""


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


def metric_weights(data: TrainingSet) -> np.ndarray:
    """The published metric, every V1 variable alike; cloud and wind tendencies count less."""
    spreads = losses.energy_spreads(data.features, data.targets, data.mass, data.area)
    emphasis = {"ptend_q0002": 0.3, "ptend_q0003": 0.3, "ptend_u": 0.2, "ptend_v": 0.2}
    return losses.energy_weights(data.features, spreads, data.mass, data.area, emphasis)


def _solve_linear(emulator: ColumnEmulator, data: TrainingSet) -> None:
    decoder = emulator.decoder
    scale = np.asarray(decoder.scale[...], np.float64)
    scaled = np.where(scale > 0, (data.targets - np.asarray(decoder.offset[...], np.float64)), 0)
    scaled = scaled / np.where(scale > 0, scale, 1)
    emulator.network.solve(np.asarray(emulator.encoder(data.inputs)), scaled)


RECIPES: dict[str, Recipe] = {
    r.name: r
    for r in (
        Recipe("constant", "V1", z_scored(Constant), epochs=0),
        Recipe("linear", "V1", z_scored(Linear), epochs=0, solve=_solve_linear),
        Recipe(
            "mlp512",
            "V1",
            z_scored(MLP),
            epochs=40,
            batch=128,
            weight_decay=0.1,
            ema_decay=0.995,
            note="the 512×512 ReLU MLP of the small-data anchor, regularised: 25 bare epochs do worse",
        ),
        Recipe(
            "mlp", "V1", z_scored(BaselineMLP), note="25 epochs at a constant peak rate instead of 18+ cyclic"
        ),
        Recipe(
            "column_mlp",
            "V2_sun",
            physical(ResidualMLP),
            loss=losses.mean_absolute,
            weigh=metric_weights,
            epochs=20,
            batch=256,
            learning_rate=1e-3,
            weight_decay=1e-2,
            ema_decay=0.998,
            note="ours: physics inside, trained on the metric itself",
        ),
    )
}


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InputError listing the known ones."""
    if name not in RECIPES:
        raise InputError(f"Unknown emulator {name!r}; known are {', '.join(RECIPES)}.")
    return RECIPES[name]


def training_data(columns, name: str) -> TrainingSet:
    """Columns through the feature set of a recipe."""
    return TrainingSet(columns, feature_set(recipe(name).features))
