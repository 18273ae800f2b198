"""Published and measured figures of the three cases that our references and solvers are checked against.

`PUBLISHED` holds what the data of Mojgani et al. (arXiv 2312.00907) say: five snapshots of a 1024² DNS,
dimensionless. `INDEPENDENT` holds an independent pseudo-spectral DNS at 1024² of the same equation. The
bands are what the sampling of either allows: the large scales turn over slowly, so second moments vary by
several percent between runs of some tens of time units and fourth moments, carried by few vortices, by a
quarter."""

from dataclasses import dataclass

# σ_ref of the histograms and exceedances, a round number near the standard deviation of each case's DNS.
SIGMA_REFERENCE = {"k4b0": 6.3, "k4b20": 10.7, "k25b0": 13.9}


@dataclass(frozen=True)
class ReferenceValue:
    """A number to be found in a reference: `name` at the sharp cut to `grid` (0: the DNS), within `tolerance` (relative)."""

    name: str
    grid: int
    value: float
    tolerance: float
    source: str
