"""What an LES is asked to do, checked before anything runs."""

import json
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from ...contracts.bundle import Bundle
from ...contracts.errors import InputError
from ...sims.turbulence2d.cases import Case, get_case
from ...sims.turbulence2d.numerics import Numerics, check_grid, stable_dt

HOSTS = ("fortran", "numpy", "jax")


@dataclass(frozen=True)
class LesSetup:
    """One large-eddy simulation (all quantities dimensionless).

    Attributes:
        case: name of a flow (`k4b0`, `k4b20`, `k25b0`).
        grid: points per side.
        time: length of the run.
        closure: name of a closure, or path of a bundle.
        closure_constant: constant of the closure, None for its default.
        host: `fortran`, `numpy` or `jax`.
        integrator, dealiasing: see docs/physics/turbulence2d.md.
        dt: time step, None for a stable one.
        save_interval: time between two records of the output.
        seed: of the random initial field, or the index of the state where `initial` holds several.
        initial: file with an initial vorticity (reference, LES output or plain field), None for random.
        device: where a bundle runs, `cpu` or `cuda`.
    """

    case: str = "k4b0"
    grid: int = 64
    time: float = 10.0
    closure: str = "none"
    closure_constant: float | None = None
    host: str = "fortran"
    integrator: str = "ifrk4"
    dealiasing: str = "two_thirds"
    dt: float | None = None
    save_interval: float = 0.5
    seed: int = 0
    initial: Path | None = None
    device: str = "cpu"

    def __post_init__(self):
        if self.host not in HOSTS:
            raise InputError(f"--host: found {self.host!r}, expected one of {', '.join(HOSTS)}.")
        for name in ("time", "save_interval", "dt"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                raise InputError(f"--{name.replace('_', '-')}: found {value}, expected a positive number.")
        constant = self.closure_constant
        if constant is not None and not (isfinite(constant) and constant >= 0):
            raise InputError(f"--constant: found {constant}, expected a number of at least 0.")
        if self.seed < 0:
            raise InputError(f"--seed: found {self.seed}, expected 0, 1, 2, …")
        check_grid(self.flow, self.grid, self.numerics)

    @property
    def flow(self) -> Case:
        """Parameters of the case."""
        return get_case(self.case)

    @property
    def numerics(self) -> Numerics:
        """Time step, integrator and dealiasing."""
        dt = self.dt or stable_dt(self.flow, self.grid, self.integrator)
        return Numerics(dt=dt, integrator=self.integrator, dealiasing=self.dealiasing)

    @property
    def bundle(self) -> Path | None:
        """The bundle's directory when the closure is a path."""
        path = Path(self.closure)
        return path if path.suffix == ".bundle" or path.is_dir() else None

    @property
    def steps(self) -> int:
        """Number of time steps: the whole number that ends nearest to `time`."""
        return max(1, round(self.time / self.numerics.dt))

    @property
    def save_every(self) -> int:
        """Steps between two records: the whole number nearest to `save_interval`."""
        return max(1, round(self.save_interval / self.numerics.dt))

    def attributes(self) -> dict:
        """Global attributes of the output (NetCDF knows neither None nor paths)."""
        flow, numerics = self.flow, self.numerics
        plain = {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
            if value is not None and key not in ("time", "dt")
        }
        return plain | {
            "forcing_wavenumber": flow.forcing_wavenumber,
            "beta": flow.beta,
            "viscosity": flow.viscosity,
            "drag": flow.drag,
            "dt": numerics.dt,
            "save_interval": self.save_every * numerics.dt,
            "source": f"subgrid LES in {self.host}",
            **self._filter_of_bundle(),
        }

    def _filter_of_bundle(self) -> dict:
        """`closure_filter_width` Δ_f of a closure that was trained on filtered DNS: the field it resolves."""
        config = Bundle.open(self.bundle).config if self.bundle else ""
        if not config.startswith("{"):  # only our own trainings describe themselves in JSON
            return {}
        width = json.loads(config).get("width")
        return {} if width is None else {"closure_filter_width": width}
