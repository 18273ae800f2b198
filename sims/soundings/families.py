"""Six families of soundings; every one maps (rng, heights) to temperature and relative humidity.

Arguments: rng, `z` (columns, levels) height [m]. Ranges follow the climates that the names say; none is a
climatology.
"""

from collections.abc import Callable

import numpy as np

from .column import Thermal, lifted, with_stratosphere

Family = Callable[[np.random.Generator, np.ndarray], Thermal]


def draw(rng: np.random.Generator, z: np.ndarray, low: float, high: float) -> np.ndarray:
    """One uniform number a column, as a column vector."""
    return rng.uniform(low, high, (z.shape[0], 1))


def tropical(rng: np.random.Generator, z: np.ndarray) -> Thermal:
    """Near-moist-adiabatic air over a warm sea: vapour mixed below cloud base, free troposphere dry to moist.

    Below the base, relative humidity grows upwards by e in 2300 m, as it does where vapour is mixed and the
    lapse dry-adiabatic; the air that touches the sea is up to 1.5 K warmer.
    """
    base = draw(rng, z, 350, 700)
    t = lifted(draw(rng, z, 297, 303), z, base, draw(rng, z, 1.0, 1.2))
    t = t + draw(rng, z, 0.0, 1.5) * np.exp(-z / draw(rng, z, 50, 200))
    free, at_base = draw(rng, z, 0.2, 0.95), draw(rng, z, 0.88, 1.0)
    above = np.maximum(z - base, 0.0) / draw(rng, z, 1000, 4000)
    decay = np.exp((z - base) / 2300)
    humidity = np.where(z < base, at_base * decay, free + (at_base - free) * np.exp(-(above**2)))
    return Thermal(with_stratosphere(t, z, draw(rng, z, 14e3, 17e3)), humidity)


def midlatitude(rng: np.random.Generator, z: np.ndarray) -> Thermal:
    """Mixed layer under a cap, steeper lapse rates above it (continental summer)."""
    depth = draw(rng, z, 600, 2500)
    cap = draw(rng, z, 0.0, 3.5) * np.exp(-(((z - depth - 250) / 350) ** 2)) * (z > depth)
    lapse = draw(rng, z, 5.8e-3, 7.6e-3)
    surface = draw(rng, z, 289, 311)
    t = np.where(z < depth, surface - 9.76e-3 * z, surface - 9.76e-3 * depth - lapse * (z - depth)) + cap
    free = draw(rng, z, 0.2, 0.75)
    top_humidity = draw(rng, z, 0.5, 0.98)
    humidity = np.where(z < depth, top_humidity * (0.5 + 0.5 * z / depth), free)
    return Thermal(with_stratosphere(t, z, draw(rng, z, 10e3, 13.5e3)), humidity)


def trade(rng: np.random.Generator, z: np.ndarray) -> Thermal:
    """Trade-wind layer under an inversion with dry air above."""
    inversion = draw(rng, z, 1100, 2800)
    t = lifted(draw(rng, z, 294, 301), z, draw(rng, z, 450, 750), draw(rng, z, 0.9, 1.05))
    t = t + draw(rng, z, 1, 9) / (1 + np.exp(-(z - inversion) / 120)) * np.exp(
        -np.maximum(z - inversion, 0) / 3000
    )
    low, high = draw(rng, z, 0.7, 0.95), draw(rng, z, 0.05, 0.45)
    humidity = low + (high - low) / (1 + np.exp(-(z - inversion) / 150))
    return Thermal(with_stratosphere(t, z, draw(rng, z, 14e3, 16.5e3)), humidity)


def stable(rng: np.random.Generator, z: np.ndarray) -> Thermal:
    """Polar, nocturnal or subsiding air: cold or inverted near the ground."""
    surface, lapse = draw(rng, z, 245, 298), draw(rng, z, 3.5e-3, 6.8e-3)
    inversion = draw(rng, z, 0, 12) * (1 - np.exp(-z / draw(rng, z, 150, 900)))
    humidity = draw(rng, z, 0.1, 0.9) * np.exp(-z / draw(rng, z, 3e3, 2e4))
    return Thermal(with_stratosphere(surface + inversion - lapse * z, z, draw(rng, z, 8e3, 13e3)), humidity)


def saturated(rng: np.random.Generator, z: np.ndarray) -> Thermal:
    """Cloud decks and stratiform rain: relative humidity 0.9 to 1.08 over a deep layer."""
    t = lifted(draw(rng, z, 268, 302), z, draw(rng, z, 50, 400), draw(rng, z, 0.9, 1.1))
    deck = draw(rng, z, 1500, 10e3)
    humidity = np.where(z < deck, draw(rng, z, 0.9, 1.08), draw(rng, z, 0.2, 0.8))
    return Thermal(with_stratosphere(t, z, draw(rng, z, 9e3, 15e3)), humidity)


def elevated(rng: np.random.Generator, z: np.ndarray) -> Thermal:
    """A stable boundary layer under a moist, unstable source layer aloft."""
    source = draw(rng, z, 700, 2600)
    t = lifted(draw(rng, z, 296, 312), z, source, draw(rng, z, 0.9, 1.08))
    t = t - draw(rng, z, 2, 14) * np.exp(-((z / draw(rng, z, 200, 900)) ** 2))
    bump = np.exp(-(((z - source) / draw(rng, z, 350, 1100)) ** 2))
    free = draw(rng, z, 0.2, 0.7)
    return Thermal(
        with_stratosphere(t, z, draw(rng, z, 10e3, 14e3)), free + (draw(rng, z, 0.7, 1.0) - free) * bump
    )


FAMILIES: dict[str, Family] = {
    family.__name__: family for family in (tropical, midlatitude, trade, stable, saturated, elevated)
}
