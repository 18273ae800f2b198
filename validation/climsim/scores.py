"""All scores of one or more emulators against the same columns, as one nested dictionary of plain numbers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...contracts.errors import InputError
from ...contracts.variables import V1_TARGETS, variable
from . import bootstrap, metrics
from .invariants import residuals

DRAWS = 2000


@dataclass(frozen=True)
class Case:
    """What is judged against: inputs and targets name → (time, ncol[, nlev]) raw, geometry, dates.

    mass: (time, ncol, nlev) Δp/g [kg m-2]. area, lat, lon: (ncol,) [sr, degrees]. ymd: (time,).
    """

    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    mass: np.ndarray
    area: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    ymd: np.ndarray

    @property
    def area_weight(self) -> np.ndarray:
        return self.area / self.area.mean()

    def energy(self, name: str, field: np.ndarray) -> np.ndarray:
        """`field` in W m⁻², area weight inside."""
        return metrics.energy(name, field, self.mass, self.area_weight)


@dataclass(frozen=True)
class Emulation:
    """One emulator's outputs name → (time, ncol[, nlev]) raw, and what it costs."""

    name: str
    outputs: dict[str, np.ndarray]
    parameters: int = 0
    flops: float = 0.0  # per column


def score(case: Case, emulations: list[Emulation], *, reference: str | None = None, seed: int = 0) -> dict:
    """Scores of all emulators: per variable, level, latitude band and regime; intervals; invariants.

    reference: the emulator against which ratios of MAE are formed; default the first.
    """
    names = [e.name for e in emulations]
    reference = reference or names[0]
    if reference not in names:
        raise InputError(f"The reference {reference!r} is not among the models {', '.join(names)}.")
    if len(set(names)) != len(names):
        raise InputError(f"Two models have one name ({', '.join(names)}); rename a bundle.")
    counts = bootstrap.resampled_blocks(case.ymd, draws=DRAWS, seed=seed)
    per_step = {e.name: _per_step_errors(case, e) for e in emulations}
    result = {
        "time_steps": int(case.ymd.size),
        "columns": int(case.ymd.size * case.area.size),
        "reference": reference,
        "truth": {"invariants": residuals(case.targets, case.inputs, case.mass, case.area)},
        "models": {},
    }
    for emulation in emulations:
        entry = {
            "parameters": emulation.parameters,
            "flops_per_column": emulation.flops,
            "variables": {
                name: _variable_scores(case, name, field, counts, per_step[emulation.name][name])
                for name, field in emulation.outputs.items()
                if name in case.targets
            },
            "invariants": residuals(emulation.outputs, case.inputs, case.mass, case.area),
            "versus_reference": _versus(per_step[emulation.name], per_step[reference], counts),
        }
        entry["economy"] = _economy(entry, emulation)
        result["models"][emulation.name] = entry
    return result


def _per_step_errors(case: Case, emulation: Emulation) -> dict[str, np.ndarray]:
    """name → (time,) area-weighted mean absolute error in W m⁻²."""
    errors = {}
    for name, field in emulation.outputs.items():
        if name in case.targets:
            error = np.abs(case.energy(name, field) - case.energy(name, case.targets[name]))
            errors[name] = error.reshape(len(error), -1).mean(axis=1)
    return errors


def _variable_scores(case: Case, name: str, field: np.ndarray, counts, per_step: np.ndarray) -> dict:
    p, y = case.energy(name, field), case.energy(name, case.targets[name])
    by_level = {
        "mae": metrics.mean_absolute_error(p, y),
        "rmse": metrics.root_mean_squared_error(p, y),
        "bias": metrics.bias(p, y),
        "r2": metrics.r_squared(p, y),
        "r2_pooled": metrics.r_squared_pooled(
            np.asarray(field, np.float64), case.targets[name].astype(np.float64)
        ),
    }
    scores = {kind: _number(np.mean(values)) for kind, values in by_level.items()}
    # A capped mean is finite where some levels never vary.
    scores["r2_pooled_capped"] = _number(np.maximum(by_level["r2_pooled"], 0).mean())
    scores["mae_interval"] = _interval(bootstrap.mean_interval(per_step, counts))
    if variable(name).is_profile:
        scores["levels"] = {kind: _numbers(values) for kind, values in by_level.items()}
    error = np.abs(p - y)
    scores["mae_by_latitude"] = _numbers(
        _over_levels(metrics.band_means(error, case.lat, case.area)).mean(axis=0)
    )
    scores["mae_by_regime"] = _regimes(case, error)
    scores["extremes"] = _extremes(np.asarray(field, np.float64), case.targets[name])
    return scores


