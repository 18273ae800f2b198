"""Constants of closures tuned online by ensemble Kalman inversion, in as many simulations as a grid search.

The data are the logarithms of the filtered-DNS enstrophy spectrum, ln Z(k), k = 1 … K, of each direction that
the target has; the noise covariance is that of the DNS spectrum in time (envs/targets.py). A member of the
ensemble is a set of constants, its prediction the logarithm of the spectrum of its simulations, averaged over
time and copies. Parameters are the logarithms of the constants, which stay positive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, qmc

from ..contracts.errors import InputError
from ..envs.closure_env import ClosureEnv, EnvParams
from ..envs.ensemble import Ensemble, RunPlan
from ..envs.targets import Target
from ..jax_models.ensemble_kalman import ensemble_kalman_update
from .closure_forms import UNIFORM, Form
from .progress import Progress, silent

ITERATIONS = 4
FEWEST_MEMBERS = 3


@dataclass(frozen=True)
class KalmanTuned:
    """`constants`: geometric mean of the last ensemble; `history`: one row an iteration (means of the
    ensemble that ran, misfit per datum of its members, members that failed); `members` an iteration."""

    constants: dict[str, float]
    history: list[dict[str, float]]
    members: int


def tune_by_kalman(
    environment: ClosureEnv,
    params: EnvParams,
    families: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    copies: int,
    time: float,
    spin_up: float = 2.0,
    iterations: int = ITERATIONS,
    form: Form = UNIFORM,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, KalmanTuned]:
    """Tune every family, all of one form, in no more simulations than a search of its candidates.

    families: the candidates of the search by family; mean and spread of their logarithms are the prior.
    params: `copies` initial states, from all of which every member runs for `time` after `spin_up`.
    An ensemble of which fewer than two members survive stays as it is; its history says so.
    InputError: a family has too few candidates for `iterations` ensembles.
    """
    ensembles = {
        family: first_ensemble(candidates, len(candidates) // iterations, seed=seed)
        for family, candidates in families.items()
    }
    names = {family: parameter_names(candidates) for family, candidates in families.items()}
    history: dict[str, list[dict[str, float]]] = {family: [] for family in families}
    plan = RunPlan(spin_up=spin_up, blocks=1, block_time=time)
    simulations = Ensemble(environment, form.make_closure, plan)
    data, noise = spectrum_data(params.target)
    for iteration in range(iterations):
        everyone = [
            dict(zip(names[family], np.exp(member), strict=True))
            for family, ensemble in ensembles.items()
            for member in ensemble
        ]
        runs = simulations.run(params, form.members([one for one in everyone for _ in range(copies)]))
        predictions = np.split(
            predicted_spectra(runs, copies), np.cumsum([len(e) for e in ensembles.values()])[:-1]
        )
        for (family, ensemble), found in zip(ensembles.items(), predictions, strict=True):
            history[family].append(_record(names[family], ensemble, found - data, noise))
            ensembles[family] = np.asarray(ensemble_kalman_update(ensemble, found, data, noise))
        progress(iteration + 1, iterations)
    return {
        family: KalmanTuned(_means(names[family], ensemble), history[family], len(ensemble))
        for family, ensemble in ensembles.items()
    }


def parameter_names(candidates: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """The constants that the candidates of a family have."""
    return tuple(candidates[0])


def first_ensemble(candidates: Sequence[Mapping[str, float]], members: int, *, seed: int = 0) -> np.ndarray:
    """Logarithms of constants, (members, P): quasi-random normals of the candidates' log-mean and spread."""
    if members < FEWEST_MEMBERS:
        raise InputError(
            f"A family of {len(candidates)} candidates leaves {members} members an ensemble; expected at "
            f"least {FEWEST_MEMBERS}: give more candidates or fewer iterations."
        )
    columns = []
    for name in parameter_names(candidates):
        logs = np.log([member[name] for member in candidates if member[name] > 0.0])
        columns.append((logs.mean(), logs.std()))
    mean, spread = np.array(columns).T
    uniform = qmc.Halton(len(columns), seed=seed).random(members)
    return mean + spread * norm.ppf(uniform)


def spectrum_data(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """ln Z_ref of all directions, (D·K,), and its covariance, block-diagonal, (D·K, D·K)."""
    spectrum = np.asarray(target.spectrum, np.float64)
    inverse_root = np.asarray(target.whitening, np.float64)
    covariance = np.linalg.inv(inverse_root.T @ inverse_root)
    return np.log(spectrum).ravel(), np.kron(np.eye(len(spectrum)), covariance)


def predicted_spectra(runs: Mapping[str, np.ndarray], copies: int) -> np.ndarray:
    """ln of the mean spectrum over blocks and `copies`, (members, D·K); NaN where a copy blew up."""
    spectrum = runs["spectrum"].mean(1)
    sound = runs["alive"].min(1) > 0.999
    spectrum = np.where(sound[:, None, None], spectrum, np.nan)
    members = spectrum.reshape(-1, copies, spectrum[0].size).mean(1)
    with np.errstate(divide="ignore"):
        return np.log(members)


def _record(
    names: Sequence[str], ensemble: np.ndarray, errors: np.ndarray, noise: np.ndarray
) -> dict[str, float]:
    """What the history says of an ensemble."""
    sound = np.isfinite(errors).all(1)
    whitened = np.linalg.solve(noise, errors[sound].T).T
    misfit = float(np.mean(errors[sound] * whitened)) if sound.any() else float("nan")
    return {**_means(names, ensemble), "misfit": misfit, "failed": int((~sound).sum())}


def _means(names: Sequence[str], ensemble: np.ndarray) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, np.exp(ensemble.mean(0)), strict=True)}
