"""The one list of the attributes and variables of a reference statistics file; all are dimensionless."""

from dataclasses import dataclass

CASE_ATTRIBUTES = ("forcing_wavenumber", "beta", "viscosity", "drag")
ATTRIBUTES = (
    "case",
    *CASE_ATTRIBUTES,
    *("grid", "dt", "integrator", "dealiasing", "precision", "seed"),
    *("spin_up", "time_span", "samples", "sample_interval"),
    *("sigma_reference", "pair_filter", "pair_filter_width", "pair_largest_wavenumber"),
    *("command", "hardware", "wall_seconds", "created", "git_revision"),
)


@dataclass(frozen=True)
class Variable:
    """A variable of the file: its dimensions, storage kind, and what it is. All are dimensionless."""

    dimensions: tuple[str, ...]
    kind: str
    long_name: str
    rounded: bool = False


def _spectrum(what: str, dimension: str = "wavenumber") -> Variable:
    return Variable((dimension,), "f8", what)


VARIABLES: dict[str, Variable] = {
    "wavenumber": Variable(("wavenumber",), "i4", "wavenumber of the one-dimensional spectra"),
    "enstrophy_x": _spectrum("one-dimensional enstrophy spectrum along x, time mean"),
    "enstrophy_y": _spectrum("one-dimensional enstrophy spectrum along y, time mean"),
    "enstrophy_mean": _spectrum("mean of enstrophy_x and enstrophy_y"),
    "enstrophy_mean_std": _spectrum("standard deviation in time of enstrophy_mean"),
    "enstrophy_mean_error": _spectrum("standard error of enstrophy_mean from ten stretches of the run"),
    "energy_x": _spectrum("one-dimensional energy spectrum along x, time mean"),
    "energy_y": _spectrum("one-dimensional energy spectrum along y, time mean"),
    "energy_mean": _spectrum("mean of energy_x and energy_y"),
    "energy_mean_std": _spectrum("standard deviation in time of energy_mean"),
    "energy_mean_error": _spectrum("standard error of energy_mean from ten stretches of the run"),
    "enstrophy_shell": _spectrum("enstrophy in the shell k-1/2 < |k| <= k+1/2, time mean", "shell"),
    "energy_shell": _spectrum("energy in the shell, time mean", "shell"),
    "advection_enstrophy_transfer": _spectrum(
        "rate at which advection feeds enstrophy to the shell", "shell"
    ),
    "advection_energy_transfer": _spectrum("rate at which advection feeds energy to the shell", "shell"),
    "subgrid_enstrophy_transfer": _spectrum(
        "rate at which the exact subgrid tendency feeds enstrophy", "pair_shell"
    ),
    "subgrid_energy_transfer": _spectrum(
        "rate at which the exact subgrid tendency feeds energy", "pair_shell"
    ),
    "gradient_correlation": _spectrum(
        "pattern correlation of the gradient models GM2 and GM4 with the exact subgrid tendency",
        "gradient_model",
    ),
    "enstrophy_budget": _spectrum("injection, viscous loss, drag loss of enstrophy", "budget_term"),
    "energy_budget": _spectrum("injection, viscous loss, drag loss of energy", "budget_term"),
    "level_grid": Variable(
        ("level",), "i4", "grid of the sharp square cut of the level; the first is the DNS"
    ),
    "level_enstrophy": Variable(
        ("level", "log_wavenumber"),
        "f8",
        "mean one-dimensional enstrophy spectrum of the cut field, 0 where cut",
    ),
    "bin_edge": Variable(("bin_edge",), "f8", "edges of the histogram of vorticity / sigma_reference"),
    "pdf": Variable(("level", "bin"), "f8", "probability density of vorticity / sigma_reference"),
    "pdf_lower": Variable(("level", "bin"), "f4", "lower 95 % bound of pdf by moving-block bootstrap"),
    "pdf_upper": Variable(("level", "bin"), "f4", "upper 95 % bound of pdf by moving-block bootstrap"),
    "moments": Variable(("level", "moment"), "f8", "standard deviation, skewness, kurtosis of the vorticity"),
    "moments_error": Variable(("level", "moment"), "f8", "their standard errors by moving-block bootstrap"),
    "threshold": Variable(("threshold",), "f8", "threshold of |vorticity| in units of sigma_reference"),
    "exceedance": Variable(
        ("level", "threshold"), "f8", "probability that |vorticity| exceeds the threshold"
    ),
    "exceedance_error": Variable(
        ("level", "threshold"), "f8", "its standard error from ten stretches of the run"
    ),
    "sample_time": Variable(("sample",), "f4", "time of the sample since the end of the spin-up"),
    "log_enstrophy": Variable(
        ("sample", "log_wavenumber"), "f4", "natural logarithm of enstrophy_mean of each sample", rounded=True
    ),
    "states/time": Variable(("state",), "f4", "time of the state since the end of the spin-up"),
    "states/held_out": Variable(("state",), "i1", "1: for testing only, 0: for training"),
    "states/vorticity": Variable(
        ("state", "state_y", "state_x"), "f4", "sharp-truncated DNS vorticity", rounded=True
    ),
    "pairs/time": Variable(("pair",), "f4", "time of the pair since the end of the spin-up"),
    "pairs/held_out": Variable(("pair",), "i1", "1: for testing only, 0: for training"),
    "pairs/vorticity": Variable(
        ("pair", "pair_y", "pair_x"), "f4", "Gaussian-filtered DNS vorticity", rounded=True
    ),
    "pairs/tendency": Variable(
        ("pair", "pair_y", "pair_x"),
        "f4",
        "exact subgrid tendency, added to the right-hand side",
        rounded=True,
    ),
}
