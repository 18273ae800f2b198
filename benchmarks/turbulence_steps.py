"""Milliseconds of one right-hand side on one core: our twins, four bare transforms, and peers, in one run.

    python benchmarks/turbulence_steps.py [--grids 64 128 256 512 1024] [--json FILE] [--fortran EXECUTABLE]

The yardstick is four real transforms and the products of Basdevant's form, bare, in scipy.fft and under
jitted JAX. Times are CPU time on one pinned core, the best of several repetitions; steps of several stages
are divided by their number of stages. Peers solve nearly the same problem: pyqg-jax has a spectral filter
and no viscosity. A missing peer is named and skipped; the peers are happiest in a virtual environment of
their own.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

CORE = max(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import scipy.fft  # noqa: E402

from subgrid.sims.turbulence2d import jax_solver, numpy_solver  # noqa: E402
from subgrid.sims.turbulence2d.cases import get_case  # noqa: E402
from subgrid.sims.turbulence2d.initial import random_vorticity  # noqa: E402
from subgrid.sims.turbulence2d.numerics import Numerics  # noqa: E402

DT = 1e-4
SCIPY_BARE, JAX_BARE = "bare transforms, scipy", "bare transforms, JAX"
PEERS = {"pyqg_jax": "pyqg-jax", "exponax": "exponax", "jax_cfd": "jax-cfd"}


def calls(n: int) -> int:
    """Right-hand sides in one repetition, about a fifth of a second of them."""
    return {64: 2000, 128: 800, 256: 200, 512: 32, 1024: 8}.get(n, max(8, 8_000_000 // n**2))


def milliseconds(run, count: int, repeats: int = 5) -> float:
    """CPU time of one of the `count` calls that run() makes, the best of `repeats`."""
    run()
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return 1e3 * best / count


def scanned(step, state, stages: int, n: int) -> float:
    """Time of one stage of a JAX step that is scanned under jit."""
    steps = max(1, calls(n) // stages)
    march = jax.jit(lambda start: jax.lax.scan(lambda s, _: (step(s), None), start, length=steps)[0])
    return milliseconds(lambda: jax.block_until_ready(march(state)), steps * stages)


def bare_scipy(n: int) -> float:
    """Four transforms and the products in scipy.fft."""
    spectrum = scipy.fft.rfft2(random_vorticity(n, seed=0))

    def run():
        for _ in range(calls(n)):
            u, v = scipy.fft.irfft2(spectrum), scipy.fft.irfft2(spectrum)
            scipy.fft.rfft2(u * v)
            scipy.fft.rfft2((v - u) * (v + u))

    return milliseconds(run, calls(n))


def bare_jax(n: int) -> float:
    """Four transforms and the products in a jitted loop."""

    def step(spectrum):
        u, v = jnp.fft.irfft2(spectrum), jnp.fft.irfft2(1.1 * spectrum)
        return 1e-9 * (jnp.fft.rfft2(u * v) + jnp.fft.rfft2((v - u) * (v + u)))

    return scanned(step, jnp.fft.rfft2(jnp.asarray(random_vorticity(n, seed=0))), 1, n)


def ours(solver, n: int, integrator: str) -> float:
    """One stage of a twin of ours."""
    stages = {"ifrk4": 4, "ab2cn": 1}[integrator]
    numerics = Numerics(DT, integrator)
    step = solver.make_step(get_case("k4b0"), n, numerics)
    state = solver.initial_state(random_vorticity(n, seed=0), numerics)
    steps = max(1, calls(n) // stages)
    return milliseconds(lambda: jax.block_until_ready(solver.march(step, state, steps)), steps * stages)


def pyqg_jax_ab3(n: int) -> float:
    """One step of pyqg-jax's barotropic model."""
    import pyqg_jax

    model = pyqg_jax.bt_model.BTModel(nx=n, L=2 * np.pi, rek=0.1, precision=pyqg_jax.state.Precision.DOUBLE)
    stepped = pyqg_jax.steppers.SteppedModel(model, pyqg_jax.steppers.AB3Stepper(dt=DT))
    state = stepped.create_initial_state(jax.random.key(0))
    return scanned(stepped.step_model, state, 1, n)


