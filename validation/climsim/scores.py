"""All scores of one or more emulators against the same columns, as one nested dictionary of plain numbers."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ...contracts.errors import InputError
from ...contracts.variables import V1_TARGETS, variable
from . import bootstrap, metrics
from .calibration import Calibration
from .invariants import residuals
from .regimes import extremes, means_within, regimes

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

    def energy(self, name: str, values: np.ndarray, times: slice = slice(None)) -> np.ndarray:
        """`values` (…, time, ncol[, nlev]) at `times` in W m⁻², area weight inside."""
        return metrics.energy(name, values, self.mass[times], self.area_weight)


@dataclass(frozen=True)
class Emulation:
    """One emulator's outputs name → (time, ncol[, nlev]) raw, what its members say, and what it costs."""

    name: str
    outputs: dict[str, np.ndarray]
    parameters: int = 0
    flops: float = 0.0  # per column
    calibration: dict[str, Calibration] = field(default_factory=dict)


def score(case: Case, emulations: list[Emulation], *, reference: str | None = None, seed: int = 0) -> dict:
    """Scores of all emulators: per variable, level, latitude band and regime; intervals; invariants.

    reference: the emulator against which ratios of MAE are formed; default the first.
    """
    names = [e.name for e in emulations]
    require_names(names, reference)
    reference = reference or names[0]
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
                name: _variable_scores(case, name, values, counts, per_step[emulation.name][name])
                for name, values in emulation.outputs.items()
                if name in case.targets
            },
            "ensemble": {
                name: found.result()
                | {"crps_interval": _interval(bootstrap.mean_interval(found.per_step, counts))}
                for name, found in emulation.calibration.items()
            },
            "invariants": residuals(emulation.outputs, case.inputs, case.mass, case.area),
            "versus_reference": _versus(per_step[emulation.name], per_step[reference], counts),
        }
        entry["economy"] = _economy(entry, emulation)
        result["models"][emulation.name] = entry
    result["pairs"] = {
        one: {other: _mean_ratio(per_step[one], per_step[other], counts) for other in names if other != one}
        for one in names
    }
    return result


def require_names(names: list[str], reference: str | None = None) -> None:
    """Refuse, with an InputError, two models of one name and a reference that is none of them."""
    if reference and reference not in names:
        raise InputError(f"The reference {reference!r} is not among the models {', '.join(names)}.")
    if len(set(names)) != len(names):
        raise InputError(f"Two models have one name ({', '.join(names)}); rename a bundle.")


def _per_step_errors(case: Case, emulation: Emulation) -> dict[str, np.ndarray]:
    """name → (time,) area-weighted mean absolute error in W m⁻²."""
    errors = {}
    for name, values in emulation.outputs.items():
        if name in case.targets:
            error = np.abs(case.energy(name, values) - case.energy(name, case.targets[name]))
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
    scores["mae_by_regime"] = means_within(regimes(case.inputs, case.targets, case.lat), _over_levels(error))
    scores["extremes"] = extremes(np.asarray(field, np.float64), case.targets[name])
    return scores


def _over_levels(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=-1) if values.ndim == 3 else values


def _versus(errors: dict, reference: dict, counts: np.ndarray) -> dict:
    """Ratios of MAE to the reference's with intervals and a verdict, per variable and on average over V1."""
    found = {}
    for name in V1_TARGETS:
        if name in errors and name in reference:
            ratio = bootstrap.ratio_interval(errors[name], reference[name], counts)
            found[name] = {**_interval(ratio), "verdict": bootstrap.verdict(ratio)}
    return found | {"mean of V1": _mean_ratio(errors, reference, counts)}


def _mean_ratio(errors: dict, reference: dict, counts: np.ndarray) -> dict:
    common = [n for n in V1_TARGETS if n in errors and n in reference]
    ours, theirs = (np.stack([e[n] for n in common]) for e in (errors, reference))
    ratio = bootstrap.mean_ratio_interval(ours, theirs, counts)
    return {**_interval(ratio), "verdict": bootstrap.verdict(ratio)}


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


def _interval(interval: bootstrap.Interval) -> dict:
    return {key: _number(getattr(interval, key)) for key in ("value", "low", "high")}


def _number(value) -> float | None:
    value = float(value)
    return value if np.isfinite(value) else None


def _numbers(values: np.ndarray) -> list[float | None]:
    return [_number(v) for v in np.asarray(values).ravel()]


def band_labels() -> list[str]:
    """Names of the 18 latitude bands."""
    return [f"{low:+.0f} to {high:+.0f}" for low, high in pairwise(metrics.BAND_EDGES)]
