"""How fast are columns packed and read, in how much memory, beside a plain netCDF4 loop?

python benchmarks/emulator_reading.py RAW_FOLDER GRID_FILE --folder SCRATCH [--days 30] [--out FILE.json]

Makes `--days` days of raw pairs (72 a day, 3 MB each) in SCRATCH from those of RAW_FOLDER with the times
changed, packs them, and reads both. Memory is the peak of a process that packs 1 day, and of one that packs
all.
"""

import argparse
import itertools
import json
import resource
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np

from subgrid.contracts.feature_sets import feature_set
from subgrid.contracts.variables import RAW_INPUTS, STATE, SURFACE_OUT
from subgrid.jax_models.data.climsim_raw import Pair, find_pairs, read_pair
from subgrid.jax_models.data.columns import inputs_of, stored_names, targets_of
from subgrid.jax_models.data.source import Source, open_source
from subgrid.jax_models.data.splits import Choice
from subgrid.jax_models.data.stream import Stream

STEPS_A_DAY = 72


def make_month(raw: Path, folder: Path, days: int) -> None:
    """Copies of the pairs of `raw` for every step of `days` days from February 0008 on; old ones are kept."""
    pairs = find_pairs(raw)
    contents = [[(p.inputs.read_bytes(), _places(p.inputs)), (p.outputs.read_bytes(), _places(p.outputs))]
                for p in pairs]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(days * STEPS_A_DAY):
        day, step = divmod(number, STEPS_A_DAY)
        month, day, tod = 2 + day // 28, 1 + day % 28, step * 1200
        for half, (content, places) in zip("io", contents[number % len(pairs)], strict=True):
            path = folder / f"E3SM-MMF.ml{half}.0008-{month:02d}-{day:02d}-{tod:05d}.nc"
            if path.is_file() and path.stat().st_size == len(content):
                continue
            changed = bytearray(content)
            for key, value in (("ymd", 80000 + month * 100 + day), ("tod", tod)):
                struct.pack_into(">i", changed, places[key], value)
            path.write_bytes(changed)


def _places(path: Path) -> dict[str, int]:
    """Byte offset of ymd and tod: that of the only big-endian integer with the right value."""
    content = path.read_bytes()
    with netCDF4.Dataset(str(path)) as dataset:
        wanted = {key: struct.pack(">i", int(dataset[key][...])) for key in ("ymd", "tod")}
    places = {key: content.rfind(value) for key, value in wanted.items()}
    assert all(content.count(value, places[key] - 64) == 1 for key, value in wanted.items())
    return places


def pack(raw: Path, grid: Path, out: Path, days: str) -> dict:
    """Pack in a process of its own: seconds, MB/s of raw bytes, peak MiB, one line of the command."""
    from subgrid.workflows import climsim

    pairs = find_pairs(raw, Choice(months=days))
    size = sum(p.inputs.stat().st_size + p.outputs.stat().st_size for p in pairs)
    start = time.perf_counter()
    climsim.pack(raw, out, grid=grid, months=days)
    spent = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"steps": len(pairs), "seconds": spent, "raw MB/s": size / 1e6 / spent, "peak MiB": peak}


def plain_loop(pair: Pair) -> int:
    """What a script would do: open both files and read the variables one by one; returns float32 bytes."""
    size = 0
    for path, names in ((pair.inputs, RAW_INPUTS), (pair.outputs, (*STATE, *SURFACE_OUT))):
        with netCDF4.Dataset(str(path)) as dataset:
            size += sum(np.asarray(dataset[name][...], np.float32).nbytes for name in names)
    return size


def stream_of(source: Source) -> Stream:
    """Shuffled V2 rows."""
    features = feature_set("V2")

    def rows_of(columns):
        return {"inputs": inputs_of(columns, features), "targets": targets_of(columns, features)}

    return Stream(source, rows_of, stored_names(features), batch=384, group=32)


def rates(work, seconds: float) -> tuple[float, float]:
    """MB of float32 per second of wall and of CPU time of `work()`, which returns bytes; one warm call."""
    work()
    total, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        total += work()
    return total / 1e6 / (time.perf_counter() - wall), total / 1e6 / (time.process_time() - cpu)


def reading(raw: Path, store: Path, grid: Path, seconds: float) -> dict:
    """Wall and CPU rates: the plain loop, the raw reader, streams from raw files and from the store."""
    pairs = itertools.cycle(find_pairs(raw))
    found = {
        "plain netCDF4 loop": rates(lambda: plain_loop(next(pairs)), seconds),
        "raw reader, all checks": rates(
            lambda: sum(f.nbytes for f in read_pair(next(pairs)).values()), seconds
        ),
    }
    for name, source in (
        ("shuffled stream, raw files", open_source(raw, grid=grid)),
        ("shuffled stream, store", open_source(store)),
    ):
        counter = itertools.count()
        with stream_of(source) as stream:
            found[name] = rates(
                lambda s=stream, c=counter: sum(a.nbytes for a in s(next(c)).values()), seconds
            )
    return found


def main() -> None:
    """Make, pack, read, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("grid", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--pack-only", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pack_only:
        out, months = arguments.pack_only
        sys.stdout.write(json.dumps(pack(arguments.raw, arguments.grid, Path(out), months)))
        return
    month = arguments.folder / "raw"
    make_month(arguments.raw, month, arguments.days)
    one_day = arguments.folder / "day"
    make_month(arguments.raw, one_day, 1)
    results = {}
    for name, folder in (("pack 1 day", one_day), (f"pack {arguments.days} days", month)):
        store = arguments.folder / f"{folder.name}.zarr"
        shutil.rmtree(store, ignore_errors=True)
        command = [sys.executable, __file__, folder, arguments.grid, "--folder", arguments.folder]
        done = subprocess.run(
            [*command, "--pack-only", store, ".*"], check=True, capture_output=True, text=True
        )
        results[name] = json.loads(done.stdout)
        print(name, {key: round(value, 1) for key, value in results[name].items()})
    results["store / raw bytes"] = _size(arguments.folder / "raw.zarr") / _size(month)
    results["reading"] = reading(month, arguments.folder / "raw.zarr", arguments.grid, arguments.seconds)
    plain = results["reading"]["plain netCDF4 loop"]
    for name, (wall, cpu) in results["reading"].items():
        print(f"{name:<28} {wall:6.0f} MB/s ({wall / plain[0]:.2f} of the loop)   {cpu:6.0f} MB/CPU s")
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
