"""Plug-ins and the library are found where they are, and their absence is one sentence with a remedy."""

import subprocess
import sys
from pathlib import Path

import pytest

from subgrid.contracts.errors import SetupError
from subgrid.fortran_bridge import plugins
from subgrid.fortran_bridge.plugins import find_plugin, plugin_argument


@pytest.fixture
def no_wheels(monkeypatch):
    monkeypatch.setattr(plugins, "library_in_wheel", lambda wheel, name: None)


def test_the_environment_comes_first(monkeypatch, tmp_path):
    plugin = tmp_path / "mine.so"
    plugin.write_bytes(b"")
    monkeypatch.setenv("SUBGRID_PJRT_PLUGIN_CPU", str(plugin))
    assert find_plugin("cpu") == plugin
    assert plugin_argument("cpu") == "cpu"
    monkeypatch.setenv("SUBGRID_PJRT_PLUGIN_MY_CHIP", str(plugin))
    assert find_plugin("my-chip") == plugin


def test_a_path_is_taken_as_it_is(tmp_path):
    plugin = tmp_path / "mine.so"
    plugin.write_bytes(b"")
    assert plugin_argument(str(plugin)) == str(plugin)


def test_a_path_without_a_file_is_refused(monkeypatch, tmp_path):
    with pytest.raises(SetupError, match=r"nowhere\.so, the plug-in that was asked for, is not a file"):
        find_plugin(str(tmp_path / "nowhere.so"))
    monkeypatch.setenv("SUBGRID_PJRT_PLUGIN_CPU", str(tmp_path / "nowhere.so"))
    with pytest.raises(SetupError, match="the plug-in that SUBGRID_PJRT_PLUGIN_CPU names, is not a file"):
        find_plugin("cpu")


@pytest.mark.parametrize(
    ("device", "remedy"),
    [("cpu", r"pip install 'subgrid\[fortran\]'"), ("cuda", r"pip install 'jax\[cuda13\]'"), ("xpu", "_XPU")],
)
def test_a_missing_plugin_comes_with_a_remedy(no_wheels, monkeypatch, device, remedy):
    monkeypatch.delenv(f"SUBGRID_PJRT_PLUGIN_{device.upper()}", raising=False)
    with pytest.raises(SetupError, match=remedy):
        find_plugin(device)


def test_a_wheel_is_found_without_importing_it(monkeypatch):
    monkeypatch.delenv("SUBGRID_PJRT_PLUGIN_CPU", raising=False)
    path = plugins.library_in_wheel("lammps-jax-pjrt-cpu", "pjrt_c_api_cpu_plugin.so")
    if path is None:
        pytest.skip("the wheel lammps-jax-pjrt-cpu is not installed")
    assert find_plugin("cpu") == path
    assert "lammps_jax_pjrt_cpu" not in sys.modules
    assert plugins.library_in_wheel("lammps-jax-pjrt-cpu", "another.so") is None
    assert plugins.library_in_wheel("no-such-wheel-for-subgrid", "x.so") is None


def test_the_bridge_imports_without_jax():
    modules = ["bundle_runner", "library", "plugins"]
    code = "".join(f"import subgrid.fortran_bridge.{module}\n" for module in modules)
    code += "import sys; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
