"""Winds, vertical velocity, surface fluxes and the host's settings that go with a sounding."""

import numpy as np

TIME_STEP_PER_KM = (3.0, 6.0)  # s, the range of dt/dx [s km-1]
GRID_SPACINGS = (1.0e3, 50.0e3)  # m


def draw_forcing(rng: np.random.Generator, z: np.ndarray, warm_surface: np.ndarray) -> dict[str, np.ndarray]:
    """Everything but the thermal profiles.

    Args:
        rng: source of randomness.
        z: (columns, levels) heights [m].
        warm_surface: (columns,) whether the surface may heat the air; else its heat flux is downward.
    """
    count = z.shape[0]
    return (
        draw_wind(rng, z)
        | draw_ascent(rng, z)
        | draw_surface(rng, count, warm_surface)
        | draw_host(rng, count)
    )


def draw_wind(rng: np.random.Generator, z: np.ndarray) -> dict[str, np.ndarray]:
    """A surface wind, a hodograph with speed and directional shear, and a jet [m s-1]."""
    count = z.shape[0]
    speed, turn, angle = (rng.uniform(low, high, (count, 1)) for low, high in ((1, 12), (-2, 2), (0, 6.28)))
    shear = rng.gamma(2.0, 6.0, (count, 1)) * np.tanh(z / rng.uniform(1e3, 6e3, (count, 1)))
    jet = rng.uniform(0, 25, (count, 1)) * np.exp(-(((z - 11e3) / 4e3) ** 2))
    direction = angle + turn * np.minimum(z / 6e3, 1.0)
    return {
        "u": (speed + shear + jet) * np.cos(direction),
        "v": (speed + shear + jet) * np.sin(direction),
    }


def draw_ascent(rng: np.random.Generator, z: np.ndarray) -> dict[str, np.ndarray]:
    """Half-sine ascent (or descent) through the troposphere; the running mean lags behind it [m s-1]."""
    count = z.shape[0]
    strength = rng.standard_t(2.5, (count, 1)) * 0.03 + 0.01
    depth = rng.uniform(4e3, 15e3, (count, 1))
    mean = np.clip(strength, -1.0, 3.0) * np.sin(np.pi * np.clip(z / depth, 0, 1))
    edges = np.concatenate(
        [np.zeros((count, 1)), 0.5 * (mean[:, 1:] + mean[:, :-1]), np.zeros((count, 1))], 1
    )
    return {"w0avg": mean, "w": edges * rng.uniform(0.0, 3.0, (count, 1))}


def draw_surface(rng: np.random.Generator, count: int, warm_surface: np.ndarray) -> dict[str, np.ndarray]:
    """Friction velocity, heat flux, boundary-layer height and z/L of one sign."""
    heating = np.where(warm_surface, rng.gamma(1.5, 80.0, count), -rng.uniform(0, 60, count))
    ust = rng.uniform(0.05, 0.8, count)
    depth = np.where(heating > 0, rng.uniform(200, 2500, count), rng.uniform(50, 400, count))
    stability = -np.sign(heating) * rng.gamma(1.5, 0.8, count)
    return {"ust": ust, "hfx": np.clip(heating, -100, 600), "pblh": depth, "zol": np.clip(stability, -8, 4)}


def draw_host(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Grid spacing (log-uniform, 1 to 50 km), time step, calling interval and microphysics species."""
    low, high = np.log(GRID_SPACINGS)
    dx = np.exp(rng.uniform(low, high, count))
    dt = np.maximum(5.0, np.round(dx / 1e3 * rng.uniform(*TIME_STEP_PER_KM, count)))
    cudt = rng.choice([0.0, 5.0, 10.0], count)
    return {
        "dx": dx,
        "dt": dt,
        "cudt": cudt,
        "stepcu": np.maximum(1, np.rint(60 * cudt / dt)).astype(np.int32),
        "nca": np.full(count, -100.0),
        **{name: np.full(count, value, np.int32) for name, value in SPECIES.items()},
    }


SPECIES = {"warm_rain": 0, "f_qr": 1, "f_qi": 1, "f_qs": 1, "adapt_step_flag": 0}
