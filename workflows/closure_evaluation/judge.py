"""The LES that judges closures on one grid."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...contracts.reference import Reference
from ...envs.closure_env import ClosureEnv
from ...envs.initial_states import largest_speed, stored_states
from ...sims.turbulence2d.cases import get_case
from ...sims.turbulence2d.numerics import Numerics, check_advection, longest_step
from ..closure_rl import ClosureRl, make_environment, read_config


def grid_environment(
    closures: Mapping[str, Path], reference: Reference, grid: int | None = None, dt: float | None = None
) -> ClosureEnv:
    """The LES that judges: of the reference's case, without dealiasing; grid, time step, time that an action
    lasts and the reward of the tuning are those of the first policy file among `closures` unless given.

    A time step that is not given is halved until Runge-Kutta 4 carries the velocities of the reference.
    Raises InputError for a given one that is too long, and for a grid that does not carry the forcing.
    """
    policies = [path for path in closures.values() if path.suffix == ".npz"]
    config = read_config(policies[0]) if policies else ClosureRl()
    like = make_environment(config)
    case, n = get_case(reference.attributes["case"]), like.n if grid is None else grid
    here = replace(like, case=case, n=n)
    speed = largest_speed(stored_states(reference, n))
    chosen = _halved(like.numerics.dt, longest_step(n, like.numerics.dealiasing, speed)) if dt is None else dt
    numerics = Numerics(dt=chosen, dealiasing=like.numerics.dealiasing)
    check_advection(n, numerics, speed)
    return replace(here, numerics=numerics, hold=max(1, round(like.interval / chosen)))


def _halved(dt: float, longest: float) -> float:
    """dt / 2^m with the smallest m that is not above `longest`."""
    return dt / 2 ** max(0, int(np.ceil(np.log2(dt / longest))))
