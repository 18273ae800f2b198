"""Program of test_devices.py: trains on several virtual devices, alone or as one of several processes.

    python spread_training.py FOLDER [--alone-first] [--distributed] [--stop-early | --resume]

writes the weights of each algorithm to FOLDER/<algorithm>.npz and says how many devices took part; with
--alone-first one device does the same before, for FOLDER/alone. With --stop-early it makes one iteration of a
run of three and its checkpoint FOLDER/run, with --resume the rest.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import jax
import jax.numpy as jnp
import numpy as np
from conftest import CONFIGS, Regulator, make_network
from flax import nnx

from subgrid.jax_models.devices import is_first_process, join_processes, make_mesh
from subgrid.jax_models.rl import ppo, vracer
from subgrid.jax_models.rl.iteration import initial_state, make_iteration
from subgrid.jax_models.rl.training import train

ALGORITHMS = {"ppo": ppo, "vracer": vracer}


@dataclass(frozen=True)
class Wave(Regulator):
    """The regulator with its position through a Fourier transform and back, as a solver has it."""

    def step(self, key, state, action, params):
        x, elapsed = state
        field = jnp.fft.irfft2(jnp.fft.rfft2(jnp.broadcast_to(x, (4, 4))), s=(4, 4))
        return super().step(key, (field[0, 0], elapsed), action, params)


def main(folder: Path, devices: int | None = None) -> None:
    """Three iterations of both algorithms on `devices`, or all."""
    environment = Wave()
    folder.mkdir(exist_ok=True)
    for name, algorithm in ALGORITHMS.items():
        config = replace(CONFIGS[name], environments=16)
        network, mesh = make_network(environment), make_mesh(config.environments, devices)
        state = initial_state(environment, 0.0, network, algorithm, config, seed=0, mesh=mesh)
        graphdef, _, _ = nnx.split(network, nnx.Param, ...)
        iterate = make_iteration(environment, graphdef, algorithm, config, mesh).lower(state, 0.0).compile()
        for line in iterate.as_text().splitlines():
            if any(f" {move}" in line for move in ("all-gather", "all-to-all", "collective-permute")):
                sys.stdout.write(f"MOVES {line.strip()[:200]}\n")
        for _ in range(3):
            state, numbers = iterate(state, 0.0)
        if is_first_process():
            leaves = map(np.asarray, jax.tree.leaves(state.weights))
            np.savez(folder / f"{name}.npz", *leaves, reward=np.asarray(numbers["reward"]))
    sys.stdout.write(f"DEVICES {mesh.size} PROCESSES {jax.process_count()}\n")


def checkpointed(folder: Path, seconds: float | None) -> None:
    """A run of three iterations, or as many as fit into `seconds`."""
    environment, config = Wave(), replace(CONFIGS["vracer"], environments=16, iterations=3)
    options = {"seconds": seconds, "checkpoint_dir": folder / "run"}
    trained = train(environment, 0.0, make_network(environment), vracer, config, **options)
    if is_first_process():
        np.savez(folder / "vracer.npz", *map(np.asarray, jax.tree.leaves(trained.state.weights)))
    sys.stdout.write(f"ITERATIONS {len(trained.history)}\n")


if __name__ == "__main__":
    if "--distributed" in sys.argv:
        join_processes()
    if "--stop-early" in sys.argv or "--resume" in sys.argv:
        checkpointed(Path(sys.argv[1]), 1e-9 if "--stop-early" in sys.argv else None)
    else:
        if "--alone-first" in sys.argv:
            main(Path(sys.argv[1]) / "alone", devices=1)
        main(Path(sys.argv[1]))