def exponax_etdrk(n: int, order: int) -> float:
    """One stage of exponax's Kolmogorov flow, spectral in and out."""
    import exponax

    stepper = exponax.stepper.KolmogorovFlowVorticity(2, 2 * np.pi, n, DT, diffusivity=5e-5, order=order)
    state = exponax.fft(jnp.asarray(random_vorticity(n, seed=0))[None])
    return scanned(stepper.step_fourier, state, order, n)


def jax_cfd_cn_rk4(n: int) -> float:
    """One stage of jax-cfd's spectral solver."""
    import jax_cfd.base as cfd
    from jax_cfd import spectral

    grid = cfd.grids.Grid((n, n), domain=((0, 2 * np.pi), (0, 2 * np.pi)))
    equation = spectral.equations.ForcedNavierStokes2D(5e-5, grid, True)
    step = spectral.time_stepping.crank_nicolson_rk4(equation, DT)
    return scanned(step, jnp.fft.rfft2(jnp.asarray(random_vorticity(n, seed=0))), 5, n)


SOLVERS = {
    SCIPY_BARE: bare_scipy,
    JAX_BARE: bare_jax,
    "subgrid JAX, ab2cn (1 stage)": lambda n: ours(jax_solver, n, "ab2cn"),
    "subgrid JAX, ifrk4 (4 stages)": lambda n: ours(jax_solver, n, "ifrk4"),
    "subgrid NumPy, ab2cn (1 stage)": lambda n: ours(numpy_solver, n, "ab2cn"),
    "subgrid NumPy, ifrk4 (4 stages)": lambda n: ours(numpy_solver, n, "ifrk4"),
    "pyqg-jax, AB3 (1 stage)": pyqg_jax_ab3,
    "exponax, ETDRK2 (2 stages)": lambda n: exponax_etdrk(n, 2),
    "exponax, ETDRK4 (4 stages)": lambda n: exponax_etdrk(n, 4),
    "jax-cfd, CN-RK4 (5 stages)": jax_cfd_cn_rk4,
}


def available() -> dict:
    """The solvers that can be imported; says which peers are missing and how to get them."""
    found = dict(SOLVERS)
    for module, package in PEERS.items():
        try:
            __import__(module)
        except ImportError as reason:
            print(f"{package} is skipped: {reason}. To include it: python -m pip install {package}")
            found = {name: solver for name, solver in found.items() if not name.startswith(package)}
    return found


def fortran_times(executable: Path | None) -> dict[int, float]:
    """ms per stage of the Fortran twin by grid, from its own benchmark program, on the same core."""
    built = sorted(Path(__file__).parents[1].glob("_build/**/benchmark_steps"))
    executable = executable or (built[0] if built else None)
    if executable is None:
        print("The Fortran twin is skipped: build it with cmake --build _build --target benchmark_steps")
        return {}
    output = subprocess.run([executable], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in output.splitlines()[1:] if line.strip()]
    return {int(row[0]): float(row[1]) for row in rows}


def show(times: dict[str, dict[int, float]], grids: list[int]) -> None:
    """Print ms per stage and, in brackets, the ratio to bare scipy transforms and to bare JAX transforms."""
    print(f"\nms per stage (× bare scipy, × bare JAX); one core, float64, JAX {jax.__version__}")
    print(f"{'':32}" + "".join(f"{'N = ' + str(n):>24}" for n in grids))
    for name, row in times.items():
        cells = (
            f"{row[n]:10.4f} ({row[n] / times[SCIPY_BARE][n]:4.2f}, {row[n] / times[JAX_BARE][n]:4.2f})"
            if n in row
            else "-"
            for n in grids
        )
        print(f"{name:32}" + "".join(f"{cell:>24}" for cell in cells))


def main() -> None:
    """Measure, print a table and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grids", type=int, nargs="+", default=[64, 128, 256, 512, 1024])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fortran", type=Path, help="the built benchmark_steps")
    arguments = parser.parse_args()
    solvers = available()
    times: dict[str, dict[int, float]] = {name: {} for name in solvers}
    for n in arguments.grids:
        for name, solver in solvers.items():
            times[name][n] = solver(n)
    if fortran := fortran_times(arguments.fortran):
        times["subgrid Fortran, ifrk4 (4 stages)"] = fortran
    show(times, arguments.grids)
    if arguments.json:
        arguments.json.write_text(json.dumps({"jax": jax.__version__, "ms_per_stage": times}, indent=1))


if __name__ == "__main__":
    main()
