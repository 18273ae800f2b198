#!/bin/sh
# Time per call of a bundle on a GPU, Fortran and no Python in the process.
#
#   benchmarks/bridge_gpu.sh stage    where gfortran and JAX are: fill _build/bridge_gpu (program, its run-time libraries, bundle)
#   benchmarks/bridge_gpu.sh run      where the GPU is: needs only that folder and a Python environment with jax[cuda]
#
# Both on one machine: run them one after the other. SUBGRID_PJRT_PLUGIN_CUDA overrides the plug-in that `run` finds.
set -eu
cd "$(dirname "$0")/.."
folder=_build/bridge_gpu

stage() {
  python=.venv/bin/python
  test -f _build/bridge_release/build.ninja ||
    cmake -S . -B _build/bridge_release -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo > /dev/null
  ninja -C _build/bridge_release bridge_calls > /dev/null
  mkdir -p "$folder"
  cp _build/bridge_release/bin/bridge_calls "$folder/"
  for library in libgfortran.so.5 libquadmath.so.0; do
    cp -L "$(gfortran -print-file-name=$library)" "$folder/"
  done
  "$python" benchmarks/bridge.py --export "$folder/perceptron.bundle" --platforms cpu,cuda
  du -sh "$folder"
}

find_cuda_plugin() {
  python3 - <<'END'
import pathlib, site, sys
roots = [*site.getsitepackages(), site.getusersitepackages(), *sys.path]
found = [p for r in roots if r for p in pathlib.Path(r).glob("jax_plugins/xla_cuda*/xla_cuda_plugin.so")]
print(found[0] if found else "")
END
}

run() {
  plugin=${SUBGRID_PJRT_PLUGIN_CUDA:-$(find_cuda_plugin)}
  test -n "$plugin" || { echo "xla_cuda_plugin.so was not found: pip install 'jax[cuda13]', or set SUBGRID_PJRT_PLUGIN_CUDA" >&2; exit 1; }
  site=$(dirname "$(dirname "$(dirname "$plugin")")")
  libraries=$(find "$site/nvidia" -type d -name lib 2> /dev/null | tr '\n' ':')
  echo "# plug-in $plugin"
  SUBGRID_PJRT_PLUGIN_CUDA=$plugin LD_LIBRARY_PATH="$PWD/$folder:$libraries${LD_LIBRARY_PATH:-}" \
    "$folder/bridge_calls" cuda "$folder/perceptron.bundle" 1 64 100 4096 10000
}

case "${1:-}" in
  stage) stage ;;
  run) run ;;
  *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
