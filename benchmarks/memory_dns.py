"""Peak memory of a float64 DNS at 1024² in each Python twin, each in a process of its own.

python benchmarks/memory_dns.py [--grid 1024] [--steps 3]
"""

import argparse
import resource
import subprocess
import sys


def peak_mebibytes() -> float:
    """Largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def march(solver_name: str, integrator: str, n: int, steps: int) -> None:
    """Run a few steps and print the peak after imports and at the end."""
    import importlib

    from subgrid.sims.turbulence2d.cases import get_case
    from subgrid.sims.turbulence2d.initial import random_vorticity
    from subgrid.sims.turbulence2d.numerics import Numerics

    if solver_name == "jax_solver":
        import jax

        jax.config.update("jax_enable_x64", True)
    solver = importlib.import_module(f"subgrid.sims.turbulence2d.{solver_name}")
    imported = peak_mebibytes()
    numerics = Numerics(1e-4, integrator)
    state = solver.initial_state(random_vorticity(n, seed=0), numerics)
    state = solver.march(solver.make_step(get_case("k4b0"), n, numerics), state, steps)
    spread = float(solver.vorticity(state).std())
    print(
        f"{solver_name:13} {integrator}: {peak_mebibytes():7.0f} MiB peak, {imported:5.0f} MiB after imports",
        end="",
    )
    print(f" (standard deviation of the vorticity {spread:.3f})")


def main() -> None:
    """Measure each twin and integrator in a child process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--only", nargs=2, metavar=("SOLVER", "INTEGRATOR"), help="run one in this process")
    arguments = parser.parse_args()
    if arguments.only:
        march(*arguments.only, arguments.grid, arguments.steps)
        return
    for solver in ("numpy_solver", "jax_solver"):
        for integrator in ("ifrk4", "ab2cn"):
            command = [sys.executable, __file__, "--only", solver, integrator]
            command += ["--grid", str(arguments.grid), "--steps", str(arguments.steps)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
