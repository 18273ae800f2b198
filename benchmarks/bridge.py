"""Time per call of a perceptron 32-64-32: Fortran → bundle against Python numpy → jit → numpy, in one run.

python benchmarks/bridge.py            # builds _build/bridge_release if it is not there
python benchmarks/bridge.py --export perceptron.bundle [--platforms cpu,cuda]     # the bundle alone
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from subgrid.contracts.bundle import Field
from subgrid.fortran_bridge.plugins import find_plugin
from subgrid.jax_models.export import export_bundle

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build" / "bridge_release"
BATCHES = (1, 64, 4096)
SPAN = 1.0  # s of calls for each batch size


def parameters() -> dict[str, jax.Array]:
    """Weights of 32-64-32, scaled so that the outputs are of order one."""
    keys = jax.random.split(jax.random.key(0), 2)
    return {
        "first": jax.random.normal(keys[0], (32, 64), jnp.float32) / 32**0.5,
        "second": jax.random.normal(keys[1], (64, 32), jnp.float32) / 64**0.5,
    }


def perceptron(weights: dict, x: jax.Array) -> jax.Array:
    """(batch, 32) → (batch, 32)."""
    return jnp.tanh(x @ weights["first"]) @ weights["second"]


def export(path: Path, platforms: tuple[str, ...]) -> None:
    """The perceptron as a bundle."""
    export_bundle(
        path,
        perceptron,
        parameters(),
        inputs=[Field("x", "float32", (32,))],
        outputs=[Field("y", "float32", (32,))],
        check_inputs=[np.random.default_rng(0).normal(size=(8, 32)).astype(np.float32)],
        name="perceptron",
        description="a multilayer perceptron 32-64-32",
        batch_sizes=BATCHES,
        platforms=platforms,
        overwrite=True,
    )


def build() -> Path:
    """The Fortran program, in an optimised build that runs on other machines too (no -march=native)."""
    if not (BUILD / "build.ninja").is_file():
        subprocess.run(
            ["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    subprocess.run(["ninja", "-C", BUILD, "bridge_calls"], check=True, stdout=subprocess.DEVNULL)
    return BUILD / "bin" / "bridge_calls"


def fortran_microseconds(bundle: Path) -> dict[int, float]:
    """Median µs per call for each batch size."""
    environment = os.environ | {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "SUBGRID_PJRT_PLUGIN_CPU": str(find_plugin("cpu")),
    }
    command = [build(), "cpu", bundle, *map(str, BATCHES)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    rows = [line.split() for line in output.splitlines() if not line.startswith("#")]
    return {int(row[0]): float(row[1]) for row in rows}


def python_microseconds(batch: int) -> float:
    """Median µs of numpy → jit → numpy with the weights on the device."""
    weights, function = parameters(), jax.jit(perceptron)
    x = np.random.default_rng(1).normal(size=(batch, 32)).astype(np.float32)
    for _ in range(20):
        np.asarray(function(weights, x))
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < SPAN:
        before = time.perf_counter()
        np.asarray(function(weights, x))
        times.append(time.perf_counter() - before)
    return 1e6 * float(np.median(times))


def main() -> None:
    """Print one line for each batch size."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--export", type=Path, metavar="BUNDLE")
    arguments.add_argument("--platforms", default="cpu")
    chosen = arguments.parse_args()
    if chosen.export:
        export(chosen.export, tuple(chosen.platforms.split(",")))
        return
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "perceptron.bundle"
        export(bundle, ("cpu",))
        fortran = fortran_microseconds(bundle)
    print("  batch   Fortran, µs    Python, µs   Python / Fortran")
    for batch in BATCHES:
        python = python_microseconds(batch)
        print(f"{batch:7d}{fortran[batch]:14.1f}{python:14.1f}{python / fortran[batch]:19.1f}")


if __name__ == "__main__":
    main()
