"""How many columns a second, beside PyTorch and onnxruntime, for the same MLP and Bi-LSTM?

[chrt -r 1] python benchmarks/emulator_inference.py --peer-python VENV/bin/python [--rounds 7] [--out X.json]

Ours are the bundle as JAX hosts run it and the bundle as Fortran hosts run it (the bridge). Everybody has one
thread and one core (`chrt -r 1` keeps others off it), the same weights and the same inputs, 384 or 10,000
columns a call; outputs are compared before rates are. Rounds alternate between all, so that other work on the
machine meets everybody; the ratio is the median over rounds of ratios within a round. The peers run in a
Python of their own (`pip install torch onnxruntime onnx`).
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import numpy as np
from flax import nnx

from subgrid.contracts.bundle import Field
from subgrid.fortran_bridge.bundle_runner import BundleModel
from subgrid.jax_models.bundle_model import load
from subgrid.jax_models.export import export_bundle
from subgrid.jax_models.networks.bilstm import VerticalBiLSTM
from subgrid.jax_models.networks.layout import as_column
from subgrid.jax_models.networks.mlp import MLP

BATCHES = (384, 10_000)
CHECKED = 384  # columns on which all are compared
PEERS = ("onnxruntime", "torch")
OURS = ("JAX host", "Fortran host")
Rate = tuple[float, float]


def rate(run: Callable, x: np.ndarray, seconds: float) -> Rate:
    """Columns per second of wall and of CPU time."""
    calls, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        jax.block_until_ready(run(x))
        calls += 1
    return calls * len(x) / (time.perf_counter() - wall), calls * len(x) / (time.process_time() - cpu)


def weights_of(mlp: MLP, lstm: VerticalBiLSTM) -> dict[str, np.ndarray]:
    """Plain arrays under names that the peers know."""
    arrays = {}
    for i, layer in enumerate(mlp.layers):
        arrays |= {f"mlp_{i}_kernel": layer.kernel[...], f"mlp_{i}_bias": layer.bias[...]}
    for i, layer in enumerate(lstm.layers):
        for side in ("down", "up"):
            for kind in ("kernel", "recurrent", "bias", "recurrent_bias"):
                arrays[f"lstm_{i}_{side}_{kind}"] = getattr(getattr(layer, side), kind)[...]
    arrays |= {"exit_kernel": lstm.exit.kernel[...], "exit_bias": lstm.exit.bias[...]}
    return {name: np.asarray(a) for name, a in arrays.items()}


def layers_of(lstm: VerticalBiLSTM, column: jax.Array) -> jax.Array:
    """The network on columns (batch, 60, channels), as the peers have it."""
    for layer in lstm.layers:
        column = layer(column)
    return lstm.exit(column)


def bundled(folder: Path, name: str, model: nnx.Module, call: Callable, x: np.ndarray) -> dict[str, Callable]:
    """Runs of the model through a bundle with batch size 384, by host."""
    graphdef, state = nnx.split(model)
    out = np.asarray(jax.jit(lambda s, v: call(nnx.merge(graphdef, s), v))(state, x[:2]))
    export_bundle(
        folder / f"{name}.bundle",
        lambda s, v: call(nnx.merge(graphdef, s), v),
        state,
        inputs=[Field("x", "float32", x.shape[1:])],
        outputs=[Field("y", "float32", out.shape[1:])],
        check_inputs=[x[:4]],
        name=name,
        description="benchmark",
        batch_sizes=(384,),
        platforms=("cpu",),
    )
    inside = jax.jit(load(folder / f"{name}.bundle"))
    compile_once = cache(lambda shape: inside.lower(jax.ShapeDtypeStruct(shape, np.float32)).compile())
    bridge = BundleModel(folder / f"{name}.bundle", device="cpu")
    return {"JAX host": lambda v: compile_once(v.shape)(v)[0], "Fortran host": lambda v: bridge(v)[0]}


def measure(runs: dict, inputs: dict, peers, arguments) -> dict:
    """{case: {who: [[wall, CPU] of each round]}}; stops if somebody computes other numbers."""
    found = {}
    for name in arguments.network:
        for batch in arguments.batch:
            x, case = (
                inputs[name][np.arange(batch) % len(inputs[name])],
                found.setdefault(f"{name} {batch}", {}),
            )
            first = [np.asarray(run(x[:CHECKED])) for run in runs[name].values()]
            expected = float(np.abs(first[0]).mean())
            np.testing.assert_allclose(first[1], first[0], atol=1e-4)
            runs[name]["JAX host"](x)  # compiled for this number of columns, too
            for _ in range(arguments.rounds):
                for who, run in runs[name].items():
                    case.setdefault(who, []).append(rate(run, x, arguments.seconds))
                for who in PEERS if peers else ():
                    peers.stdin.write(f"{who} {name} {batch} {arguments.seconds}\n")
                    peers.stdin.flush()
                    *rates, checksum = json.loads(peers.stdout.readline())
                    if abs(checksum - expected) > 1e-3 * expected:
                        raise SystemExit(
                            f"{who} computes other numbers for {name}: {checksum}, ours {expected}"
                        )
                    case.setdefault(who, []).append(rates)
    return found


def report(found: dict) -> None:
    """One line for each case and host of ours: best rates, and the ratios to the peers."""
    for case, rates in found.items():
        for who, rounds in rates.items():
            wall, cpu = np.max(rounds, axis=0)
            line = f"{case:<13}{who:<13}{wall:>9,.0f} columns/s {cpu:>9,.0f} columns/CPU s"
            for peer in PEERS if who in OURS else ():
                if peer in rates:
                    ratio = np.median(np.divide(rounds, rates[peer]), axis=0)
                    line += f"   {ratio[1]:.2f} of {peer}"
            print(line)


def main() -> None:
    """Measure, compare, print, and write the file if one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.7, help="of each turn")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--batch", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--network", nargs="+", choices=("mlp", "bilstm"), default=("mlp", "bilstm"))
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    mlp = MLP(124, 128, rngs=nnx.Rngs(0))
    lstm = VerticalBiLSTM(124, 128, rngs=nnx.Rngs(1), scalars_in=4)
    x = np.random.default_rng(0).normal(size=(1000, 124)).astype(np.float32)
    inputs = {"mlp": x, "bilstm": np.asarray(as_column(x, 2))}
    with tempfile.TemporaryDirectory() as name:
        folder, peers = Path(name), None
        runs = {
            "mlp": bundled(folder, "mlp", mlp, lambda m, v: m(v), x),
            "bilstm": bundled(folder, "bilstm", lstm, layers_of, inputs["bilstm"]),
        }
        if arguments.peer_python:
            np.savez(folder / "w.npz", **weights_of(mlp, lstm), **{f"{k}_x": v for k, v in inputs.items()})
            command = [arguments.peer_python, Path(__file__).with_name("emulator_peers.py"), folder / "w.npz"]
            peers = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        found = measure(runs, inputs, peers, arguments)
        if peers:
            peers.communicate()
    report(found)
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")


main()
