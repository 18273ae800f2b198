"""What physics says about any prediction, without looking at the target.

Each residual is given for the prediction and for the data themselves, because the data close some budgets on
average only (docs/physics/climsim.md).
"""

import numpy as np

from ...contracts.variables import SHORTWAVE, STEP_S, WATER_DENSITY

BANDS = (
    ("cam_out_SOLS", "cam_in_ASDIR"),
    ("cam_out_SOLSD", "cam_in_ASDIF"),
    ("cam_out_SOLL", "cam_in_ALDIR"),
    ("cam_out_SOLLD", "cam_in_ALDIF"),
)
MM_PER_DAY = 86400.0  # kg m-2 s-1 to mm/day


def residuals(
    outputs: dict[str, np.ndarray], inputs: dict[str, np.ndarray], mass: np.ndarray, area: np.ndarray
) -> dict[str, float]:
    """Every check that the outputs at hand allow, by name; zero means that the physics holds exactly.

    outputs, inputs: name → (time, ncol[, nlev]) raw. mass: (time, ncol, nlev). area: (ncol,).
    """
    found: dict[str, float] = {}
    if all(flux in outputs and albedo in inputs for flux, albedo in BANDS) and "cam_out_NETSW" in outputs:
        net = sum(outputs[flux].astype(np.float64) * (1 - inputs[albedo]) for flux, albedo in BANDS)
        found["NETSW identity, rms [W/m2]"] = _rms(outputs["cam_out_NETSW"] - net)
    if all(name in outputs for name in SHORTWAVE) and "coszrs_end" in inputs:
        night = inputs["coszrs_end"] <= 0
        dark = [np.abs(outputs[name][night]).max(initial=0.0) for name in SHORTWAVE]
        found["shortwave at night, max [W/m2]"] = float(max(dark))
    if {"cam_out_PRECC", "cam_out_PRECSC"} <= outputs.keys():
        excess = outputs["cam_out_PRECSC"] > outputs["cam_out_PRECC"] * (1 + 1e-6)
        found["columns with more snow than precipitation [%]"] = 100 * float(excess.mean())
    for tendency, state in (("q0001", "vapour"), ("q0002", "liquid"), ("q0003", "ice")):
        if f"ptend_{tendency}" in outputs and f"state_{tendency}" in inputs:
            after = inputs[f"state_{tendency}"] + STEP_S * outputs[f"ptend_{tendency}"].astype(np.float64)
            # Packed states and tendencies keep 12 bits: a relative 5e-4 below zero is storage, not physics.
            negative = after < -5e-4 * np.abs(inputs[f"state_{tendency}"]) - 1e-14
            found[f"cells with negative {state} after the step [%]"] = 100 * float(negative.mean())
    species = ("ptend_q0001", "ptend_q0002", "ptend_q0003")
    if all(name in outputs for name in species) and "cam_out_PRECC" in outputs:
        gained = sum((outputs[name].astype(np.float64) * mass).sum(axis=-1) for name in species)
        residual = (gained + WATER_DENSITY * outputs["cam_out_PRECC"]) * MM_PER_DAY
        found["column water, global mean [mm/day]"] = float((residual * area).mean() / area.mean())
        found["column water, rms over columns and steps [mm/day]"] = _rms(residual)
    return found


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
