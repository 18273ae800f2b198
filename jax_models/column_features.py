"""What a column looks like to a network that knows physics: raw V2_sun inputs to standardised features.

Profiles (12 a level): T, ln q, RH, ln RH, 1 − exp(−λq) and 1 − exp(−30 λq) of liquid and ice (thick and thin
cloud), u, v, O3, T[k+1] − T[k]. Scalars: the surface inputs, presence of sea ice, the sun at the end of the
step and its change within the step, the slant path 1/cos θ, latitude, water paths. Every feature is
standardised over the training rows and clipped to ±8: no odd column can blow up the network.
"""

import jax.numpy as jnp
import numpy as np
from flax import nnx

from ..contracts.feature_sets import FeatureSet
from ..contracts.variables import FILL, SCALARS
from .constraints.levels import HybridLevels
from .data.derived import relative_humidity
from .normalization import RH_CEILING, SMALLEST_CLOUD, Statistic, split

VAPOUR_FLOOR = 1e-9  # kg/kg
THIN = 30.0
LOWEST_SUN = 0.05
CLIP = 8.0
N_PROFILES = 12
PLAIN_SCALARS = tuple(name for name in SCALARS if name != "cam_in_SNOWHICE")


class ColumnFeatures(nnx.Module):
    """(batch, n_in) raw to (batch, 12 · 60 + scalars), flat, one profile after the other.

    features: must hold the inputs of V2_sun. rows: (n, n_in) raw training inputs. levels: see HybridLevels.
    """

    def __init__(self, features: FeatureSet, rows: np.ndarray, levels: HybridLevels):
        self.features, self.levels = features, levels
        inputs = split(rows, features.input_slices)
        rates = [_cloud_rate(inputs[name]) for name in ("state_q0002", "state_q0003")]
        self.cloud_rates = Statistic(jnp.asarray(rates, jnp.float32))
        mean, square, count = 0.0, 0.0, 0
        for block in np.array_split(rows, max(1, len(rows) // 4096)):
            values = np.asarray(self.plain(jnp.asarray(block)), np.float64)
            mean, square, count = mean + values.sum(0), square + (values**2).sum(0), count + len(values)
        mean = mean / count
        std = np.sqrt(np.maximum(square / count - mean**2, 0))
        self.mean = Statistic(jnp.asarray(mean, jnp.float32))
        self.scale = Statistic(jnp.asarray(np.where(std > 1e-3, std, np.inf), jnp.float32))

    @property
    def width(self) -> int:
        return self.mean[...].size

    def __call__(self, raw):
        return jnp.clip((self.plain(raw) - self.mean[...][None]) / self.scale[...][None], -CLIP, CLIP)

    def plain(self, raw):
        """Features before standardisation, of order one in float32."""
        x = split(raw, self.features.input_slices)
        batch = raw.shape[0]
        mass = self.levels.mass(x["state_ps"])
        profiles = jnp.stack(self._profiles(x), axis=1)
        return jnp.concatenate([profiles.reshape(batch, -1), *self._scalars(x, mass)], axis=-1)

    def _profiles(self, x):
        temperature = x["state_t"]
        humidity = relative_humidity(temperature, x["state_q0001"], self.levels.pressure(x["state_ps"]))
        thick, thin = (
            [
                1 - jnp.exp(-factor * rate * x[name])
                for name, rate in zip(_CLOUD, self.cloud_rates[...], strict=True)
            ]
            for factor in (1.0, THIN)
        )
        step = jnp.diff(temperature, axis=1, append=temperature[:, -1:])
        return [
            (temperature - 250.0) / 30.0,
            jnp.log(jnp.maximum(x["state_q0001"], VAPOUR_FLOOR)),
            jnp.clip(humidity, 0, RH_CEILING),
            jnp.log(jnp.maximum(humidity, 1e-4)),
            *thick,
            *thin,
            x["state_u"] / 20.0,
            x["state_v"] / 20.0,
            x["pbuf_ozone"] * 1e6,
            step,
        ]

    def _scalars(self, x, mass):
        ice = x["cam_in_SNOWHICE"] < FILL / 10
        sun = x["coszrs_end"]
        paths = {name: jnp.sum(x[name] * mass, axis=1, keepdims=True) for name in (*_CLOUD, "state_q0001")}
        return [
            *(x[name] / _ORDER.get(name, 1.0) for name in PLAIN_SCALARS),
            ice.astype(mass.dtype),
            jnp.where(ice, x["cam_in_SNOWHICE"], 0),
            sun,
            sun - x["pbuf_COSZRS"],
            jnp.where(sun > 0, LOWEST_SUN / jnp.maximum(sun, LOWEST_SUN), 0),
            x["slat"],
            x["clat"],
            *(jnp.log1p(10 * paths[name]) for name in _CLOUD),
            paths["state_q0001"] / 20.0,
        ]


_CLOUD = ("state_q0002", "state_q0003")
_ORDER = {  # brings W m-2 and Pa to order one, so that variances survive float32
    "state_ps": 1e4, "pbuf_SOLIN": 400.0, "pbuf_LHFLX": 80.0, "pbuf_SHFLX": 40.0, "cam_in_LWUP": 80.0,
    "pbuf_TAUX": 0.1, "pbuf_TAUY": 0.1, "cam_in_SNOWHLAND": 0.1,
}  # fmt: skip


def _cloud_rate(cloud: np.ndarray) -> float:
    """λ = 1 / mean of the cloud above SMALLEST_CLOUD; 1/SMALLEST_CLOUD where there is none."""
    present = cloud[cloud > SMALLEST_CLOUD]
    return 1.0 / (present.mean(dtype=np.float64) if present.size else SMALLEST_CLOUD)
