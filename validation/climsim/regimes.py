"""Parts of the globe and of the weather in which an emulator may be better or worse."""

import numpy as np

Fields = dict[str, np.ndarray]
QUANTILES = (0.99, 0.999, 0.9999)
MM_PER_DAY = 8.64e7  # of 1 m/s


def regimes(inputs: Fields, targets: Fields, lat: np.ndarray) -> dict[str, np.ndarray]:
    """Name → (time, ncol) boolean; regimes whose fields are not there are left out."""
    surface = {"land": "cam_in_LANDFRAC", "ocean": "cam_in_OCNFRAC", "sea ice": "cam_in_ICEFRAC"}
    found = {name: inputs[share] > 0.5 for name, share in surface.items() if share in inputs}
    if "coszrs_end" in inputs:
        found |= {"day": inputs["coszrs_end"] > 0, "night": inputs["coszrs_end"] <= 0}
    if "cam_out_PRECC" in targets:
        rain = targets["cam_out_PRECC"] * MM_PER_DAY
        found |= {
            "tropics": np.broadcast_to(np.abs(lat) <= 20, rain.shape),
            "dry (< 0.1 mm/day)": rain < 0.1,
            "rain (1 to 20 mm/day)": (rain >= 1) & (rain < 20),
            "heavy rain (> 20 mm/day)": rain >= 20,
        }
    return found


def means_within(parts: dict[str, np.ndarray], error: np.ndarray) -> dict[str, float]:
    """Mean of (time, ncol) `error` within each part; one that does not occur is left out."""
    return {name: float(error[where].mean()) for name, where in parts.items() if where.any()}


def extremes(field: np.ndarray, target: np.ndarray) -> dict[str, list[float]]:
    """High quantiles of |x| of prediction and target, raw units: does the emulator reach the extremes?"""
    pairs = zip(np.quantile(np.abs(field), QUANTILES), np.quantile(np.abs(target), QUANTILES), strict=True)
    return {f"{level:g}": [float(p), float(t)] for level, (p, t) in zip(QUANTILES, pairs, strict=True)}
