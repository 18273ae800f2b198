"""From what a DNS run has collected to the contents of its reference file."""

import platform
from typing import Any

import jax
import numpy as np

from ..contracts.provenance import provenance
from ..contracts.reference import Reference
from ..contracts.reference_variables import CASE_ATTRIBUTES
from ..sims.turbulence2d.statistics import (
    confidence_band,
    moving_block_means,
    shape_moments,
    standard_error,
)
from ..sims.turbulence2d.statistics.distribution import EXCEEDANCE_THRESHOLDS, probability_density
from .dns_run import DnsRun

MEANS = (
    *("enstrophy_x", "enstrophy_y", "enstrophy_mean", "energy_x", "energy_y", "energy_mean"),
    *("enstrophy_shell", "energy_shell", "advection_enstrophy_transfer", "advection_energy_transfer"),
    *("subgrid_enstrophy_transfer", "subgrid_energy_transfer", "gradient_correlation"),
    *("enstrophy_budget", "energy_budget", "exceedance"),
)
HELD_OUT_SHARE = 0.25
BOOTSTRAP = {"replicas": 400, "seed": 0}


def make_reference(run: DnsRun, command: str) -> Reference:
    """The reference of the samples collected so far; InputError if they are too few for error bars."""
    means = run.progress.means
    arrays = {name: means.mean(name) for name in MEANS}
    arrays["wavenumber"] = np.arange(len(arrays["enstrophy_mean"]))
    for name in ("enstrophy_mean", "energy_mean"):
        variance = means.mean(f"{name}_squared") - arrays[name] ** 2
        arrays[f"{name}_std"] = np.sqrt(np.maximum(variance, 0.0))
        arrays[f"{name}_error"] = standard_error(means.block_means(name))
    arrays |= _distribution(run) | _levels(run) | _snapshots(run)
    arrays["sample_time"] = np.array(run.progress.times)
    arrays["log_enstrophy"] = np.array(run.progress.log_enstrophy)
    return Reference(_attributes(run, command), arrays)


def _distribution(run: DnsRun) -> dict[str, np.ndarray]:
    means, bins = run.progress.means, run.plan.measures.bins
    density = probability_density(means.block_means("histogram"), bins)
    lower, upper = confidence_band(density, **BOOTSTRAP)
    replicas = moving_block_means(means.block_means("raw_moments"), **BOOTSTRAP)
    return {
        "bin_edge": bins.edges,
        "pdf": probability_density(means.mean("histogram"), bins),
        "pdf_lower": lower,
        "pdf_upper": upper,
        "moments": shape_moments(means.mean("raw_moments")),
        "moments_error": shape_moments(replicas).std(axis=0),
        "threshold": np.array(EXCEEDANCE_THRESHOLDS),
        "exceedance_error": standard_error(means.block_means("exceedance")),
    }


def _levels(run: DnsRun) -> dict[str, np.ndarray]:
    plan, means = run.plan, run.progress.means
    count = plan.log_wavenumbers
    spectra = [means.mean("enstrophy_mean")[:count]]
    for level in plan.measures.levels:
        cut = means.mean(f"enstrophy_level_{level}")[:count]
        spectra.append(np.pad(cut, (0, count - len(cut))))
    grids = (plan.sampling.grid, *plan.measures.levels)
    return {"level_grid": np.array(grids), "level_enstrophy": np.stack(spectra)}


def _snapshots(run: DnsRun) -> dict[str, np.ndarray]:
    """States and pairs, evenly spread; the last quarter in time is held out for testing."""
    arrays = {}
    for group, count, fields in (
        ("states", run.plan.states, {"vorticity": "state"}),
        ("pairs", run.plan.pairs, {"vorticity": "vorticity", "tendency": "tendency"}),
    ):
        picked = run.progress.snapshots.evenly(count)
        training = len(picked) - int(HELD_OUT_SHARE * len(picked))
        arrays[f"{group}/time"] = np.array([snapshot["time"] for snapshot in picked])
        arrays[f"{group}/held_out"] = (np.arange(len(picked)) >= training).astype(np.int8)
        for name, source in fields.items():
            arrays[f"{group}/{name}"] = np.stack([snapshot[source] for snapshot in picked])
    return arrays


def _attributes(run: DnsRun, command: str) -> dict[str, Any]:
    plan, progress = run.plan, run.progress
    device = jax.devices()[0]
    return {
        "title": f"Reference statistics of a DNS of forced two-dimensional turbulence, case {plan.case.name}",
        "case": plan.case.name,
        **{name: getattr(plan.case, name) for name in CASE_ATTRIBUTES},
        "grid": plan.sampling.grid,
        "dt": plan.sampling.dt,
        "integrator": "ifrk4",
        "dealiasing": plan.dealiasing,
        "precision": "float64",
        "seed": plan.seed,
        "spin_up": plan.spin_up_time,
        "spin_up_stages": "; ".join(
            f"{s.dt * s.chunk * s.chunks:g} on {s.grid}^2 with dt {s.dt:g}" for s in plan.spin_up
        ),
        "time_span": progress.chunk * plan.sampling.chunk * plan.sampling.dt,
        "samples": progress.means.count,
        "sample_interval": plan.sampling.chunk * plan.sampling.dt,
        "sigma_reference": plan.measures.sigma_reference,
        "pair_filter": "gaussian, then truncation to |kx|, |ky| <= pair_largest_wavenumber",
        "pair_filter_width": plan.measures.pair_width,
        "pair_largest_wavenumber": plan.measures.pair_grid // 2 - 1,
        "command": command,
        "hardware": f"{device.device_kind} ({device.platform}), {platform.machine()}",
        "wall_seconds": progress.seconds,
        **provenance(),
    }
