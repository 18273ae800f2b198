"""Simulations spread over devices and processes give the numbers of one device."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.errors import InputError, SetupError
from subgrid.jax_models import devices

PROGRAM = Path(__file__).with_name("spread_training.py")


def start(folder: Path, count: int, *arguments: str, **variables: str) -> subprocess.Popen:
    """A training on `count` virtual devices of its own process."""
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "0"} | variables
    # The numbers are compared, not the speed: compiling is most of the time of this test.
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={count} {quick}"
    command = [sys.executable, str(PROGRAM), str(folder), *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def outcome(running: subprocess.Popen) -> str:
    said, complaints = running.communicate(timeout=400)
    assert running.returncode == 0, complaints[-3000:]
    return said


@pytest.fixture(scope="module")
def four_devices(tmp_path_factory):
    """(folder of what four devices found, what was said); `alone` in it holds what the first one found."""
    folder = tmp_path_factory.mktemp("four")
    said = outcome(start(folder, 4, "--alone-first"))
    assert "DEVICES 1 PROCESSES 1" in said
    return folder, said


@pytest.fixture
def one_device(four_devices):
    return four_devices[0] / "alone"


def assert_same(one: Path, other: Path, *names: str) -> None:
    for name in names:
        first, second = np.load(one / f"{name}.npz"), np.load(other / f"{name}.npz")
        assert len(second.files) > 4
        for array in second.files:
            np.testing.assert_allclose(second[array], first[array], rtol=2e-4, atol=2e-5, err_msg=name)


def test_four_devices_give_the_numbers_of_one_and_exchange_only_sums(one_device, four_devices):
    folder, said = four_devices
    assert "DEVICES 4 PROCESSES 1" in said
    assert "MOVES" not in said, said
    assert_same(one_device, folder, "ppo", "vracer")


def two_processes(folder: Path, *arguments: str) -> list[str]:
    """What both say."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    variables = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2"}
    arguments = ("--distributed", *arguments)
    both = [start(folder, 2, *arguments, **variables, JAX_PROCESS_ID=str(process)) for process in (0, 1)]
    return [outcome(running) for running in both]


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one_device(one_device, tmp_path):
    assert all("DEVICES 4 PROCESSES 2" in said for said in two_processes(tmp_path))
    assert_same(one_device, tmp_path, "ppo", "vracer")


@pytest.mark.slow
def test_a_run_of_two_processes_is_resumed_by_one_device(one_device, tmp_path):
    assert all("ITERATIONS 1" in said for said in two_processes(tmp_path, "--stop-early"))
    assert "ITERATIONS 3" in outcome(start(tmp_path, 1, "--resume"))
    assert_same(one_device, tmp_path, "vracer")


def test_environments_that_do_not_divide_are_refused(monkeypatch):
    there = devices.jax.devices()
    monkeypatch.setattr(devices.jax, "devices", lambda: there * 4)
    with pytest.raises(InputError, match="250 environments cannot be split evenly over 4 devices"):
        devices.make_mesh(250)
    with pytest.raises(InputError, match="--devices: found 0"):
        devices.make_mesh(256, 0)


def test_a_process_that_is_told_half_of_what_it_needs_says_what_is_missing(monkeypatch):
    for name in devices.PROCESSES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JAX_NUM_PROCESSES", "2")
    with pytest.raises(SetupError, match="JAX_COORDINATOR_ADDRESS, JAX_PROCESS_ID is not"):
        devices.join_processes()
