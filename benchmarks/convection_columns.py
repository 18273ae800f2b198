"""Time of the convection scheme per column by outcome, mode and kind, on one core and two threads.

    OMP_NUM_THREADS=1 python benchmarks/convection_columns.py [--columns 2048] [--json FILE.json]

WRF's own routine took about 70 (deep), 50 (shallow) and 15 (inactive) µs with -O2 on one noisy core and about
50 levels. Here the columns of each outcome are generated ones with 36 to 60 levels, in arrays of the kernel's
kind; the Python front end is timed with the kernel. `cpu` is the processor time of one thread, which other
jobs disturb least. `bound` is what two cores can give at all: the speed-up of two calls of one thread each,
side by side on arrays of their own. With --json, the table as numbers.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from subgrid.sims.convection.mskf import KINDS, MODES, convect
from subgrid.sims.soundings.generator import draw_batch

OUTCOMES = {"deep": (1,), "shallow": (2,), "inactive": (-1,)}
REPEATS = 25
HEADER = ("outcome", "mode", "kind", "cpu", "1 thread", "2 threads", "speed-up", "bound")


def columns_of(codes: tuple[int, ...], count: int) -> dict[str, np.ndarray]:
    """`count` generated columns with one of the outcomes."""
    found: list[dict[str, np.ndarray]] = []
    number, have = 0, 0
    while have < count:
        batch = draw_batch(np.random.default_rng([99, number]), 4096)
        rows = np.flatnonzero(np.isin(convect(batch)["exit_code"], codes))
        found.append({name: values[rows] for name, values in batch.items()})
        number, have = number + 1, have + rows.size
    return {name: np.concatenate([part[name] for part in found])[:count] for name in found[0]}


def of_kind(columns: dict[str, np.ndarray], kind: type) -> dict[str, np.ndarray]:
    """Real arrays in the kernel's kind."""
    return {
        name: values.astype(kind) if values.dtype.kind == "f" else values for name, values in columns.items()
    }


def best_times(runs: dict[str, Callable], columns: int) -> dict[str, tuple[float, float]]:
    """Shortest of REPEATS runs by wall clock and by processor time, taken in turn, per column [µs]."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: tuple(1e6 * np.min(taken, axis=0) / columns) for name, taken in times.items()}


def measure(columns: dict[str, np.ndarray], mode: str, precision: str, pool: ThreadPoolExecutor) -> dict:
    """One row of the table."""
    call = partial(convect, mode=mode, precision=precision)
    both = [{name: values.copy() for name, values in columns.items()} for _ in range(2)]
    runs = {
        "one": lambda: call(columns, threads=1),
        "two": lambda: call(columns, threads=2),
        "beside": lambda: list(pool.map(lambda own: call(own, threads=1), both)),
    }
    best = best_times(runs, columns["t"].shape[0])
    (one, cpu), (two, _), (beside, _) = best["one"], best["two"], best["beside"]
    return {
        "cpu": cpu,
        "1 thread": one,
        "2 threads": two,
        "speed-up": one / two,
        "bound": 2 * one / beside,
    }


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=2048, help="columns of each outcome")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    options = parser.parse_args()
    print("{:<10}{:<7}{:<8}{:>7}{:>10}{:>11}{:>10}{:>7}   µs per column".format(*HEADER))
    rows = []
    with ThreadPoolExecutor(2) as pool:
        for outcome, codes in OUTCOMES.items():
            columns = columns_of(codes, options.columns)
            for mode in MODES:
                for precision, kind in KINDS.items():
                    row = measure(of_kind(columns, kind), mode, precision, pool)
                    rows.append({"outcome": outcome, "mode": mode, "kind": precision} | row)
                    form = "{:<10}{:<7}{:<8}{:>7.1f}{:>10.1f}{:>11.1f}{:>10.2f}{:>7.2f}"
                    print(form.format(*(rows[-1][name] for name in HEADER)), flush=True)
    if options.json:
        about = {"unit": "µs per column", "columns": options.columns, "machine": platform.machine()}
        options.json.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
