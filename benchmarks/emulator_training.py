"""How many columns per second does training take, and what fraction of the chip's matrix peak is that?

python benchmarks/emulator_training.py [--emulator unet …] [--batch 1024] [--compute bfloat16] [--out FILE]

One device. The peak is that of a large matrix product in the same run, in the same type (float32 products run
as the device runs them by default, TF32 on recent GPUs). Operations of a training step are counted in its
program, loops turn by turn. `step` is the compiled step on one batch that lies on the device; `loop` draws
batches as training does.
"""

import argparse
import contextlib
import dataclasses
import fcntl
import json
import time
from pathlib import Path

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
from flax import nnx

from subgrid.contracts.feature_sets import feature_set
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.emulator_training import config_of, supervised
from subgrid.jax_models.program_cost import count_flops
from subgrid.jax_models.recipes import recipe
from subgrid.jax_models.training_set import TrainingSet, shuffled_batches
from subgrid.jax_models.training_step import make_advance, make_optimizer

EMULATORS = ("mlp", "unet", "bilstm", "res_lstm", "convnext")


SHARES = 5


def seconds_per_call(run, seconds: float, turn: Path | None) -> float:
    """Best of five shares of `seconds`; `run(n)` makes n calls and waits for the last.

    turn: a file that is locked meanwhile, so that programs that compile side by side are timed in turn.
    """
    run(2)
    with contextlib.nullcontext() if turn is None else turn.open("w") as file:
        if file:
            fcntl.flock(file, fcntl.LOCK_EX)
        start = time.perf_counter()
        run(3)
        once = (time.perf_counter() - start) / 3
        calls = max(3, int(seconds / SHARES / once))
        shares = []
        for _ in range(SHARES):
            start = time.perf_counter()
            run(calls)
            shares.append((time.perf_counter() - start) / calls)
    return min(shares)


def matrix_peak(compute: str, size: int, **timing) -> float:
    """FLOP/s of a product of two random square matrices."""
    a, b = (jax.random.normal(jax.random.key(i), (size, size), jnp.dtype(compute)) for i in range(2))
    product = jax.jit(jnp.matmul)

    def run(calls):
        for _ in range(calls):
            c = product(a, b)
        c.block_until_ready()

    return 2 * size**3 / seconds_per_call(run, **timing)


def training_rates(name: str, compute: str, batch: int, columns, **timing) -> dict[str, float]:
    """Columns per second of the step and of the loop, and operations of a step per column."""
    chosen = dataclasses.replace(recipe(name), compute=compute, batch=batch)
    data = TrainingSet(columns, feature_set(chosen.features))
    batch = min(batch, len(data))
    emulator, weights = chosen.build(data, nnx.Rngs(0)), chosen.weigh(data)
    config, loss = config_of(chosen, chosen.epochs, len(data)), supervised(chosen, weights)
    graphdef, params, stats, rest = nnx.split(emulator, nnx.Param, nnx.BatchStat, ...)
    arrays = {"inputs": data.inputs, "targets": data.targets, "row": np.arange(len(data), dtype=np.int32)}
    if weights.ndim == 2:
        arrays["weights"] = weights
    batch_at = shuffled_batches(arrays, size=batch, seed=0)
    advance, first = make_advance(graphdef, loss, config), jax.device_put(batch_at(0))
    ema = jax.tree.map(jnp.array, {"params": params, "stats": stats})
    state = [params, stats, ema, make_optimizer(config).init(params)]
    program = jax.export.export(jax.jit(advance.__wrapped__))(*state, rest, first)
    operations = count_flops(program.mlir_module_serialized)

    def runner(source):
        def run(calls):
            for step in range(calls):
                *state[:], value = advance(*state, rest, source(step))
            value.block_until_ready()

        return run

    step = seconds_per_call(runner(lambda _: first), **timing)
    loop = seconds_per_call(runner(batch_at), **timing)
    return {"step": batch / step, "loop": batch / loop, "flops_per_column": operations / batch}


def main() -> None:
    """Measure, print, and write the file if one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", nargs="+", default=EMULATORS)
    parser.add_argument("--compute", nargs="+", default=("bfloat16", "float32"))
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--matrix", type=int, default=8192)
    parser.add_argument("--steps", type=int, default=12, help="mock time steps of 384 columns")
    parser.add_argument("--turn", type=Path, help="file to lock while the device is timed")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    timing = {"seconds": arguments.seconds, "turn": arguments.turn}
    columns = mock_columns(arguments.steps, ncol=384, seed=0)
    results = {"device": jax.devices()[0].device_kind, "peak": {}, "training": {}}
    for compute in arguments.compute:
        results["peak"][compute] = peak = matrix_peak(compute, arguments.matrix, **timing)
        print(f"{results['device']}, {compute}: matrix product {peak / 1e12:.1f} TFLOP/s", flush=True)
        for name in arguments.emulator:
            found = training_rates(name, compute, arguments.batch, columns, **timing)
            found["fraction_of_peak"] = found["step"] * found["flops_per_column"] / peak
            results["training"][f"{name} {compute}"] = found
            print(
                f"  {name:<13} step {found['step']:>11,.0f}  loop {found['loop']:>11,.0f} columns/s   "
                f"{found['flops_per_column'] / 1e6:>9,.1f} MFLOP a column   "
                f"{100 * found['fraction_of_peak']:.1f} % of the peak",
                flush=True,
            )
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


main()
