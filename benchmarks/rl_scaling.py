"""Steps a second of closure training, over batch sizes and devices, in one run.

    python benchmarks/rl_scaling.py [--environments 256 1024 4096] [--devices 1 2] [--json FILE]

Three programs: `rollout`, the simulations under a policy and nothing else; `ppo` and `vracer`, whole
iterations with their updates. Printed: environment steps (one action of all agents of one simulation), LES
time steps and actions of single agents a second; and of N devices the fraction of N times one device with the
same number of environments (strong scaling) and with the same number a device (weak). Everything is compiled
before anything runs, and each program is timed alone.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jax
from flax import nnx

from subgrid.contracts.provenance import provenance
from subgrid.contracts.reference import read_reference
from subgrid.jax_models.devices import make_mesh
from subgrid.jax_models.rl import ppo, vracer
from subgrid.jax_models.rl.environment import rollout
from subgrid.jax_models.rl.iteration import make_iteration, make_start
from subgrid.workflows.closure_rl import ClosureRl, make_environment, make_network

ROLLOUT = 16
ALGORITHMS = {"rollout": ppo, "ppo": ppo, "vracer": vracer}


def learner(program: str, environments: int):
    """As many updates on as many samples in both: 16 an iteration, every step seen four times on average."""
    if program == "vracer":
        return vracer.VracerConfig(environments=environments, rollout=ROLLOUT, updates=16, samples=4)
    return ppo.PpoConfig(environments=environments, rollout=ROLLOUT, epochs=4, minibatches=4)


@dataclass(frozen=True)
class Case:
    """One measurement."""

    program: str
    environments: int
    devices: int


class Bench:
    """The environment of the shipped policy (16 agents, backscatter action, five time steps of 0.01 an
    action) and compiled programs for it."""

    def __init__(self, reference: Path, grid: int):
        self.config = ClosureRl(
            grid=grid, dt=0.01, hold=5, reward="log_ratio_tail", action="backscatter", agents=4
        )
        self.environment = make_environment(self.config)
        self.params = self.environment.params(read_reference(reference, self.environment.case), count=96)

    def compile(self, case: Case):
        """Compiled, not yet run: () -> a function of the number of iterations that runs them and waits."""
        learn = learner(case.program, case.environments)
        algorithm, mesh = ALGORITHMS[case.program], make_mesh(case.environments, case.devices)
        network = make_network(self.environment, self.params, self.config)
        graphdef, _, _ = nnx.split(network, nnx.Param, ...)
        start, inputs = make_start(
            self.environment, self.params, network, algorithm, learn, seed=0, mesh=mesh
        )
        start = start.lower(*inputs).compile()
        state, params = start.out_info, inputs[-1]
        if case.program == "rollout":
            step = jax.jit(lambda state, params: self._only_rollout(state, params, graphdef, mesh))
        else:
            step = make_iteration(self.environment, graphdef, algorithm, learn, mesh)
        program = step.lower(state, params).compile()

        def begin():
            first = start(*inputs)

            def run(iterations: int) -> None:
                now = first
                for _ in range(iterations):
                    now, _ = program(now, params)
                jax.block_until_ready(now)

            return run

        return begin

    def _only_rollout(self, state, params, graphdef, mesh):
        policy = nnx.merge(graphdef, state.weights, state.fixed)
        (observation, flows), trajectory = rollout(
            self.environment,
            params,
            policy,
            (state.observation, state.environment),
            state.key,
            steps=ROLLOUT,
            shared_noise=0.2,
            mesh=mesh,
        )
        kept = vars(state) | {"observation": observation, "environment": flows}
        return type(state)(**kept), trajectory.reward.mean()


def seconds_an_iteration(run, budget: float) -> float:
    """Best of three repetitions, each of as many iterations as fit into a third of `budget` [s]."""
    run(1)
    start = time.perf_counter()
    run(1)
    count = max(1, int(budget / 3.0 / (time.perf_counter() - start)))
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        run(count)
        best = min(best, (time.perf_counter() - start) / count)
    return best


def rates(bench: Bench, cases: list[Case], budget: float, threads: int) -> Iterator[dict[Case, float]]:
    """Environment steps a second of the first case, of the first two, and so on: what is cut short stays."""
    with ThreadPoolExecutor(threads) as pool:
        programs = list(pool.map(bench.compile, cases))
    found = {}
    for case, begin in zip(cases, programs, strict=True):
        found[case] = case.environments * ROLLOUT / seconds_an_iteration(begin(), budget)
        print(f"{case}: {found[case]:.4g} environment steps/s", file=sys.stderr, flush=True)
        yield dict(found)


def row(case: Case, found: dict[Case, float], bench: Bench) -> dict:
    """What is printed and kept of a case."""
    rate, config = found[case], bench.config
    strong = found.get(Case(case.program, case.environments, 1))
    weak = found.get(Case(case.program, case.environments // case.devices, 1))
    return {
        **vars(case),
        "environment_steps_per_s": rate,
        "les_steps_per_s": rate * config.hold,
        "agent_actions_per_s": rate * config.agents**2,
        "fraction_of_ideal_strong": strong and rate / (case.devices * strong),
        "fraction_of_ideal_weak": weak and rate / (case.devices * weak),
    }


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, len(jax.devices())])
    parser.add_argument("--programs", nargs="+", default=list(ALGORITHMS), choices=list(ALGORITHMS))
    parser.add_argument("--grid", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing for each case")
    parser.add_argument("--reference", type=Path, default=Path("docs/results/k4b0.reference.nc"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bench = Bench(arguments.reference, arguments.grid)
    cases = [
        Case(program, environments, devices)
        for program in arguments.programs
        for environments in arguments.environments
        for devices in dict.fromkeys(arguments.devices)
    ]
    device = jax.devices()[0].device_kind
    origin = {"command": " ".join(["python", *sys.argv]), "seed": 0, "device": device}
    origin |= {"devices": len(jax.devices()), "cores": os.cpu_count(), **provenance()}
    rows = []
    for found in rates(bench, cases, arguments.seconds, os.cpu_count() or 1):
        rows = [row(case, found, bench) for case in found]
        if arguments.json:
            arguments.json.write_text(json.dumps(origin | {"rows": rows}, indent=1))
    print(f"{len(jax.devices())} x {device}, JAX {jax.__version__}, N = {arguments.grid}")
    show(rows)


def show(rows: list[dict]) -> None:
    """Print the table."""
    print("program   environments devices   env steps/s   LES steps/s  agent actions/s  strong  weak")
    for one in rows:
        print(
            f"{one['program']:9} {one['environments']:12} {one['devices']:7} "
            f"{one['environment_steps_per_s']:13.4g} {one['les_steps_per_s']:13.4g} "
            f"{one['agent_actions_per_s']:16.4g}  {one['fraction_of_ideal_strong'] or float('nan'):6.2f}"
            f"{one['fraction_of_ideal_weak'] or float('nan'):6.2f}"
        )


if __name__ == "__main__":
    main()
