"""Emulators by name: how each is built from training rows, and how it is trained.

A recipe is everything but the data. Networks are the published ones. How they are trained is ours, chosen on
six of 48 time steps: AdamW with a cosine instead of steps or cycles, decay and averaging against overfitting,
and a least number of updates, because a few passes over 18,000 columns move a deep network too little.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..contracts.errors import InputError
from ..contracts.feature_sets import feature_set
from . import losses
from .column_emulator import ColumnEmulator
from .networks.bilstm import VerticalBiLSTM
from .networks.cnn import CNN
from .networks.constant import Constant
from .networks.convnext import ConvNeXt
from .networks.cvae import CVAE
from .networks.encoder_decoder import EncoderDecoder
from .networks.encoder_lstm import EncoderLSTM
from .networks.ensemble import Ensemble
from .networks.heteroskedastic import Heteroskedastic
from .networks.linear import Linear
from .networks.mlp import MLP, BaselineMLP, OnlineMLP
from .networks.randomized_prior import RandomizedPrior
from .networks.res_lstm import ResLSTM
from .networks.residual_mlp import ResidualMLP
from .networks.squeezeformer import Squeezeformer
from .networks.unet import UNet
from .objectives import Objective, each_member, evidence_bound, gaussian, own_rows, pointwise
from .recipe_builders import Build, online, physical, physical_column, published, z_scored
from .sampling import RareRegimes
from .training_set import TrainingSet

Weigh = Callable[[TrainingSet], np.ndarray]
MAE, MSE, HUBER = (pointwise(f) for f in (losses.mean_absolute, losses.mean_squared, losses.huber))


def standard(data: TrainingSet) -> np.ndarray:
    """(n_out,) 1/std of each output."""
    return losses.standard_weights(data.features, data.sample.targets)


@dataclass(frozen=True)
class Recipe:
    """One emulator.

    weigh: gives loss weights (n, n_out) or (n_out,). epochs 0: solved, not descended. updates: small data are
    passed over more often than `epochs`, until the parameters have moved at least this many times. compute:
    the type in which the network is evaluated in training. sampling: which rows are drawn more often.
    """

    name: str
    features: str
    build: Build
    objective: Objective = MSE
    weigh: Weigh = field(default=standard)
    epochs: int = 25
    updates: int = 0
    batch: int = 512
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    ema_decay: float = 0.0
    compute: str = "float32"
    sampling: RareRegimes | None = None
    solve: Callable[[ColumnEmulator, TrainingSet], None] | None = None
    note: str = ""


def metric_weights(data: TrainingSet) -> np.ndarray:
    """The published metric, every V1 variable alike; cloud and wind tendencies count less."""
    sample = data.sample
    spreads = losses.energy_spreads(data.features, sample.targets, sample.mass, sample.area)
    emphasis = {"ptend_q0002": 0.3, "ptend_q0003": 0.3, "ptend_u": 0.2, "ptend_v": 0.2}
    return losses.energy_weights(data.features, spreads, data.mass, data.area, emphasis)


def _solve_linear(emulator: ColumnEmulator, data: TrainingSet) -> None:
    targets = np.asarray(emulator.decoder.inverse(data.targets))
    emulator.network.solve(np.asarray(emulator.encoder(data.inputs)), targets)


def ensemble_of(network: Callable, count: int = 8) -> Callable:
    """`count` times `network(n_in, n_out, rngs=…)`."""
    return lambda n_in, n_out, rngs: Ensemble(lambda r: network(n_in, n_out, rngs=r), rngs=rngs, count=count)


SMALL_DATA = {"batch": 128, "weight_decay": 0.1, "ema_decay": 0.995}
COMPETITION = {
    "objective": HUBER,
    "epochs": 12,
    "updates": 2000,
    "batch": 256,
    "learning_rate": 5e-4,
    "weight_decay": 0.05,
    "ema_decay": 0.99,
    "compute": "bfloat16",
}
OURS = {
    "features": "V2_sun",
    "weigh": metric_weights,
    "epochs": 40,
    "batch": 256,
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "ema_decay": 0.998,
}

RECIPES: dict[str, Recipe] = {
    r.name: r
    for r in (
        Recipe("constant", "V1", z_scored(Constant), epochs=0),
        Recipe("linear", "V1", z_scored(Linear), epochs=0, solve=_solve_linear),
        Recipe(
            "mlp512",
            "V1",
            z_scored(MLP),
            epochs=80,
            batch=128,
            weight_decay=0.2,
            ema_decay=0.995,
            note="the 512×512 ReLU MLP of the small-data anchor, regularised: 25 bare epochs do worse",
        ),
        Recipe("mlp", "V1", published(BaselineMLP), updates=5000, **SMALL_DATA),
        Recipe("cnn", "V1", published(CNN), **COMPETITION | {"objective": MAE, "epochs": 15}),
        Recipe("encoder_decoder", "V1", published(EncoderDecoder), updates=5000, **SMALL_DATA),
        Recipe(
            "hsr", "V1", z_scored(Heteroskedastic), gaussian, updates=4000, learning_rate=3e-4, **SMALL_DATA
        ),
        Recipe("rpn", "V1", z_scored(RandomizedPrior), own_rows(), epochs=5, updates=2000, **SMALL_DATA),
        Recipe("cvae", "V1", z_scored(CVAE), evidence_bound, updates=4000, learning_rate=3e-4, **SMALL_DATA),
        Recipe(
            "bilstm",
            "V1",
            z_scored(partial(VerticalBiLSTM, scalars_in=4)),
            updates=2000,
            batch=256,
            learning_rate=1e-3,
            weight_decay=0.05,
        ),
        Recipe("mlp_v2rh", "V2", online(OnlineMLP, "V2_rh"), HUBER, updates=3000, **SMALL_DATA),
        Recipe("unet", "V2", online(UNet, "v2_rh_mc"), **COMPETITION | {"epochs": 16}),
        Recipe("res_lstm", "V2", online(ResLSTM, "v2_rh_mc"), **COMPETITION),
        Recipe("encoder_lstm", "V2", online(EncoderLSTM, "v2_rh_mc"), **COMPETITION),
        Recipe("convnext", "V2", online(ConvNeXt, "v2_rh_mc"), **COMPETITION),
        Recipe("squeezeformer", "V2", online(Squeezeformer, "v2_rh_mc"), **COMPETITION),
        Recipe(
            "column_mlp",
            build=physical(ResidualMLP),
            objective=MAE,
            note="ours: physics inside, trained on the metric itself",
            **OURS,
        ),
        Recipe(
            "column_ensemble",
            build=physical(ensemble_of(ResidualMLP)),
            objective=each_member(losses.mean_absolute),
            note="eight of column_mlp, averaged before the physics",
            **OURS,
        ),
        Recipe(
            "column_lstm",
            build=physical_column(partial(VerticalBiLSTM, width=192, layers=2, dropout=0.1)),
            objective=MAE,
            note="ours with a vertical Bi-LSTM inside",
            **OURS,
        ),
    )
}


def epochs_for(chosen: Recipe, rows: int) -> int:
    """Passes over `rows` training rows that the recipe wants."""
    per_epoch = rows // min(chosen.batch, rows)
    return max(chosen.epochs, -(-chosen.updates // per_epoch))


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises InputError listing the known ones."""
    if name not in RECIPES:
        raise InputError(f"Unknown emulator {name!r}; known are {', '.join(RECIPES)}.")
    return RECIPES[name]


def training_data(columns, name: str) -> TrainingSet:
    """Columns through the feature set of a recipe."""
    return TrainingSet(columns, feature_set(recipe(name).features))
