"""Why a column is refused: one sentence for each status of subgrid_mskf_checks."""

import numpy as np

REASONS = {
    1: "has fewer than 3 levels or more than the arrays hold",
    2: "holds a NaN or an infinity",
    3: "has a pressure outside 1 Pa to 150 kPa or not decreasing upward (level 1 must be the lowest)",
    4: "has a temperature outside 100 to 400 K (degrees Celsius instead of kelvin?)",
    5: "has a layer thickness outside 0.01 m to 30 km",
    6: "has a density outside 1e-5 to 10 kg m-3",
    7: "has a mixing ratio outside -0.01 to 0.2 kg kg-1 (g/kg instead of kg/kg?)",
    8: "has a horizontal wind above 1000 m s-1 or a vertical one above 200 m s-1",
    9: "has an Exner function outside 0.01 to 2",
    10: "has dx, dt, cudt, stepcu, ust, hfx, pblh or zol out of range",
    11: "left the finite numbers inside the scheme and was set to rest",
    12: "has pressures that are not those of its layers' mass, rho*g*dz8w (hPa instead of Pa?)",
}


def refusals(status: np.ndarray, what: str = "column", limit: int = 5) -> list[str]:
    """Sentences on what was refused (counted from 0), at most `limit` of them and then a count."""
    refused = np.flatnonzero(status)
    sentences = [
        f"{what} {index} {REASONS.get(int(status[index]), 'has an unknown status')}"
        for index in refused[:limit]
    ]
    if refused.size > limit:
        sentences.append(f"and {refused.size - limit} further {what}s are refused")
    return sentences
