"""How fast are columns read, and how much memory does packing take?

python benchmarks/emulator_reading.py RAW_FOLDER GRID.nc [--steps 200]

RAW_FOLDER holds mli/mlo pairs; they are read over and over under new dates until `--steps` are packed. MB/s
count the float32 bytes that a model gets: for the raw reader, for a plain netCDF4 loop over the same
variables, and for the shuffled stream of the store. Memory is the
peak of the process after 20 steps and at the end.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

from subgrid.contracts.variables import RAW_INPUTS, STATE, SURFACE_OUT, feature_set
from subgrid.jax_models.data.climsim_raw import find_pairs, read_pair
from subgrid.jax_models.data.grid import read_grid
from subgrid.jax_models.data.store import write_store
from subgrid.jax_models.data.stream import stream_batches


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def plain_loop(pair) -> int:
    """What a script would do: open both files and read the variables one by one; returns float32 bytes."""
    size = 0
    for path, names in ((pair.inputs, RAW_INPUTS), (pair.outputs, (*STATE, *SURFACE_OUT))):
        with netCDF4.Dataset(str(path)) as dataset:
            size += sum(np.asarray(dataset[name][...], np.float32).nbytes for name in names)
    return size


def megabytes_per_second(work, seconds: float = 5.0) -> float:
    """Of `work()`, which returns bytes."""
    work()
    total, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        total += work()
    return total / 1e6 / (time.perf_counter() - start)


def main() -> None:
    """Pack, then read, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("grid", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    arguments = parser.parse_args()
    pairs, grid = find_pairs(arguments.raw), read_grid(arguments.grid)
    early = []

    def steps():
        for i in range(arguments.steps):
            if i == 20:
                early.append(peak_mib())
            yield 80101 + i // 72, i % 72 * 1200, read_pair(pairs[i % len(pairs)])

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "b.zarr"
        start = time.perf_counter()
        write_store(store, steps(), grid, capacity=arguments.steps)
        spent = time.perf_counter() - start
        late = peak_mib()
        print(f"packing {arguments.steps} steps: {spent:.1f} s, {arguments.steps / spent:.1f} steps/s; "
              f"peak memory {early[0]:.0f} MiB after 20 steps, {late:.0f} MiB at the end")  # fmt: skip
        plain = megabytes_per_second(lambda: plain_loop(pairs[0]))
        ours = megabytes_per_second(lambda: sum(f.nbytes for f in read_pair(pairs[0]).values()))
        batch_at = stream_batches(store, feature_set("V2"), batch=384, group=16)
        counter = iter(range(10**9))

        def stream() -> int:
            batch = batch_at(next(counter))
            return sum(a.nbytes for a in batch.values())

        streamed = megabytes_per_second(stream)
    print(f"reading: plain netCDF4 loop {plain:.0f} MB/s")
    print(f"raw reader with all checks {ours:.0f} MB/s (ours/plain {ours / plain:.2f})")
    print(f"shuffled stream from the store {streamed:.0f} MB/s (ours/plain {streamed / plain:.2f})")


main()
