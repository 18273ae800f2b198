"""Rows of a batch over several devices, and over several processes, give the numbers of one device."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.jax_models.devices import Placement, first_devices, training_devices

PROGRAM = """
import os, sys
import jax
processes, process, port, count, out, tests = *map(int, sys.argv[1:5]), *sys.argv[5:]
if processes > 1:
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", processes, process)
import numpy as np
from flax import nnx
sys.path.insert(0, tests)
from test_training import noisy_fit
devices = jax.devices()
assert len(devices) == count, devices
result = noisy_fit(devices=devices if count > 1 else None)
if process == 0:
    np.savez(out, *(np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(result.model))))
"""


def start(out: Path, *, devices: int, processes: int = 1, process: int = 0, port: int = 0):
    """One process of a training on `devices` virtual devices in all."""
    environment = dict(os.environ, JAX_PLATFORMS="cpu")
    flag = f"--xla_force_host_platform_device_count={devices // processes}"
    environment["XLA_FLAGS"] = f"{environment.get('XLA_FLAGS', '')} {flag}"
    arguments = [processes, process, port, devices, out, Path(__file__).resolve().parent]
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *map(str, arguments)], env=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_four_devices_give_the_numbers_of_one(tmp_path, processes):
    port = free_port()
    running = [start(tmp_path / "one.npz", devices=1)]
    for process in range(processes):
        running.append(
            start(tmp_path / "four.npz", devices=4, processes=processes, process=process, port=port)
        )
    assert [run.wait(timeout=300) for run in running] == [0] * (processes + 1)
    one, four = np.load(tmp_path / "one.npz"), np.load(tmp_path / "four.npz")
    assert one.files == four.files
    assert len(one.files) >= 6
    for name in one.files:
        np.testing.assert_allclose(four[name], one[name], rtol=2e-5, atol=2e-6)


def test_a_batch_that_cannot_be_divided_is_refused():
    placement = Placement(jax.devices()[:1] * 3)
    with pytest.raises(InputError, match=r"64 rows cannot be divided over 3"):
        placement.divided({"x": np.zeros((64, 2))})


def test_devices_that_are_not_there_are_refused():
    assert len(training_devices()) == 1
    with pytest.raises(InputError, match=r"--devices: found 99, but JAX sees 1"):
        first_devices(99)


def test_without_devices_nothing_moves():
    batch = {"x": np.zeros((3, 2))}
    for devices in (None, jax.devices()[:1]):
        assert Placement(devices).divided(batch)["x"] is batch["x"]
