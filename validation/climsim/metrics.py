"""The published scores, in their published order: time first, then columns, then levels (Yu et al. 2023).

Fields are (time, ncol) or (time, ncol, nlev). `energy` turns them into W m⁻² with the area weight inside, for
prediction and target alike. Because that weight multiplies both, MAE and RMSE are area-weighted means, but it
cancels from R², which is a plain mean over columns. The Kaggle R² pools time and columns instead; the two are
not comparable.
"""

import numpy as np

from ...contracts.errors import InputError
from ...contracts.variables import variable

BAND_EDGES = np.arange(-90.0, 91.0, 10.0)  # of latitude, degrees


def energy(name: str, field: np.ndarray, mass: np.ndarray, area_weight: np.ndarray) -> np.ndarray:
    """`field` of an output in W m⁻² (winds: N m⁻²), weighted.

    mass: (time, ncol, nlev) Δp/g [kg m-2]. area_weight: (ncol,) area over mean area.
    """
    row = variable(name)
    weighted = np.asarray(field, np.float64) * (row.energy or 1.0)
    if row.is_profile:
        return weighted * mass * area_weight[None, :, None]
    return weighted * area_weight[None, :]


def _columns_then(values: np.ndarray) -> np.ndarray:
    """Mean over columns of (ncol[, nlev]): a number, or one per level."""
    return values.mean(axis=0)


def mean_absolute_error(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """⟨|p − y|⟩ over time, then columns: () or (nlev,)."""
    return _columns_then(np.abs(prediction - target).mean(axis=0))


def root_mean_squared_error(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """√⟨(p − y)²⟩ over time, then the mean of the roots over columns: () or (nlev,)."""
    return _columns_then(np.sqrt(np.square(prediction - target).mean(axis=0)))


def bias(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """⟨p⟩ − ⟨y⟩: () or (nlev,)."""
    return _columns_then(prediction.mean(axis=0) - target.mean(axis=0))


def r_squared(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The R² of 2023: 1 − Σ_t (p−y)² / Σ_t (y−⟨y⟩_t)² of each column, then the plain mean over columns.

    () or (nlev,). Not finite where some column's target never varies in time (the papers leave it blank).
    """
    return _columns_then(column_r_squared(prediction, target))


def column_r_squared(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """R² over time of each column: (ncol[, nlev]); −inf or nan where the target never varies."""
    residual = np.square(prediction - target).sum(axis=0)
    total = np.square(target - target.mean(axis=0)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - residual / total


def r_squared_pooled(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The Kaggle R²: time and columns pooled: () or (nlev,).

    A target that never varies counts 1 if predicted exactly, else 0.
    """
    residual = np.square(prediction - target).sum(axis=(0, 1))
    total = np.square(target - target.mean(axis=(0, 1))).sum(axis=(0, 1))
    # Pooled sums of a constant are round-off, not zero.
    varies = np.ptp(target, axis=(0, 1)) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(varies, 1 - residual / total, np.where(residual == 0, 1.0, 0.0))


def crps_field(samples: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fair CRPS of each value: ⟨|x−y|⟩ − Σᵢ (x₍ᵢ₊₁₎−x₍ᵢ₎) i (n−i)/(n(n−1)), shape of `target`.

    samples: (n, *shape). Published early values divided the second term by 2n(n−1), wrong by two.
    """
    n = samples.shape[0]
    if n < 2:
        raise InputError(f"CRPS needs at least 2 samples, found {n}.")
    ordered = np.sort(samples, axis=0)
    rank = np.arange(1, n).reshape(-1, *[1] * target.ndim)
    spread = (np.diff(ordered, axis=0) * rank * (n - rank)).sum(axis=0) / (n * (n - 1))
    return np.abs(ordered - target).mean(axis=0) - spread


def crps(samples: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fair CRPS, mean over time, then columns: () or (nlev,); samples (n, time, ncol[, nlev])."""
    return _columns_then(crps_field(samples, target).mean(axis=0))


def band_means(field: np.ndarray, lat: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Area-weighted 10-degree bands: (time, ncol[, nlev]) to (time, 18[, nlev]); nan where empty."""
    band = np.clip(np.digitize(lat, BAND_EDGES) - 1, 0, BAND_EDGES.size - 2)
    weight = (band[None] == np.arange(BAND_EDGES.size - 1)[:, None]) * area
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = weight / weight.sum(axis=1, keepdims=True)
    return np.einsum("bc,tc...->tb...", weight, field)


def holds_whole_days(ymd: np.ndarray, *, steps_per_day: int = 12) -> bool:
    """Whether all days have `steps_per_day` steps and there are two days or more."""
    days, count = np.unique(ymd, return_counts=True)
    return days.size > 1 and bool((count == steps_per_day).all())


def daily_means(field: np.ndarray, ymd: np.ndarray, *, steps_per_day: int = 12) -> np.ndarray:
    """Means over the days that have `steps_per_day` steps: (time, …) to (days, …)."""
    days, count = np.unique(ymd, return_counts=True)
    whole = days[count == steps_per_day]
    if whole.size == 0:
        raise InputError(
            f"No day has {steps_per_day} steps (found {count.min()} to {count.max()}); daily means need the "
            " scoring split with its 12 steps a day."
        )
    return np.stack([field[ymd == day].mean(axis=0) for day in whole])


def zonal_r_squared(
    prediction: np.ndarray, target: np.ndarray, lat: np.ndarray, area: np.ndarray
) -> np.ndarray:
    """R² over time of 10-degree band means: (18[, nlev]); 1 or 0 where the target never varies."""
    p, y = band_means(prediction, lat, area), band_means(target, lat, area)
    residual = np.square(p - y).sum(axis=0)
    total = np.square(y - y.mean(axis=0)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 1 - residual / total, np.where(residual == 0, 1.0, 0.0))
