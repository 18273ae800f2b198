"""Normalisation inside the model: raw units to network units and back, with statistics that are not trained.

x' = (f(x) − sub) / div,   f: identity, fill mask, 1 − exp(−λ q) for cloud, clip for RH;   not finite → 0
y  = y' · div + sub
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import netCDF4
import numpy as np
from flax import nnx

from ..contracts.errors import FileError
from ..contracts.feature_sets import FeatureSet
from ..contracts.variables import FILL, variable
from .constraints.levels import HybridLevels
from .data.derived import liquid_fraction, relative_humidity

RH_CEILING = 1.2
CLOUD_FREE_LEVELS = 15  # inputs q2, q3, qn above this level index are noise and read as zero
SMALLEST_CLOUD = 1e-7  # kg/kg; λ is one over the mean of the cloud that exceeds it
NEGLIGIBLE = 1e-4  # a level whose spread is below this share of its variable's largest is taken as constant


class Statistic(nnx.Variable):
    """An array that belongs to the model and its bundle but is never trained."""


def split(matrix, slices: dict[str, slice]) -> dict:
    """(batch, n) to name → (batch, width); scalars keep width 1."""
    return {name: matrix[:, span] for name, span in slices.items()}


def join(fields: dict, names: tuple[str, ...]):
    """Undo `split` in the order of `names`."""
    return jnp.concatenate([fields[name] for name in names], axis=-1)


class ZScoreEncoder(nnx.Module):
    """(x − mean) / std per level, over the training rows; constant levels give 0; fill values read as 0.

    rows: (n, n_in) raw training inputs.
    """

    def __init__(self, features: FeatureSet, rows: np.ndarray):
        self.features = features
        masked = np.where(rows > FILL / 10, 0, rows).astype(np.float64)
        self.mean = Statistic(jnp.asarray(masked.mean(0), jnp.float32))
        self.scale = Statistic(jnp.asarray(spread(masked, features.input_slices), jnp.float32))

    def __call__(self, raw):
        raw = jnp.where(raw > FILL / 10, 0, raw)
        return jnp.clip((raw - self.mean[...][None]) / self.scale[...][None], -50, 50)


class DerivedEncoder(nnx.Module):
    """Raw features to those of another set that follow from them (RH, qn, liquid fraction), then z-scores.

    raw: the set of the raw inputs, which holds temperature, water and surface pressure. derived: the set that
    the network was designed for. rows: (n, n_in) raw training inputs.
    """

    def __init__(self, raw: FeatureSet, derived: FeatureSet, rows: np.ndarray, levels: HybridLevels):
        self.raw, self.derived, self.levels = raw, derived, levels
        blocks = np.array_split(rows, max(1, len(rows) // 4096))
        made = np.concatenate([np.asarray(self.derive(jnp.asarray(block))) for block in blocks])
        self.scaled = ZScoreEncoder(derived, made)

    def __call__(self, raw):
        return self.scaled(self.derive(raw))

    def derive(self, raw):
        """(batch, n_in) of the raw set to (batch, n_in) of the derived one."""
        fields = split(raw, self.raw.input_slices)
        temperature = fields["state_t"]
        pressure = self.levels.pressure(fields["state_ps"])
        humidity = relative_humidity(temperature, fields["state_q0001"], pressure)
        fields["state_rh"] = jnp.clip(humidity, 0, RH_CEILING)
        fields["state_qn"] = fields["state_q0002"] + fields["state_q0003"]
        fields["liq_partition"] = liquid_fraction(temperature)
        return join(fields, self.derived.inputs)


def spread(rows: np.ndarray, slices: dict[str, slice]) -> np.ndarray:
    """Standard deviation per column of `rows`, infinite where it is negligible within its variable."""
    std = rows.std(0)
    for span in slices.values():
        limit = NEGLIGIBLE * std[span].max()
        std[span] = np.where(std[span] > limit, std[span], np.inf)
    return std


class OnlineEncoder(nnx.Module):
    """The normalisation of the online baselines from the shipped statistics files (rules of the table).

    folder: holds input_{mean,max,min}_v5_pervar.nc and the λ text files.
    """

    def __init__(self, features: FeatureSet, folder: Path):
        self.features = features
        mean, high, low = (
            _statistics(Path(folder) / f"input_{what}_v5_pervar.nc", features)
            for what in ("mean", "max", "min")
        )
        for name, span in features.input_slices.items():
            if variable(name).rule == "cloud":
                mean[span], high[span], low[span] = 0.0, 1.0, 0.0
        self.mean = Statistic(jnp.asarray(mean, jnp.float32))
        self.range = Statistic(jnp.asarray(high - low, jnp.float32))
        files = {"state_q0002": "qc", "state_q0003": "qi", "state_qn": "qn"}
        used = [name for name in files if name in features.inputs]
        lambdas = [
            np.loadtxt(Path(folder) / f"{files[name]}_exp_lambda_large.txt", delimiter=",") for name in used
        ]
        self.cloud_names = tuple(used)
        self.cloud_rates = Statistic(jnp.asarray(np.reshape(lambdas, (len(used), -1)), jnp.float32))

    def __call__(self, raw):
        fields = split(jnp.where(raw > FILL / 10, 0, raw), self.features.input_slices)
        for name, rate in zip(self.cloud_names, self.cloud_rates[...], strict=True):
            cloud = 1 - jnp.exp(-rate[None] * fields[name])
            fields[name] = jnp.where((jnp.arange(cloud.shape[-1]) >= CLOUD_FREE_LEVELS)[None], cloud, 0)
        if "state_rh" in fields:
            fields["state_rh"] = jnp.clip(fields["state_rh"], 0, RH_CEILING)
        scaled = (join(fields, self.features.inputs) - self.mean[...][None]) / self.range[...][None]
        return jnp.where(jnp.isfinite(scaled), scaled, 0)


def _statistics(path: Path, features: FeatureSet) -> np.ndarray:
    if not path.is_file():
        raise FileError(f"{path} does not exist; give the folder of ClimSim's normalisation files.")
    parts = []
    with netCDF4.Dataset(str(path)) as dataset:
        dataset.set_auto_mask(False)
        for name in features.inputs:
            start, stop = features.span(name)
            if name not in dataset.variables:
                raise FileError(
                    f"{path}: no statistics of {name!r}, which feature set {features.name} needs."
                )
            values = np.atleast_1d(np.asarray(dataset[name][...], np.float64))
            parts.append(values[start:stop])
    return np.concatenate(parts)


class AffineDecoder(nnx.Module):
    """Network units to raw units per output, y = y' · scale + offset; gives name → (batch, width)."""

    def __init__(self, features: FeatureSet, scale: np.ndarray, offset: np.ndarray):
        self.features = features
        self.scale = Statistic(jnp.asarray(scale, jnp.float32))
        self.offset = Statistic(jnp.asarray(offset, jnp.float32))

    @classmethod
    def fit(cls, features: FeatureSet, rows: np.ndarray) -> "AffineDecoder":
        """z-score of the training targets `rows` (n, n_out); an output that never varies is its constant."""
        rows = rows.astype(np.float64)
        std = spread(rows, features.output_slices)
        return cls(features, np.where(np.isfinite(std), std, 0.0), rows.mean(0))

    @classmethod
    def scale_only(cls, features: FeatureSet, rows: np.ndarray) -> "AffineDecoder":
        """Without an offset, as published: heads that end in ReLU or ELU keep zero at zero.

        The scale is the standard deviation, also for fluxes far from zero: scaled by its size, downward
        longwave, five deviations from zero, would be moved five times too far by each step of the optimizer.
        An output that never varies is scaled by its size.
        """
        rows = rows.astype(np.float64)
        std, size = spread(rows, features.output_slices), np.sqrt(np.square(rows).mean(axis=0))
        for span in features.output_slices.values():
            size[span] = np.where(size[span] > NEGLIGIBLE * size[span].max(), size[span], 0)
        return cls(features, np.where(np.isfinite(std), std, size), np.zeros(features.n_out))

    def inverse(self, raw: jax.Array) -> jax.Array:
        """Raw targets (batch, n_out) to network units; outputs that never vary give 0."""
        scale = self.scale[...][None]
        return jnp.where(scale > 0, (raw - self.offset[...][None]) / jnp.where(scale > 0, scale, 1), 0)

    def __call__(self, inputs: dict, latent: jax.Array) -> dict:
        return split(latent * self.scale[...][None] + self.offset[...][None], self.features.output_slices)
