"""The JAX solver on one GPU: fraction of the memory-bandwidth bound at 1024², and LES ensembles at 32².

    python benchmarks/turbulence_gpu.py [--json FILE] [--quick]

Bound. With S bytes of a carried spectrum (N × (K+1) complex), F of a full one (N × (N/2+1)) and R of a real
field, a right-hand side made of library transforms (each two passes over its data, every pass reading and
writing once) and fused point-wise kernels cannot move less than

    velocities       S + 2F               ω̂ in, padded û and v̂ out
    two inverse      2 (F + F + F + R)
    products         2R + 2R
    two forward      2 (R + F + F + F)
    update, ab2cn    2S + 2S + S + 2S     two products, ω̂ and Â⁻, real factors; ω̂ and Â out

(an ifrk4 stage moves about as much). Were each line of transforms one hand-written kernel with the products
inside, 13 S would do. Both are divided by the bandwidth of a copy of 1 GiB, read and written, measured here.
Arrays of a 1024² run fit in the L2 cache of a large GPU, so a fraction above 1 is possible; the bandwidth of
a copy of one field is printed beside it.
"""

import argparse
import json
import time
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from subgrid.sims.closures import get_closure  # noqa: E402
from subgrid.sims.turbulence2d import jax_solver  # noqa: E402
from subgrid.sims.turbulence2d.cases import get_case  # noqa: E402
from subgrid.sims.turbulence2d.grid import Grid  # noqa: E402
from subgrid.sims.turbulence2d.initial import random_vorticity  # noqa: E402
from subgrid.sims.turbulence2d.numerics import Numerics, stable_dt  # noqa: E402

BATCHES = (1, 16, 64, 256, 1024, 4096, 8192)


def seconds(run, repeats: int = 3) -> float:
    """Wall time of run(), compiled before, the best of `repeats`."""
    jax.block_until_ready(run())
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(run())
        best = min(best, time.perf_counter() - start)
    return best


def copy_bandwidth(nbytes: int) -> float:
    """Bytes read and written a second by y = x + 1 over `nbytes`, in a compiled loop."""
    turns = max(20, min(2000, 2**34 // nbytes))
    field = jnp.zeros(nbytes // 4, dtype=jnp.float32)
    loop = jax.jit(lambda x: jax.lax.fori_loop(0, turns, lambda _, y: y + 1.0, x))
    return 2.0 * nbytes * turns / seconds(lambda: loop(field))


def bytes_bound(n: int, precision: str) -> dict[str, float]:
    """Bytes that one right-hand side of ab2cn must move: with library transforms, and if all were fused."""
    real = np.dtype(precision).itemsize
    spectrum = 2 * real * n * (Grid(n).carried + 1)
    full, field = 2 * real * n * (n // 2 + 1), real * n**2
    library = spectrum + 2 * full + 2 * (3 * full + field) + 4 * field + 2 * (field + 3 * full) + 7 * spectrum
    return {"library_transforms": library, "all_fused": 13 * spectrum}


def right_hand_side(n: int, precision: str, bandwidth: float, steps: int) -> dict:
    """Time of one stage and the fraction of both bounds, for both integrators."""
    result = {}
    bounds = bytes_bound(n, precision)
    for integrator, stages in (("ab2cn", 1), ("ifrk4", 4)):
        numerics = Numerics(stable_dt(get_case("k4b0"), n, integrator), integrator)
        step = jax_solver.make_step(get_case("k4b0"), n, numerics, precision=precision)
        state = jax_solver.initial_state(random_vorticity(n, seed=0), numerics, precision)
        once = seconds(lambda step=step, state=state: jax_solver.march(step, state, steps)) / (steps * stages)
        result[integrator] = {"us_per_stage": 1e6 * once}
        fractions = {name: nbytes / bandwidth / once for name, nbytes in bounds.items()}
        result[integrator] |= {f"fraction_of_bound_{name}": value for name, value in fractions.items()}
        shown = ", ".join(f"{value:.2f} of the bound {name}" for name, value in fractions.items())
        print(f"{n}² {precision} {integrator}: {1e6 * once:.1f} us a stage, {shown}")
    return result


def ensembles(n: int, precision: str, batches, steps: int) -> dict:
    """Member steps a second of LES ensembles with Leith's closure, by batch size."""
    case, numerics = get_case("k4b0"), Numerics(5e-3, "ab2cn")
    step = jax_solver.make_step(case, n, numerics, get_closure("leith"), precision)
    rates = {}
    for batch in batches:
        field = np.broadcast_to(random_vorticity(n, seed=0), (batch, n, n))
        state = jax_solver.initial_state(field, numerics, precision)
        rates[batch] = batch * steps / seconds(lambda state=state: jax_solver.march(step, state, steps))
    best = max(rates.values())
    for batch, rate in rates.items():
        print(
            f"{batch:6} LES at {n}² {precision}: {rate:12.0f} member steps/s, {rate / best:.2f} of the best"
        )
    return {"member_steps_per_s": rates, "fraction_of_256": rates.get(256, np.nan) / best}


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the script on a CPU")
    arguments = parser.parse_args()
    n, steps, batches = (64, 5, (1, 4)) if arguments.quick else (1024, 200, BATCHES)
    device = jax.devices()[0]
    large = copy_bandwidth(2**22 if arguments.quick else 2**30)
    cached = copy_bandwidth(8 * n**2)
    print(f"{device.device_kind}, JAX {jax.__version__}")
    print(f"copy {large / 1e9:.0f} GB/s, of one field {cached / 1e9:.0f} GB/s")
    results = {"device": device.device_kind, "jax": jax.__version__}
    results |= {"copy_bytes_per_s": large, "copy_of_one_field_bytes_per_s": cached}
    for precision in ("float64", "float32"):
        results[f"rhs_{n}_{precision}"] = right_hand_side(n, precision, large, steps)
        results[f"ensemble_32_{precision}"] = ensembles(32, precision, batches, steps)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
