"""Time of the convection scheme per column by outcome, mode and kind, on one core and two threads.

    OMP_NUM_THREADS=1 python benchmarks/convection_columns.py [--columns 2048] [--json FILE.json]

WRF's own routine took about 70 (deep), 50 (shallow) and 15 (inactive) µs with -O2 on one noisy core and about
50 levels. Here the columns of each outcome are generated ones with 36 to 60 levels, in arrays of the kernel's
kind; the Python front end is timed with the kernel. `cpu` is the processor time of one thread, which other
jobs disturb least. `bound` is what two cores can give at all: the speed-up of two processes of one thread
each, side by side on columns of their own (their median against that of one alone). With --json, the table as
numbers.
"""

import argparse
import json
import multiprocessing
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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


def durations(run: Callable) -> np.ndarray:
    """Wall-clock and processor time of REPEATS runs, (REPEATS, 2) [s]."""
    taken = []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return np.array(taken)


def one_thread(columns: dict[str, np.ndarray], options: dict[str, str]) -> float:
    """Median wall-clock time of a call of one thread [s]."""
    return float(np.median(durations(partial(convect, columns, threads=1, **options))[:, 0]))


def measure(columns: dict[str, np.ndarray], options: dict[str, str], pool: ProcessPoolExecutor) -> dict:
    """One row of the table."""
    taken = [durations(partial(convect, columns, threads=threads, **options)) for threads in (1, 2, 1, 2)]
    one, two = np.concatenate(taken[::2]), np.concatenate(taken[1::2])
    alone = pool.submit(one_thread, columns, options).result()
    beside = [waiting.result() for waiting in [pool.submit(one_thread, columns, options) for _ in range(2)]]
    per_column = 1e6 / columns["t"].shape[0]
    return {
        "cpu": round(per_column * one[:, 1].min(), 2),
        "1 thread": round(per_column * one[:, 0].min(), 2),
        "2 threads": round(per_column * two[:, 0].min(), 2),
        "speed-up": round(one[:, 0].min() / two[:, 0].min(), 2),
        "bound": round(2 * alone / np.mean(beside), 2),
    }


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=2048, help="columns of each outcome")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    options = parser.parse_args()
    print("{:<10}{:<7}{:<8}{:>7}{:>10}{:>11}{:>10}{:>7}   µs per column".format(*HEADER))
    rows = []
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for outcome, codes in OUTCOMES.items():
            columns = columns_of(codes, options.columns)
            for mode in MODES:
                for precision, kind in KINDS.items():
                    choice = {"mode": mode, "precision": precision}
                    row = measure(of_kind(columns, kind), choice, pool)
                    rows.append({"outcome": outcome, "mode": mode, "kind": precision} | row)
                    form = "{:<10}{:<7}{:<8}{:>7.1f}{:>10.1f}{:>11.1f}{:>10.2f}{:>7.2f}"
                    print(form.format(*(rows[-1][name] for name in HEADER)), flush=True)
    if options.json:
        about = {"unit": "µs per column", "columns": options.columns, "machine": platform.machine()}
        options.json.write_text(json.dumps(about | {"rows": rows}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
