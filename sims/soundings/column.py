"""From family profiles T(p), RH(p) to complete hydrostatic columns, in single-precision-safe SI numbers.

p_{k+1/2} interfaces, p_k their mean; Δz = Δp/(ρ g), ρ = p/(R T_v), so that ρ g Δz = Δp as the scheme
wants it.
"""

from typing import NamedTuple

import numpy as np

GRAVITY, GAS_CONSTANT, HEAT_CAPACITY = 9.81, 287.0, 1004.5
MODEL_LEVELS = (36, 44, 50, 60)  # vertical grids, drawn per column
MOST_LEVELS = max(MODEL_LEVELS)


class Thermal(NamedTuple):
    """What a family decides: (columns, levels) temperature [K] and relative humidity [1]."""

    temperature: np.ndarray
    humidity: np.ndarray


def draw_grid(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Level counts (columns,) and interface pressures (columns, MOST_LEVELS + 1) [Pa]; unused ones go on up.

    Stretched σ = 1 - s^a (1 - r) with a random exponent: fine near the ground, coarse aloft.
    """
    levels = rng.choice(MODEL_LEVELS, count)
    surface = rng.uniform(0.93e5, 1.03e5, count)[:, None]
    top = rng.uniform(2.5e3, 6.0e3, count)[:, None]
    exponent = rng.uniform(1.25, 1.8, count)[:, None]
    s = np.arange(MOST_LEVELS + 1) / levels[:, None]
    inside = surface - (surface - top) * np.minimum(s, 1.0) ** exponent
    return levels, np.where(s <= 1.0, inside, top * np.exp(-(s - 1.0)))


def pseudo_height(p: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Height in the standard atmosphere above the surface [m]."""
    return 44330.0 * (1.0 - (p / surface) ** 0.19)


def saturation_mixing_ratio(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Over water [kg kg-1]; bounded where the vapour pressure nears the pressure."""
    e = np.minimum(611.2 * np.exp(17.67 * (t - 273.15) / (t - 29.65)), 0.5 * p)
    return 0.622 * e / (p - e)


def complete(levels: np.ndarray, interfaces: np.ndarray, thermal: Thermal) -> dict[str, np.ndarray]:
    """Moisture, Exner function, density and thickness of the columns."""
    p = 0.5 * (interfaces[:, :-1] + interfaces[:, 1:])
    t = thermal.temperature
    vapour = np.clip(thermal.humidity * saturation_mixing_ratio(t, p), 2e-6, 0.04)
    rho = p / (GAS_CONSTANT * t * (1 + 0.608 * vapour))
    return {
        "nlev": levels.astype(np.int32),
        "p": p,
        "t": t,
        "qv": vapour,
        "pi": (p / 1e5) ** (GAS_CONSTANT / HEAT_CAPACITY),
        "rho": rho,
        "dz8w": (interfaces[:, :-1] - interfaces[:, 1:]) / (rho * GRAVITY),
    }


def lifted(t_base: np.ndarray, z: np.ndarray, z_base: np.ndarray, dilution: np.ndarray) -> np.ndarray:
    """Temperature that falls dry-adiabatically to z_base and then near-moist-adiabatically [K].

    The moist rate Γ = Γ_d (1 - s) grows back to Γ_d as the air dries with height; `dilution` scales it.
    """
    dry = GRAVITY / HEAT_CAPACITY
    base = t_base - dry * z_base
    moist_share = 0.58 * np.clip((base - 225.0) / 75.0, 0.05, 1.0)
    above = np.maximum(z - z_base, 0.0)
    scale = 9000.0
    cooling = dry * (above - moist_share / dilution * scale * (1 - np.exp(-above / scale)))
    return np.where(z < z_base, t_base - dry * z, base - cooling)


def with_stratosphere(t: np.ndarray, z: np.ndarray, tropopause: np.ndarray) -> np.ndarray:
    """Isothermal, slightly warming air above the coldest point at the tropopause height."""
    cold = np.take_along_axis(t, np.argmin(np.abs(z - tropopause), axis=1)[:, None], axis=1)
    return np.where(z > tropopause, np.maximum(cold, 190.0) + 1.5e-3 * (z - tropopause), np.maximum(t, 185.0))
