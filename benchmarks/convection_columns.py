"""Time of the convection scheme per column by outcome, mode and kind, on one core and two threads.

    OMP_NUM_THREADS=1 python benchmarks/convection_columns.py [--columns 4096]

WRF's own routine took about 70 (deep), 50 (shallow) and 15 (inactive) µs with -O2 on one noisy core and about
50 levels. Here the columns of each outcome are generated ones with 36 to 60 levels. `cpu` is the processor
time of one thread, which other jobs disturb least; the speed-up is of wall-clock times.
"""

import argparse
import time

import numpy as np

from subgrid.sims.convection.mskf import convect
from subgrid.sims.soundings.generator import draw_batch

OUTCOMES = {"deep": (1,), "shallow": (2,), "inactive": (-1,)}
REPEATS = 5


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


def best_time(columns: dict[str, np.ndarray], clock=time.perf_counter, **options) -> float:
    """Shortest of REPEATS runs per column [µs]; the shortest is least disturbed by other jobs."""
    times = []
    for _ in range(REPEATS):
        start = clock()
        convect(columns, **options)
        times.append(clock() - start)
    return 1e6 * min(times) / columns["t"].shape[0]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=4096, help="columns of each outcome")
    count = parser.parse_args().columns
    header = ("outcome", "mode", "kind", "cpu", "cpu 2/1", "1 thread", "2 threads", "speed-up")
    print("{:<10}{:<8}{:<8}{:>8}{:>9}{:>10}{:>11}{:>10}   µs per column".format(*header))
    for outcome, codes in OUTCOMES.items():
        columns = columns_of(codes, count)
        for mode in ("clean", "match"):
            for precision in ("double", "single"):
                options = {"mode": mode, "precision": precision}
                cpu, both = (best_time(columns, time.process_time, threads=n, **options) for n in (1, 2))
                one, two = (best_time(columns, threads=n, **options) for n in (1, 2))
                row = f"{outcome:<10}{mode:<8}{precision:<8}{cpu:>8.1f}{both / cpu:>9.2f}"
                print(f"{row}{one:>10.1f}{two:>11.1f}{one / two:>10.2f}")


if __name__ == "__main__":
    main()