def _over_levels(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=-1) if values.ndim == 3 else values


def _regimes(case: Case, error: np.ndarray) -> dict:
    """MAE within parts of the globe; a part that does not occur is left out."""
    error, found = _over_levels(error), {}
    for name, where in regimes(case).items():
        if where.any():
            found[name] = _number(error[where].mean())
    return found


def regimes(case: Case) -> dict[str, np.ndarray]:
    """Name → (time, ncol) boolean."""
    x, rain = case.inputs, case.targets["cam_out_PRECC"] * 8.64e7  # mm/day
    tropics = np.broadcast_to(np.abs(case.lat) <= 20, rain.shape)
    return {
        "land": x["cam_in_LANDFRAC"] > 0.5,
        "ocean": x["cam_in_OCNFRAC"] > 0.5,
        "sea ice": x["cam_in_ICEFRAC"] > 0.5,
        "day": x["pbuf_COSZRS"] > 0,
        "night": x["pbuf_COSZRS"] <= 0,
        "tropics": tropics,
        "dry (< 0.1 mm/day)": rain < 0.1,
        "rain (1 to 20 mm/day)": (rain >= 1) & (rain < 20),
        "heavy rain (> 20 mm/day)": rain >= 20,
    }


def _extremes(field: np.ndarray, target: np.ndarray) -> dict:
    """High quantiles of |x| of prediction and target, raw units: does the emulator reach the extremes?"""
    levels = (0.99, 0.999, 0.9999)
    pairs = zip(np.quantile(np.abs(field), levels), np.quantile(np.abs(target), levels), strict=True)
    return {f"{level:g}": [_number(p), _number(t)] for level, (p, t) in zip(levels, pairs, strict=True)}


def _versus(errors: dict, reference: dict, counts: np.ndarray) -> dict:
    """Ratios of MAE to the reference's with intervals and a verdict, per variable and on average over V1."""
    common = [n for n in V1_TARGETS if n in errors and n in reference]
    found = {}
    for name in common:
        ratio = bootstrap.ratio_interval(errors[name], reference[name], counts)
        found[name] = {**_interval(ratio), "verdict": bootstrap.verdict(ratio)}
    if common:
        ours, theirs = (np.stack([e[n] for n in common]) for e in (errors, reference))
        ratio = bootstrap.mean_ratio_interval(ours, theirs, counts)
        found["mean of V1"] = {**_interval(ratio), "verdict": bootstrap.verdict(ratio)}
    return found


def _economy(entry: dict, emulation: Emulation) -> dict:
    """Skill (mean pooled R² of the ten V1 variables, capped at 0) per million parameters and per MFLOP."""
    skills = [entry["variables"][n]["r2_pooled_capped"] for n in V1_TARGETS if n in entry["variables"]]
    skill = float(np.mean(skills)) if skills else None
    per = {"skill": skill}
    if skill is not None and emulation.parameters:
        per["skill_per_million_parameters"] = skill / (emulation.parameters / 1e6)
    if skill is not None and emulation.flops:
        per["skill_per_megaflop"] = skill / (emulation.flops / 1e6)
    return per


def calibration(samples: np.ndarray, target: np.ndarray) -> dict:
    """Of an ensemble (n, time, ncol[, nlev]): CRPS, spread over error, rank histogram of the target."""
    n = samples.shape[0]
    rank = (samples < target[None]).sum(axis=0)
    histogram = np.bincount(rank.ravel(), minlength=n + 1) / rank.size
    spread = np.sqrt(samples.var(axis=0, ddof=1).mean())
    error = np.sqrt(np.square(samples.mean(axis=0) - target).mean())
    return {
        "crps": _number(np.mean(metrics.crps(samples, target))),
        "spread_over_error": _number(spread * np.sqrt((n + 1) / n) / error),
        "rank_histogram": _numbers(histogram),
    }


def _interval(interval: bootstrap.Interval) -> dict:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _number(value) -> float | None:
    value = float(value)
    return value if np.isfinite(value) else None


def _numbers(values: np.ndarray) -> list[float | None]:
    return [_number(v) for v in np.asarray(values).ravel()]


def band_labels() -> list[str]:
    """Names of the 18 latitude bands."""
    return [f"{low:+.0f} to {high:+.0f}" for low, high in pairwise(metrics.BAND_EDGES)]
