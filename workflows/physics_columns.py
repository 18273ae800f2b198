"""`subgrid physics columns`: training sets of generated columns, labelled by the convection scheme."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from ..contracts.columns_file import create_training_set, write_answers, write_inputs
from ..contracts.errors import InputError
from ..contracts.files import require_absent, writing
from ..sims.soundings.column import MOST_LEVELS
from ..sims.soundings.families import FAMILIES
from ..sims.soundings.generator import BATCH, labelled_batch
from .physics import require_options, summary
from .progress import Progress, silent


def generate_columns(
    target: Path,
    *,
    count: int,
    seed: int,
    mode: str = "clean",
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> str:
    """Write a training set of `count` labelled columns (contracts/columns_file.py) that `seed` determines.

    `workers` processes draw and label batches (all cores if None); the file does not depend on how many.
    """
    if count < 1:
        raise InputError(f"The number of columns is {count}; give at least 1.")
    require_options("double", mode)
    require_absent(target, overwrite=overwrite)
    codes = []
    attributes = {
        "mode": mode,
        "seed": str(seed),
        "families": " ".join(FAMILIES),
        "split": "by batch of 2048 columns (variable batch), never by single column",
    }
    with (
        writing(target, overwrite=overwrite) as temporary,
        create_training_set(temporary, count, MOST_LEVELS, attributes) as output,
    ):
        for name in ("family", "batch"):
            output.createVariable(name, "i4", ("column",), compression="zlib")
        for number, (columns, answer) in enumerate(batches(count, seed, mode, workers)):
            part = slice(number * BATCH, min((number + 1) * BATCH, count))
            write_inputs(output, part, columns)
            write_answers(output, part, answer, columns["nlev"])
            output["family"][part] = columns["family"]
            output["batch"][part] = number
            codes.append(answer["exit_code"])
            progress(part.stop, count)
    return summary(np.concatenate(codes), np.zeros(count), target)


def batches(count: int, seed: int, mode: str, workers: int | None) -> Iterator[tuple[dict, dict]]:
    """Labelled batches in order, drawn ahead by worker processes; the last one is cut to `count`."""
    sizes = [min(BATCH, count - start) for start in range(0, count, BATCH)]
    processes = min(workers or len(os.sched_getaffinity(0)), len(sizes))
    if processes == 1:
        for number, size in enumerate(sizes):
            yield cut(labelled_batch(seed, number, mode=mode), size)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        waiting = []
        for number in range(len(sizes) + 2 * processes):
            if number < len(sizes):
                waiting.append(pool.submit(labelled_batch, seed, number, mode=mode))
            done = number - 2 * processes
            if 0 <= done < len(sizes):
                yield cut(waiting[done].result(), sizes[done])
                waiting[done] = None  # bound the memory


def cut(batch: tuple[dict, dict], size: int) -> tuple[dict, dict]:
    """The first `size` columns."""
    return tuple({name: values[:size] for name, values in part.items()} for part in batch)
