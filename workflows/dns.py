"""`subgrid dns CASE`: march a DNS and write its reference statistics file."""

import signal
import threading
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jax

from ..contracts.errors import InputError
from ..contracts.files import remove, require_absent
from ..contracts.reference import Reference, write_reference
from ..sims.turbulence2d.cases import get_case
from .dns_checkpoint import load_checkpoint, save_checkpoint
from .dns_plan import Plan, make_plan
from .dns_reference import make_reference
from .dns_run import DnsRun
from .progress import Progress, silent

CHECKPOINT_SECONDS = 120.0
Ending = Literal["complete", "time_limit", "interrupted"]


@dataclass(frozen=True)
class DnsOutcome:
    """How a run ended.

    ending: complete, time_limit (statistics so far are written, the checkpoint stays) or interrupted
        (checkpoint only).
    reference: what was written to `output`, None when interrupted.
    time_span: time sampled, dimensionless.
    """

    ending: Ending
    output: Path
    checkpoint: Path
    reference: Reference | None
    time_span: float
    seconds: float


def run_dns(
    case: str,
    grid: int = 1024,
    *,
    time: float = 60.0,
    spin_up: float = 100.0,
    dt: float | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    checkpoint: str | Path | None = None,
    max_seconds: float | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> DnsOutcome:
    """Spin up from random phases, sample for `time`, write the reference file; float64, JAX's default device.

    case, grid: name, and points per side.
    time, spin_up: dimensionless.
    dt: default the stable one.
    output: default `<case>.reference.nc` here.
    checkpoint: default beside it; an existing one is continued, with the statistics that an uninterrupted
        run has.
    max_seconds: stop after this wall time of this call and write what there is; the checkpoint stays.
    progress: told (done, total) work after every chunk.

    Ctrl-C writes a checkpoint and returns.

    Raises InputError (case, grid, times; too few samples), FileError (output exists, checkpoint of another
    run) and BlowUpError (the last checkpoint stays).
    """
    output = Path(output or f"{case}.reference.nc")
    checkpoint = Path(checkpoint or output.with_suffix(".checkpoint.npz"))
    plan = make_plan(get_case(case), grid, time=time, spin_up=spin_up, dt=dt, seed=seed)
    require_absent(output, overwrite=overwrite)
    require_absent(checkpoint, overwrite=True)
    with jax.enable_x64(True):
        run = load_checkpoint(checkpoint, plan) if checkpoint.exists() else DnsRun(plan)
        ending = _march(run, checkpoint, max_seconds, progress)
        save_checkpoint(checkpoint, run)
        reference = None if ending == "interrupted" else _write(run, output, checkpoint, overwrite=overwrite)
    if ending == "complete":
        remove(checkpoint)
    seconds = run.progress.seconds
    return DnsOutcome(
        ending, output, checkpoint, reference, len(run.progress.times) * _interval(plan), seconds
    )


def _march(run: DnsRun, checkpoint: Path, max_seconds: float | None, progress: Progress) -> Ending:
    began = saved = clock.monotonic()
    with _interruption() as interrupted:
        while not run.finished:
            run.advance()
            progress(*run.work, time=run.time)
            now = clock.monotonic()
            if interrupted.is_set():
                return "interrupted"
            if max_seconds is not None and now - began > max_seconds and not run.finished:
                return "time_limit"
            if now - saved > CHECKPOINT_SECONDS:
                save_checkpoint(checkpoint, run)
                saved = now
    return "complete"


def _write(run: DnsRun, output: Path, checkpoint: Path, *, overwrite: bool) -> Reference:
    if len(run.progress.times) < 2:
        raise InputError(
            f"The run ended with {len(run.progress.times)} samples and needs 2: give it more --max-seconds "
            f"(it continues from {checkpoint}) or --time."
        )
    reference = make_reference(run, _command(run.plan, len(run.progress.times)))
    write_reference(output, reference, overwrite=overwrite)
    return reference


def _interval(plan: Plan) -> float:
    return plan.sampling.chunk * plan.sampling.dt


def _command(plan: Plan, samples: int) -> str:
    """The command line that makes the same run."""
    time = samples * _interval(plan)
    return (
        f"subgrid dns {plan.case.name} --grid {plan.sampling.grid} --time {time:g} "
        f"--spinup {plan.spin_up_time:g} --dt {plan.sampling.dt!r} --seed {plan.seed}"
    )


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, so that the chunk is finished first; a second Ctrl-C stops at once.

    Only the main thread may handle signals: elsewhere KeyboardInterrupt acts as usual.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    previous = signal.getsignal(signal.SIGINT)

    def handle(number, frame):
        event.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, handle)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)
