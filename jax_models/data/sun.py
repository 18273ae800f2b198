"""Where the sun stands: Berger's (1978) orbit as Earth system models use it, in years without leap days.

    cos θ = sin φ sin δ + cos φ cos δ cos H,    H = 2π t + λ − π    (t: days, UTC; φ, λ: latitude, longitude)

Two facts of the ClimSim data, both measured on the real steps: `pbuf_COSZRS` is max(cos θ, 0) averaged over
the step [t, t + 1200 s] (to 6e-5 rms), but the shortwave fluxes of the same record belong to the sun at the
END of the step: no column with cos θ(t + 1200 s) > 0 is dark. `coszrs_end` gives that instant.
"""

import numpy as np

from ...contracts.variables import STEP_S

DAYS_BEFORE_MONTH = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])
ECCENTRICITY = 0.016704
OBLIQUITY = np.deg2rad(23.4393)
PERIHELION = np.deg2rad(102.9 + 180.0)  # longitude of perihelion, moving vernal equinox
EQUINOX_DAY, YEAR_DAYS = 80.5, 365.0
SOLAR_CONSTANT = 1361.0  # W m-2 at the mean distance


def calendar_day(ymd: np.ndarray, tod: np.ndarray) -> np.ndarray:
    """Day of the year from 1.0, fraction included; `ymd` YYYYMMDD without leap days, `tod` s of day."""
    ymd = np.asarray(ymd, np.int64)
    month, day = ymd // 100 % 100, ymd % 100
    return DAYS_BEFORE_MONTH[month - 1] + day + np.asarray(tod, np.float64) / 86400.0


def declination(day: np.ndarray) -> np.ndarray:
    """δ [rad] on calendar day `day`: true longitude of the sun to third order in the eccentricity."""
    e, w = ECCENTRICITY, PERIHELION
    root = np.sqrt(1 - e**2)
    at_equinox = 2 * (
        (e / 2 + e**3 / 8) * (1 + root) * np.sin(w)
        - e**2 / 4 * (0.5 + root) * np.sin(2 * w)
        + e**3 / 8 * (1 / 3 + root) * np.sin(3 * w)
    )
    mean = at_equinox + (day - EQUINOX_DAY) * 2 * np.pi / YEAR_DAYS
    true = (
        mean
        + (2 * e - e**3 / 4) * np.sin(mean - w)
        + 1.25 * e**2 * np.sin(2 * (mean - w))
        + 13 / 12 * e**3 * np.sin(3 * (mean - w))
    )
    return np.arcsin(np.sin(OBLIQUITY) * np.sin(true))


def cosine_zenith(ymd, tod, lat, lon, *, offset_s: float = 0.0) -> np.ndarray:
    """max(cos θ, 0) at `offset_s` after each time: (time,) dates and (ncol,) degrees to (time, ncol)."""
    day = (calendar_day(ymd, tod) + offset_s / 86400.0)[:, None]
    latitude, longitude = np.deg2rad(lat)[None], np.deg2rad(lon)[None]
    delta = declination(day)
    hour_angle = 2 * np.pi * (day % 1.0) + longitude - np.pi
    cosine = np.sin(latitude) * np.sin(delta) + np.cos(latitude) * np.cos(delta) * np.cos(hour_angle)
    return np.maximum(cosine, 0.0)


def coszrs_end(ymd, tod, lat, lon) -> np.ndarray:
    """The sun that the shortwave fluxes of the step saw, (time, ncol)."""
    return cosine_zenith(ymd, tod, lat, lon, offset_s=STEP_S)
