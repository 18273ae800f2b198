"""The scheme in time: constant forcing, hold by NCA, calls every `stepcu` steps (docs/physics/mskf.md)."""

from collections.abc import Callable, Mapping

import numpy as np

from ...contracts.columns import CODES, STATE, STATE_PROFILES
from .mskf import KINDS, convect

# advance_ppt clears these when the hold ends; wind tendencies and rain rate outlive it until the next call.
CLEARED = ("rthcuten", "rqvcuten", "rqccuten", "rqrcuten", "rqicuten", "rqscuten")
LEAST_VAPOUR = 1e-8  # [kg kg-1]


@np.errstate(divide="ignore", invalid="ignore")  # a step or period of 0: the scheme refuses the sequence
def march(
    column: Mapping[str, np.ndarray],
    steps: int,
    *,
    mode: str = "clean",
    precision: str = "double",
    threads: int | None = None,
    progress: Callable[..., None] = lambda done, total: None,
) -> dict[str, np.ndarray]:
    """March columns under constant forcing and a sinusoidal vertical velocity.

    Each step: the scheme where it is called, then
        θ += dt (rthcuten + th_forcing),  q = max(q + dt (rqvcuten + qv_forcing), 1e-8),  T = π θ,
    then rain and the countdown of NCA. w(step) = w_base [1 + w_amplitude sin(2π (step - 1) dt/w_period)].

    Args:
        column: inputs of `mskf.convect` without w and w0avg; `t` and `qv` are the initial profiles. And
            `th_forcing` [K s-1], `qv_forcing` [kg kg-1 s-1] (columns, levels), `w_base` [m s-1]
            (columns, levels + 1), `w_amplitude` [1] and `w_period` [s] (columns,).
        steps: number of time steps.
        progress: called as `progress(done, total)` in steps.

    Returns:
        (columns, steps, ...) arrays: `t` and `qv` at the start of each step, `STATE` and the codes
        after the call, `called`, `nca_in`, `nca_end` [s] and the accumulated rain `rainc` [mm].
    """
    kind = KINDS[precision]
    column = without_fill(column)
    dt = np.asarray(column["dt"], kind)
    theta = np.asarray(column["t"], kind) / np.asarray(column["pi"], kind)
    now = {name: np.array(values) for name, values in column.items()}
    now["w0avg"] = np.zeros_like(theta)
    now["nca"] = np.full(theta.shape[0], -100.0)
    rain = np.zeros(theta.shape[0])
    record: dict[str, list[np.ndarray]] = {}
    for step in range(1, steps + 1):
        keep(record, t=now["t"], qv=now["qv"], nca_in=now["nca"])
        call(now, step, mode=mode, precision=precision, threads=threads)
        keep(record, **{v.name: now[v.name] for v in STATE + CODES}, called=now["called"])
        theta = theta + dt[:, None] * (now["rthcuten"] + np.asarray(column["th_forcing"], kind))
        vapour = now["qv"] + dt[:, None] * (now["rqvcuten"] + np.asarray(column["qv_forcing"], kind))
        now["qv"] = np.maximum(vapour, kind(LEAST_VAPOUR))
        now["t"] = theta * np.asarray(column["pi"], kind)
        rain = rain + now["pratec"] * dt
        count_down(now, dt)
        keep(record, rainc=rain, nca_end=now["nca"])
        progress(step, steps)
    return {name: np.stack(values, axis=1) for name, values in record.items()}


def without_fill(column: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Harmless values in the levels above `nlev`, which the march updates like all others."""
    values = dict(column)
    for name, profile in values.items():
        if np.ndim(profile) == 2:
            used = np.arange(np.shape(profile)[1]) < np.asarray(column["nlev"])[:, None] + (name == "w_base")
            values[name] = np.where(used, profile, 1.0 if name == "pi" else 0.0)
    return values


def call(now: dict[str, np.ndarray], step: int, *, mode: str, precision: str, threads: int | None) -> None:
    """Run the scheme in the columns whose turn it is; the others keep what they have."""
    stepcu = np.asarray(now["stepcu"])
    called = (step == 1) | (stepcu == 1) | (step % np.maximum(stepcu, 1) == 0)
    phase = 2 * 3.14159265 * (step - 1) * np.asarray(now["dt"], float) / now["w_period"]
    now["w"] = now["w_base"] * (1 + now["w_amplitude"] * np.sin(phase))[:, None]
    count, levels = now["t"].shape
    for variable in STATE + CODES:
        shape = (count, levels) if variable in STATE_PROFILES else (count,)
        now.setdefault(variable.name, np.zeros(shape, np.int32 if variable in CODES else KINDS[precision]))
    answer = convect(
        {name: values[called] for name, values in now.items()},
        mode=mode,
        precision=precision,
        threads=threads,
    )
    now["exit_code"] = np.zeros(count, np.int32)
    for variable in STATE + CODES:
        now[variable.name] = now[variable.name].astype(answer[variable.name].dtype)
        now[variable.name][called] = answer[variable.name]
    now["called"] = called.astype(np.int8)


def count_down(now: dict[str, np.ndarray], dt: np.ndarray) -> None:
    """NCA -= dt while it runs; in its last step the heat and water tendencies end."""
    running = now["nca"] > 0
    ending = running & (np.rint(now["nca"] / dt) <= 1)
    for name in CLEARED:
        now[name] = np.where(ending[:, None], 0, now[name])
    now["nca"] = np.where(running, now["nca"] - dt, now["nca"])


def keep(record: dict[str, list[np.ndarray]], **values: np.ndarray) -> None:
    """Append a copy of each array to its list."""
    for name, value in values.items():
        record.setdefault(name, []).append(np.array(value))
