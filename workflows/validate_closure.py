"""`subgrid validate closure`: learned closures beside their baselines in long runs from held-out states."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax

from ..contracts.errors import FileError
from ..contracts.reference import read_reference
from .closure_evaluation.grid import GridValidation, ValidationPlan, validate_grid
from .closure_evaluation.judge import grid_environment
from .closure_evaluation.learned import read_closure
from .closure_evaluation.store import PartStore, content_digest, origin_text
from .progress import Progress, silent

__all__ = ["Validation", "ValidationPlan", "numbers", "validate_closures"]


@dataclass(frozen=True)
class Validation:
    """What was found on every grid, and what was run."""

    grids: dict[int, GridValidation]
    plan: ValidationPlan


def validate_closures(
    closures: Mapping[str, Path],
    reference: Path,
    plan: ValidationPlan,
    *,
    grids: Sequence[int] = (),
    dt: float | None = None,
    parts: Path | None = None,
    progress: Progress = silent,
) -> Validation:
    """Judge learned closures (policy files and bundles by name) beside all baselines.

    grids: points a side, default that of the first policy. parts: directory that keeps finished runs, from
        which an interrupted evaluation continues.
    Before anything runs, FileError for a file that is missing, damaged or of another case, and InputError for
    a closure that does not fit a grid, a grid that does not carry the forcing, or too long a time step.
    """
    stored = read_reference(reference)
    for name, path in closures.items():
        if not path.exists():
            raise FileError(f"--closure {name}: there is no file {path}; give a policy file or a bundle.")
    environments = [grid_environment(closures, stored, grid, dt) for grid in grids or (None,)]
    digests = {f"closure {name}": content_digest(path) for name, path in closures.items()}
    learned = [
        {name: read_closure(name, path, environment, stored) for name, path in closures.items()}
        for environment in environments
    ]
    found = {}
    for number, environment in enumerate(environments):
        origin = origin_text(
            reference=stored.attributes["content_sha256"], environment=environment, plan=plan, **digests
        )

        def within(done: float, total: float, number: int = number, **values: float) -> None:
            progress(number + done / total, len(environments), **values)

        store = PartStore(parts and parts / str(environment.n), origin)
        found[environment.n] = validate_grid(
            learned[number], stored, environment, plan, store=store, progress=within
        )
    return Validation(found, plan)


def numbers(validation: Validation) -> dict[str, Any]:
    """Everything of a validation that goes into a JSON file."""
    first = next(iter(validation.grids.values()))
    return {
        "case": first.environment.case.name,
        "device": jax.devices()[0].device_kind,
        "plan": asdict(validation.plan),
        "grids": {str(n): _grid_numbers(found) for n, found in validation.grids.items()},
    }


def _grid_numbers(found: GridValidation) -> dict[str, Any]:
    return {
        "dt": found.environment.numerics.dt,
        "scores": found.scores,
        "natural_variability": found.natural,
        "dns_band": found.dns_band,
        "statistics": found.statistics,
        "target": found.target,
        "tuned": {name: asdict(best) for name, best in found.tuned.items()},
        "ensemble_kalman": {name: asdict(best) for name, best in found.kalman.items()},
        "policy_maps": {
            name: {
                "mean_action": policy_map.mean_action,
                "actions": policy_map.action_names,
                "invariants": policy_map.invariant_names,
                "correlation_with_invariants_and_transfer": policy_map.correlations(),
            }
            for name, policy_map in found.maps.items()
        },
        "survival": {
            name: {
                "time": survival.time,
                "fraction": survival.fraction,
                "ended": survival.ended,
                "moments": survival.moments,
            }
            for name, survival in found.survival.items()
        },
    }
