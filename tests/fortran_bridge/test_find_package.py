"""Another CMake project finds the installed bridge, links it from Fortran and from C, and runs."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.bundle import Field
from subgrid.fortran_bridge.plugins import find_plugin
from subgrid.jax_models.export import export_bundle

ROOT = Path(__file__).parents[2]

CMAKE = """
cmake_minimum_required(VERSION 3.24)
project(host LANGUAGES Fortran)
find_package(subgrid 0.1 REQUIRED)
add_executable(host_fortran host.f90)
target_link_libraries(host_fortran PRIVATE subgrid::bridge)
enable_language(C)
add_executable(host_c host.c)
target_link_libraries(host_c PRIVATE subgrid::bridge_shared)
add_executable(host_coupling coupling.f90)
target_link_libraries(host_coupling PRIVATE subgrid::coupling)
"""

FORTRAN = """
program host
   use subgrid_bridge, only: subgrid_call, subgrid_finalize, subgrid_free, subgrid_init, subgrid_load, &
      subgrid_model, subgrid_session
   implicit none
   type(subgrid_session) :: session
   type(subgrid_model) :: model
   character(len=1000) :: path
   real :: x(3, 5), y(3, 5)

   call get_command_argument(1, path)
   x = 2
   call subgrid_init(session, 'cpu')
   call subgrid_load(session, trim(path), model)
   call subgrid_call(model, x, y)
   call subgrid_free(model)
   call subgrid_finalize(session)
   print '(f6.3)', sum(y)
end program host
"""

COUPLING = """
program host
   use subgrid_coupling, only: subgrid_couple, subgrid_couple_variable, subgrid_coupler, &
      subgrid_coupling_counts
   implicit none
   type(subgrid_coupler) :: coupler
   type(subgrid_coupling_counts) :: counts
   real :: learned(3, 5), tendency(3, 5)

   learned = 1
   tendency = 3
   call subgrid_couple_variable(coupler, 't', weight=0.25d0)
   call subgrid_couple(coupler, 't', 0d0, 1200d0, learned, tendency, counts)
   print '(f6.3)', sum(tendency)
end program host
"""

C = """
#include <stdio.h>
#include "subgrid_c.h"
int main(int count, char **arguments) {
  subgrid_c_model *model;
  float x[15], y[15], sum = 0;
  const void *inputs[1] = {x};
  void *outputs[1] = {y};
  int64_t bytes[1] = {sizeof x};
  char message[1000];
  for (int i = 0; i < 15; i++) x[i] = 2;
  if (subgrid_c_load("cpu", 0, arguments[count - 1], SUBGRID_C_VERIFY, &model) ||
      subgrid_c_run(model, "forward", 5, inputs, bytes, 1, outputs, bytes, 1) || subgrid_c_free(model)) {
    subgrid_c_message(message, sizeof message);
    fprintf(stderr, "%s\\n", message);
    return 1;
  }
  for (int i = 0; i < 15; i++) sum += y[i];
  printf("%6.3f\\n", sum);
  return 0;
}
"""


def run(*command, **options) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A build of the bridge alone, installed in a folder of its own."""
    if not all(map(shutil.which, ("cmake", "gfortran", "ninja"))):
        pytest.skip("cmake, ninja or gfortran is missing")
    folder = tmp_path_factory.mktemp("installed")
    options = [
        f"-DCMAKE_INSTALL_PREFIX={folder}/prefix",
        "-DSUBGRID_BUILD_TESTS=OFF",
        "-DCMAKE_BUILD_TYPE=Release",
    ]
    run("cmake", "-S", ROOT, "-B", folder / "build", "-G", "Ninja", *options)
    run("ninja", "-C", folder / "build", "subgrid_bridge", "subgrid_bridge_shared", "subgrid_coupling")
    run("cmake", "--install", folder / "build", "--component", "subgrid_bridge")
    return folder / "prefix"


@pytest.fixture(scope="module")
def doubling(tmp_path_factory) -> Path:
    """A bundle with y = 2 x."""
    path = tmp_path_factory.mktemp("bundles") / "doubling.bundle"
    field = {"kind": "float32", "shape": (3,)}
    export_bundle(
        path,
        lambda parameters, x: parameters["factor"] * x,
        {"factor": np.float32(2)},
        inputs=[Field("x", **field)],
        outputs=[Field("y", **field)],
        check_inputs=[np.arange(6, dtype=np.float32).reshape(2, 3)],
        name="doubling",
        description="twice the input",
        batch_sizes=(4,),
        platforms=("cpu",),
    )
    return path


def test_external_project_builds_and_runs(installed, doubling, tmp_path):
    """One test, since building takes time: all hosts run; without a plug-in they say so in a sentence."""
    sources = {"CMakeLists.txt": CMAKE, "host.f90": FORTRAN, "coupling.f90": COUPLING, "host.c": C}
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", tmp_path / "build")
    assert float(run(tmp_path / "build" / "host_coupling")) == pytest.approx(37.5)
    environment = os.environ | {"SUBGRID_PJRT_PLUGIN_CPU": str(find_plugin("cpu"))}
    for host in ("host_fortran", "host_c"):
        assert float(run(tmp_path / "build" / host, doubling, env=environment)) == pytest.approx(60.0)

    environment["SUBGRID_PJRT_PLUGIN_CPU"] = "/nowhere/plugin.so"
    host = tmp_path / "build" / "host_c"
    done = subprocess.run([host, doubling], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "/nowhere/plugin.so" in done.stderr
    assert done.stderr.count("\n") == 1
