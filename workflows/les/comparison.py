"""LES outputs of one flow beside the DNS of their case: statistics, scores, agreement of hosts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...contracts.bundle import Bundle
from ...contracts.errors import InputError
from ...contracts.les_file import LesOutput, read_output
from ...contracts.reference import Reference, read_reference
from ...sims.turbulence2d.cases import get_case
from ...sims.turbulence2d.initial import resample
from ...sims.turbulence2d.numerics import carried_wavenumber
from ...validation.flow_statistics import flow_statistics, reference_bins, reference_statistics
from ...validation.turbulence import score

FLOW = ("case", "grid", "dealiasing")
KEPT = ("state", "steps_done", "wall_seconds", "closure_seconds", "blow_up_time", "host", "closure", "dt")

Statistics = dict[str, np.ndarray]


@dataclass(frozen=True)
class Run:
    """One LES output with its label and its statistics after the spin-up."""

    label: str
    output: LesOutput
    statistics: Statistics

    @property
    def attributes(self) -> dict:
        """Global attributes of the file."""
        return self.output.attributes

    @property
    def closure(self) -> str:
        """Name of the formula or of the bundle."""
        return Path(str(self.attributes["closure"])).stem

    @property
    def is_learned(self) -> bool:
        """Whether the closure is a bundle."""
        return str(self.attributes["closure"]).endswith(".bundle")

    @property
    def yardstick(self) -> str:
        """What the run should show: the DNS, or the filtered DNS where its closure was trained on that."""
        return "against_filtered_dns" if "closure_filter_width" in self.attributes else "against_dns"

    @property
    def cost(self) -> float:
        """Wall seconds per unit of simulated time."""
        return self.attributes["wall_seconds"] / (self.attributes["steps_done"] * self.attributes["dt"])


@dataclass(frozen=True)
class HostPair:
    """One closure in two hosts: times of the common records and relative rms difference of the vorticity."""

    label: str
    time: np.ndarray
    difference: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """Everything that a report shows.

    Attributes:
        runs: the outputs.
        numbers: scores and cost of each run, by label.
        dns: statistics of the DNS at the resolution of the runs.
        filtered: statistics of the Gaussian-filtered DNS, the yardstick of supervised closures, or None.
        carried: largest wavenumber that the runs carry.
        hosts: closures that ran in two hosts.
        a_priori: scores that the learned closure was exported with, empty without one.
        reference: the DNS reference.
    """

    runs: Sequence[Run]
    numbers: dict[str, dict]
    dns: Statistics
    filtered: Statistics | None
    carried: int
    hosts: Sequence[HostPair]
    a_priori: dict[str, float]
    reference: Reference

    @property
    def grid(self) -> int:
        """Points per side of the runs."""
        return int(self.runs[0].attributes["grid"])


def compare(paths: Sequence[Path], reference_path: Path, spinup: float) -> Comparison:
    """Read LES outputs of one flow and score them after `spinup` time units against the reference file."""
    reference = read_reference(reference_path)
    runs = [_read_run(path, reference, spinup) for path in paths]
    _require_one_flow(runs, paths, reference)
    grid = int(runs[0].attributes["grid"])
    carried = carried_wavenumber(grid, runs[0].attributes["dealiasing"])
    dns = reference_statistics(reference, grid, carried)
    smooth = any("closure_filter_width" in run.attributes for run in runs)
    filtered = _filtered_dns(reference, grid) if smooth else None
    numbers = {run.label: _numbers(run, dns, filtered, carried, reference) for run in runs}
    return Comparison(
        runs, numbers, dns, filtered, carried, list(_host_pairs(runs)), _a_priori(runs), reference
    )


def _read_run(path: Path, reference: Reference, spinup: float) -> Run:
    output = read_output(path)
    kept = output.vorticity[output.time >= spinup]
    if len(kept) < 2:
        raise InputError(
            f"{path} holds {len(kept)} records after the spin-up of {spinup:g}; expected 2 or more: "
            "run longer, or lower --spinup."
        )
    closure = Path(str(output.attributes["closure"])).stem
    statistics = flow_statistics(kept, get_case(output.attributes["case"]), reference)
    return Run(f"{closure} ({output.attributes['host']})", output, statistics)


def _require_one_flow(runs: Sequence[Run], paths: Sequence[Path], reference: Reference) -> None:
    first = {name: runs[0].attributes[name] for name in FLOW}
    for run, path in zip(runs, paths, strict=True):
        found = {name: run.attributes[name] for name in FLOW}
        if found != first:
            raise InputError(
                f"{path} is a run of {found}, the first one of {first}; compare runs of one flow."
            )
    if first["case"] != reference.attributes["case"]:
        raise InputError(
            f"the runs are of case {first['case']}, the reference of {reference.attributes['case']}; "
            f"give --reference {first['case']}.reference.nc."
        )


def _filtered_dns(reference: Reference, grid: int) -> Statistics:
    fields = (resample(field, grid) for field in reference["pairs/vorticity"].astype(np.float64))
    return flow_statistics(fields, get_case(reference.attributes["case"]), reference)


def _numbers(run: Run, dns, filtered, carried: int, reference: Reference) -> dict:
    width = reference_bins(reference).width
    numbers = {name: run.attributes[name] for name in KEPT if name in run.attributes}
    numbers["seconds_per_unit_time"] = run.cost
    numbers["against_dns"] = score(run.statistics, dns, highest=carried, bin_width=width)
    if filtered is not None:
        highest = min(carried, int(reference.attributes["pair_largest_wavenumber"]))
        numbers["against_filtered_dns"] = score(run.statistics, filtered, highest=highest, bin_width=width)
    numbers["statistics"] = run.statistics
    return numbers


def _host_pairs(runs: Sequence[Run]):
    seen: dict[str, Run] = {}
    for run in runs:
        other = seen.setdefault(run.attributes["closure"], run)
        if other.attributes["host"] == run.attributes["host"]:
            continue
        time, i, j = np.intersect1d(other.output.time, run.output.time, return_indices=True)
        a, b = other.output.vorticity[i], run.output.vorticity[j]
        difference = np.sqrt(((a - b) ** 2).mean((1, 2)) / (a**2).mean((1, 2)))
        hosts = f"{other.attributes['host']} and {run.attributes['host']}"
        yield HostPair(f"{run.closure}: {hosts}", time, difference)


def _a_priori(runs: Sequence[Run]) -> dict[str, float]:
    for run in runs:
        if run.is_learned and Path(run.attributes["closure"]).is_dir():
            return json.loads(Bundle.open(run.attributes["closure"]).config).get("a_priori", {})
    return {}
