"""How many columns per CPU second, beside PyTorch and onnxruntime, for the same MLP and Bi-LSTM?

python benchmarks/emulator_inference.py --peer-python VENV/bin/python [--out FILE.json]

One thread each, the same weights and inputs, batch 384 and 10,000; outputs are compared before rates are.
The peers run in a Python of their own (`pip install torch onnxruntime onnx`).
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import numpy as np
from flax import nnx

from subgrid.jax_models.networks.bilstm import VerticalBiLSTM
from subgrid.jax_models.networks.layout import as_column
from subgrid.jax_models.networks.mlp import MLP

BATCHES = (384, 10_000)


def rate(run, x, seconds: float) -> float:
    """Columns per CPU second: the best of five equal shares of the time, after one warm call."""
    jax.block_until_ready(run(x))
    best = 0.0
    for _ in range(5):
        calls, start = 0, time.process_time()
        while time.process_time() - start < seconds / 5:
            jax.block_until_ready(run(x))
            calls += 1
        best = max(best, calls * len(x) / (time.process_time() - start))
    return best


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


def main() -> None:
    """Measure, compare, print, and write the file if one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--batch", type=int, nargs="+", default=BATCHES)
    arguments = parser.parse_args()
    mlp = MLP(124, 128, rngs=nnx.Rngs(0))
    lstm = VerticalBiLSTM(124, 128, rngs=nnx.Rngs(1), scalars_in=4)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 124)).astype(np.float32)
    column = np.asarray(as_column(x, 2))

    def layers(column):
        h = column
        for layer in lstm.layers:
            h = layer(h)
        return lstm.exit(h)

    ours = {"mlp": (jax.jit(mlp.__call__), x), "bilstm": (jax.jit(layers), column)}
    results = {"subgrid": {}}
    for name, (run, inputs) in ours.items():
        for batch in arguments.batch:
            given = inputs[np.arange(batch) % len(inputs)]
            checksum = float(np.abs(np.asarray(run(given))).mean())
            results["subgrid"][f"{name} {batch}"] = [rate(run, given, arguments.seconds), checksum]
    if arguments.peer_python:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "weights.npz"
            np.savez(
                file, **weights_of(mlp, lstm), mlp_x=x, bilstm_x=column, batches=np.array(arguments.batch)
            )
            peers = Path(__file__).with_name("emulator_peers.py")
            command = [arguments.peer_python, peers, file, str(arguments.seconds)]
            results |= json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    report(results)
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def report(results: dict) -> None:
    """One line a case: rates, ratios to ours, and whether all computed the same."""
    for case, (own, checksum) in results["subgrid"].items():
        line = f"{case:<14} subgrid {own:>10,.0f} columns/CPU s"
        for peer in ("onnxruntime", "torch"):
            if peer in results:
                theirs, other = results[peer][case]
                same = abs(other - checksum) < 1e-3 * checksum
                note = "" if same else ", OTHER NUMBERS"
                line += f"   {peer} {theirs:>10,.0f} (ours/theirs {own / theirs:.2f}{note})"
        print(line)


main()
