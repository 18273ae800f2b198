"""The parts of a closure report for one grid: tables, figures, policy maps, survival."""

from collections.abc import Sequence

import numpy as np

from ...contracts.reference import Reference
from ...sims.turbulence2d.statistics.distribution import shape_moments
from ...validation import closure_figures
from ...validation.flow_statistics import reference_bins
from ...validation.page import Figure, Section, Table
from ...validation.turbulence_figures import as_data_uri
from .grid import GridValidation, ValidationPlan
from .survival import Survival
from .tables import constants_table, score_table, what_is_compared


def grid_sections(
    found: GridValidation, plan: ValidationPlan, reference: Reference, learned: Sequence[str], heading: str
) -> list[Section]:
    """All sections of a grid; `heading` begins their titles."""
    return [
        Section(f"{heading}Scores", what_is_compared(plan), [score_table(found, plan)]),
        Section(f"{heading}Spectra, densities, transfers", (), (), figures(found, reference, learned)),
        *policy_sections(found, heading),
        *survival_sections(found, heading),
        Section(f"{heading}Tuned constants", (), [constants_table(found)]),
    ]


def figures(found: GridValidation, reference: Reference, learned: Sequence[str]) -> list[Figure]:
    """Spectra over the DNS, densities and transfers: learned closures and the best of each tuned family."""
    shown = [*learned, *_best_of_families(found, learned)][: closure_figures.SHOWN]
    runs = {name: found.statistics[name] for name in shown}
    bins, carried = reference_bins(reference), found.environment.grid.carried
    return [
        Figure(
            as_data_uri(closure_figures.spectrum_ratios(runs, found.target, found.dns_band)),
            "Time-mean enstrophy spectra over that of the cut DNS; the band is where another DNS would lie.",
        ),
        Figure(
            as_data_uri(closure_figures.density_comparison(runs, found.target, bins.centres)),
            "Probability density of the vorticity; the band is the cut DNS.",
        ),
        Figure(
            as_data_uri(closure_figures.transfers(runs, found.target, carried)),
            "Rates at which the closure feeds enstrophy and energy to a shell: negative is dissipation, "
            "positive backscatter. Black: the exact transfer of the sharp cut, from the "
            "states of the reference (128²).",
        ),
    ]


def policy_sections(found: GridValidation, heading: str) -> list[Section]:
    """What every policy does where."""
    sections = []
    for name, policy in found.maps.items():
        correlations = policy.correlations()
        curves = closure_figures.action_curves(
            policy.invariants, policy.actions, policy.invariant_names, policy.action_names
        )
        rows = [
            [component, f"{mean:.3g}", f"{spread:.3g}", *(f"{value:.2f}" for value in row)]
            for component, mean, spread, row in zip(
                policy.action_names, policy.actions.mean(0), policy.actions.std(0), correlations, strict=True
            )
        ]
        header = ["action (−1 … 1)", "mean", "spread", *policy.invariant_names]
        caption = "Mean and spread of the actions, and their correlation with what the agents see."
        pictures = [
            Figure(
                as_data_uri(curves),
                "Mean action against what agents see, as they see it; shaded: ± one spread.",
            )
        ]
        if policy.place is not None:
            header.append("transfer ωΠ")
            strongest = policy.telling_invariant()
            joint = closure_figures.action_maps(
                policy.place[:, 0],
                policy.invariants[:, strongest],
                policy.actions,
                policy.invariant_names[strongest],
                policy.action_names,
            )
            pictures.append(
                Figure(
                    as_data_uri(joint),
                    "Mean action against vorticity and the invariant that it follows most.",
                )
            )
        sections.append(
            Section(
                f"{heading}What {name} does",
                (),
                [Table(header, rows, caption)],
                pictures,
            )
        )
    return sections


def survival_sections(found: GridValidation, heading: str) -> list[Section]:
    """How long simulations lasted and whether the flow stayed as it was, if that was asked."""
    if not found.survival:
        return []
    rows = [
        [
            name,
            f"{np.isinf(survival.ended).sum()} of {survival.ended.size}",
            "–" if survival.fraction == 1.0 else f"{survival.first_end:.4g}",
            *_halves(survival, float(found.target["moments"][0])),
        ]
        for name, survival in found.survival.items()
    ]
    one = next(iter(found.survival.values()))
    caption = (
        f"Simulations of T = {one.time:g} ({one.time / found.environment.numerics.dt:.3g} time steps). "
        "Standard deviation over that of the DNS, and kurtosis, first half → second half, of all survivors."
    )
    header = ["closure", "survived", "first end", "σ / DNS", "kurtosis"]
    return [Section(f"{heading}Survival", (), [Table(header, rows, caption)])]


def _halves(survival: Survival, sigma: float) -> list[str]:
    """σ/`sigma` and kurtosis, each “first half → second half”; “–” if no simulation survived."""
    if not survival.fraction:
        return ["–", "–"]
    deviation, _, kurtosis = shape_moments(survival.moments[:, np.isinf(survival.ended)].mean(1)).T
    return [" → ".join(f"{value:.3f}" for value in pair) for pair in (deviation / sigma, kurtosis)]


def _best_of_families(found: GridValidation, learned: Sequence[str]) -> list[str]:
    """The row with the smallest spectrum error of each family whose constants were tuned."""
    best = []
    for family in dict.fromkeys([*found.kalman, *found.tuned]):
        errors = {
            name: score["spectrum_log_error"]
            for name, score in found.scores.items()
            if name.startswith(family) and name not in learned and "spectrum_log_error" in score
        }
        if errors:
            best.append(min(errors, key=errors.get))
    return best
