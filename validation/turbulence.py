"""Scores of an LES (or of any flow) against the reference of its case: arrays in, numbers out.

Spectra are one-dimensional means Z(k), k = 0 … N/2−1; densities and exceedances share the bins and σ_ref of
the reference.
"""

from collections.abc import Mapping

import numpy as np

from ..contracts.errors import InputError


def _require_alike(name: str, found: np.ndarray, reference: np.ndarray) -> None:
    if np.shape(found) != np.shape(reference):
        raise InputError(
            f"The {name} of the run has shape {np.shape(found)}, its reference {np.shape(reference)}."
        )


def spectrum_log_error(
    spectrum: np.ndarray, reference: np.ndarray, *, lowest: int = 1, highest: int | None = None
) -> float:
    """RMS over lowest ≤ k ≤ highest of log10(Z/Z_ref); infinite where the run has an empty mode.

    highest: last wavenumber that the LES carries, default the last of the array.
    """
    _require_alike("spectrum", spectrum, reference)
    stretch = slice(lowest, None if highest is None else highest + 1)
    with np.errstate(divide="ignore"):
        errors = np.log10(spectrum[stretch]) - np.log10(reference[stretch])
    return float(np.sqrt(np.mean(errors**2)))


def spectrum_reward(spectrum: np.ndarray, reference: np.ndarray) -> float:
    """1/‖k (Z − Z_ref)‖², k = 0 … N/2−1: the reward of Mojgani et al. (arXiv 2312.00907), xy form."""
    _require_alike("spectrum", spectrum, reference)
    k = np.arange(len(spectrum))
    with np.errstate(divide="ignore"):
        return float(1.0 / np.float64(np.sum((k * (spectrum - reference)) ** 2)))


def total_variation(pdf: np.ndarray, reference: np.ndarray, width: float) -> float:
    """½∫|p − p_ref|: the probability mass that is misplaced, 0 … 1; both [bin], bins of `width`."""
    _require_alike("pdf", pdf, reference)
    return float(0.5 * np.sum(np.abs(pdf - reference)) * width)


def pdf_log_error(pdf: np.ndarray, reference: np.ndarray, *, floor: float) -> float:
    """RMS of log10(p/p_ref) over the bins with p_ref > floor; p counts as at least `floor`."""
    _require_alike("pdf", pdf, reference)
    seen = reference > floor
    if not seen.any():
        raise InputError(f"No bin of the reference density exceeds the floor {floor}; take a lower floor.")
    return float(np.sqrt(np.mean(np.log10(np.maximum(pdf[seen], floor) / reference[seen]) ** 2)))


def exceedance_ratio(exceedance: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """P(|ω| > t σ_ref) of the run over that of the reference, per threshold; NaN where that is 0."""
    _require_alike("exceedance", exceedance, reference)
    return np.divide(
        exceedance, reference, out=np.full(np.shape(reference), np.nan), where=np.asarray(reference) > 0
    )


def score(
    run: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray], *, highest: int, bin_width: float
) -> dict[str, float]:
    """All scores of a run, by name.

    run, reference: `spectrum` [k], `pdf` [bin], `exceedance` [threshold], `moments` [3] (σ, skewness,
        kurtosis), of the same grid and σ_ref.
    highest: last wavenumber that the LES carries.
    """
    ratios = exceedance_ratio(run["exceedance"], reference["exceedance"])
    scores = {
        "spectrum_log_error": spectrum_log_error(run["spectrum"], reference["spectrum"], highest=highest),
        "spectrum_reward": spectrum_reward(run["spectrum"], reference["spectrum"]),
        "pdf_total_variation": total_variation(run["pdf"], reference["pdf"], bin_width),
        "pdf_log_error": pdf_log_error(run["pdf"], reference["pdf"], floor=1e-5),
        "sigma_ratio": float(run["moments"][0] / reference["moments"][0]),
        "kurtosis": float(run["moments"][2]),
        "kurtosis_reference": float(reference["moments"][2]),
    }
    return scores | {f"exceedance_ratio_{i + 3}_sigma": float(ratio) for i, ratio in enumerate(ratios)}


def slope(spectrum: np.ndarray, lowest: int, highest: int) -> float:
    """Exponent of a power law fitted to the spectrum over lowest ≤ k ≤ highest (in logarithms)."""
    k = np.arange(lowest, highest + 1)
    return float(np.polyfit(np.log(k), np.log(spectrum[lowest : highest + 1]), 1)[0])


def enstrophy_fraction(spectrum: np.ndarray, grid: int) -> float:
    """Share of the enstrophy at k < grid/2 of a one-dimensional spectrum (two-sided: Z(0) + 2 Σ Z(k))."""
    twosided = np.where(np.arange(len(spectrum)) == 0, 1.0, 2.0) * spectrum
    return float(twosided[: grid // 2].sum() / twosided.sum())
