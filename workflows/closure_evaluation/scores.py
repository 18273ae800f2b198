"""Scores of runs against the filtered DNS, with bands, and what natural variability alone would score."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...contracts.reference import Reference
from ...envs.closure_env import ClosureEnv
from ...envs.targets import cut_spectrum
from ...sims.turbulence2d.statistics.bootstrap import STRETCHES
from ...sims.turbulence2d.statistics.distribution import probability_density, shape_moments
from ...sims.turbulence2d.statistics.spectra import shell_spectrum
from ...sims.turbulence2d.statistics.transfer import mode_energy_transfer, mode_enstrophy_transfer
from ...sims.turbulence2d.subgrid_tendency import subgrid_tendency
from ...validation.flow_statistics import reference_bins
from ...validation.turbulence import score, spectrum_log_error, spectrum_reward
from .runs import blow_up_times, only, survivors

REPLICAS = 400
BAND = [0.025, 0.975]
THRESHOLDS = (3, 4, 5)


def statistics(run: Mapping[str, np.ndarray], reference: Reference) -> dict[str, np.ndarray]:
    """Time means over surviving simulations (all, if none survived); k = 0 of spectra is empty."""
    sound = survivors(run)
    means = {name: value.mean((0, 1)) for name, value in only(run, sound | ~sound.any()).items()}
    return {
        "spectrum": np.append(0.0, means["spectrum"].mean(0)),
        "spectrum_directions": means["spectrum"],
        "pdf": probability_density(means["histogram"], reference_bins(reference)),
        "exceedance": means["exceedance"],
        "moments": shape_moments(means["raw_moments"]),
        "reward": means["reward"],
        "enstrophy_transfer": means["enstrophy_transfer"],
        "energy_transfer": means["energy_transfer"],
    }


def target_statistics(reference: Reference, environment: ClosureEnv) -> dict[str, np.ndarray]:
    """The same of the DNS cut to the grid of the LES, with the transfer that the cut scales exert."""
    level, carried = reference.level(environment.n), environment.grid.carried
    directions = cut_spectrum(reference, environment.case, environment.n)
    spectrum = directions.mean(0)[: carried + 1].copy()
    spectrum[0] = 0.0
    return {
        "spectrum": spectrum,
        "spectrum_directions": directions[:, 1 : carried + 1],
        **{name: reference[name][level] for name in ("pdf", "pdf_lower", "pdf_upper")},
        **{name: reference[name][level] for name in ("exceedance", "moments")},
        **true_transfer(reference, environment),
    }


def true_transfer(reference: Reference, environment: ClosureEnv) -> dict[str, np.ndarray]:
    """What the exact Π of the sharp cut feeds to the shells, from the stored states; empty where these hold
    no modes beyond the LES.

    The states are themselves cut (128²), so the transfer due to still smaller scales is missing.
    """
    states = np.asarray(reference["states/vorticity"], np.float64)
    fine = states.shape[-1]
    if environment.n >= fine:
        return {}
    hat, tendency = subgrid_tendency(
        np.fft.rfft2(states),
        coarse=environment.n,
        transfer=np.ones(1),
        fine_highest=fine // 2 - 1,
        coarse_highest=environment.grid.carried,
    )
    return {
        "enstrophy_transfer": shell_spectrum(mode_enstrophy_transfer(hat, tendency)).mean(0),
        "energy_transfer": shell_spectrum(mode_energy_transfer(hat, tendency)).mean(0),
    }


def scores_with_bands(
    run: Mapping[str, np.ndarray],
    target: Mapping[str, np.ndarray],
    reference: Reference,
    environment: ClosureEnv,
    *,
    block_time: float,
    dns_band: np.ndarray,
) -> dict[str, Any]:
    """Scores of a run, each with its 95 % band by bootstrap over simulations; `survived` and `cost`.

    dns_band: (2, K), bounds of Z/Z_DNS within which natural variability stays.
    """
    sound = survivors(run)
    result: dict[str, Any] = {"survived": float(sound.mean()), "simulations": int(sound.size)}
    result["cost"] = float(run["cost"].mean())
    if not sound.all():
        result["blow_up_time"] = float(np.median(blow_up_times(run, block_time)))
    if not sound.any():
        return result
    alive = only(run, sound)

    def all_scores(part):
        return _scores(statistics(part, reference), target, reference, environment, dns_band)

    rng = np.random.default_rng(0)
    picks = rng.integers(0, sound.sum(), (REPLICAS, sound.sum()))
    seeds = {name: value.mean(1, keepdims=True) for name, value in alive.items()}
    replicas = [all_scores(only(seeds, pick)) for pick in picks]
    for name, value in all_scores(alive).items():
        found = np.array([replica[name] for replica in replicas])
        result[name] = value
        if np.isfinite(found).any():
            result[f"{name}_band"] = [float(q) for q in np.quantile(found[np.isfinite(found)], BAND)]
    return result


def _scores(
    found: dict[str, np.ndarray],
    target: Mapping[str, np.ndarray],
    reference: Reference,
    environment: ClosureEnv,
    dns_band: np.ndarray,
) -> dict[str, float]:
    carried = environment.grid.carried
    result = score(found, target, highest=carried, bin_width=reference_bins(reference).width)
    ratio = found["spectrum_directions"] / target["spectrum_directions"]
    inside = (ratio >= dns_band[0]) & (ratio <= dns_band[1])
    raw = np.append(0.0, reference["enstrophy_mean"][1 : carried + 1])
    return result | {
        "training_reward": float(found["reward"]),
        "spectrum_reward_uncut": spectrum_reward(found["spectrum"], raw),
        "spectrum_error_worst_direction": float(np.sqrt((np.log10(ratio) ** 2).mean(1)).max()),
        "spectrum_inside_dns_band": float(inside.mean(1).min()),
        "sigma": float(found["moments"][0]),
        **{f"exceedance_{t}": float(p) for t, p in zip(THRESHOLDS, found["exceedance"], strict=True)},
    }


def natural_variability(
    reference: Reference, environment: ClosureEnv, target: Mapping[str, np.ndarray], time: float
) -> tuple[dict[str, Any], np.ndarray]:
    """(scores, bounds of Z/Z_DNS (2, K)) of another DNS, sampled for `time`, judged by this one.

    Spectra: both are drawn from the samples of the reference by moving blocks of a tenth of its length, as
    many as the time of either holds; they carry the mean of both directions only. Kurtosis and tails: from
    their standard errors e in the reference, e² (1 + T_ref/T) being the variance of the difference.
    """
    carried = environment.grid.carried
    series = np.exp(np.asarray(reference["log_enstrophy"], np.float64))[:, 1 : carried + 1]
    samples = max(1, round(time / float(reference.attributes["sample_interval"])))
    rng = np.random.default_rng(0)
    ratio = _block_means(series, samples, rng) / _block_means(series, len(series), rng)
    bounds = np.quantile(ratio, BAND, axis=0)
    whole = target["spectrum"]
    drawn = np.pad(ratio * whole[1:], ((0, 0), (1, 0)))
    draws = {
        "spectrum_log_error": [spectrum_log_error(one, whole, highest=carried) for one in drawn],
        "spectrum_reward": [spectrum_reward(one, whole) for one in drawn],
        "spectrum_inside_dns_band": ((ratio >= bounds[0]) & (ratio <= bounds[1])).mean(1),
    }
    scores: dict[str, Any] = {}
    for name, values in draws.items():
        scores[name] = float(np.median(values))
        scores[f"{name}_band"] = [float(q) for q in np.quantile(values, BAND)]
    level = reference.level(environment.n)
    growth = np.sqrt(1.0 + float(reference.attributes["time_span"]) / time)
    kurtosis, error = (float(reference[name][level, 2]) for name in ("moments", "moments_error"))
    _put(scores, "kurtosis", kurtosis, 1.96 * growth * error)
    for i, threshold in enumerate(THRESHOLDS):
        chance, error = (float(reference[name][level, i]) for name in ("exceedance", "exceedance_error"))
        if chance > 0.0:
            _put(scores, f"exceedance_ratio_{threshold}_sigma", 1.0, 1.96 * growth * error / chance)
    return scores, bounds


def _put(scores: dict[str, Any], name: str, value: float, half_width: float) -> None:
    scores[name] = value
    scores[f"{name}_band"] = [max(0.0, value - half_width), value + half_width]


def _block_means(series: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Bootstrap means over `samples` samples, [replica, ...], drawn in blocks from `series` [sample, ...]."""
    length = max(1, len(series) // STRETCHES)
    starts = rng.integers(0, len(series) - length + 1, (REPLICAS, -(-samples // length)))
    picked = (starts[..., None] + np.arange(length)).reshape(REPLICAS, -1)[:, :samples]
    weights = np.stack([np.bincount(row, minlength=len(series)) for row in picked]) / samples
    return weights @ series
