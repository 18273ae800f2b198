"""The horizontal grid and the hybrid vertical coordinate of a column data set."""

from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from ...contracts.errors import FileError
from ...contracts.variables import GRAVITY

FIELDS = ("lat", "lon", "area", "hyam", "hybm", "hyai", "hybi", "P0")


@dataclass(frozen=True)
class Grid:
    """Geometry of all columns.

    lat, lon: (ncol,) degrees. area: (ncol,) sr, sums to 4π. hyam, hybm: (nlev,), hyai, hybi: (nlev+1,)
    hybrid coefficients at midpoints and interfaces. P0: Pa.
    """

    lat: np.ndarray
    lon: np.ndarray
    area: np.ndarray
    hyam: np.ndarray
    hybm: np.ndarray
    hyai: np.ndarray
    hybi: np.ndarray
    P0: float

    @property
    def ncol(self) -> int:
        return self.lat.size

    @property
    def area_weight(self) -> np.ndarray:
        """Area over mean area, (ncol,)."""
        return self.area / self.area.mean()

    def midpoint_pressure(self, ps: np.ndarray) -> np.ndarray:
        """p = A P0 + B ps [Pa]: ps (...,) to (..., nlev)."""
        return self.hyam * self.P0 + self.hybm * np.asarray(ps, np.float64)[..., None]

    def layer_mass(self, ps: np.ndarray) -> np.ndarray:
        """Δp / g [kg m-2] of each layer: ps (...,) [Pa] to (..., nlev)."""
        interfaces = self.hyai * self.P0 + self.hybi * np.asarray(ps, np.float64)[..., None]
        return np.diff(interfaces, axis=-1) / GRAVITY


def read_grid(source: Path | netCDF4.Dataset) -> Grid:
    """Grid of a grid-info file or of an open packed file. Raises FileError on missing or odd fields."""
    if not isinstance(source, netCDF4.Dataset):
        if not Path(source).is_file():
            raise FileError(f"Grid file {source} does not exist; give ClimSim's grid-info file.")
        try:
            dataset = netCDF4.Dataset(str(source))
        except OSError as error:
            raise FileError(
                f"Grid file {source} is not readable as NetCDF ({error}); give ClimSim's grid-info file."
            ) from error
        with dataset:
            return read_grid(dataset)
    missing = [name for name in FIELDS if name not in source.variables]
    if missing:
        raise FileError(
            f"{source.filepath()}: grid fields {', '.join(missing)} are missing; expected {FIELDS}."
        )
    grid = Grid(**{name: np.asarray(source[name][...], np.float64).squeeze() for name in FIELDS})
    if not np.isclose(grid.area.sum(), 4 * np.pi, rtol=1e-4):
        raise FileError(
            f"{source.filepath()}: `area` sums to {grid.area.sum():.6g} sr, expected 4π = 12.566; "
            "is it a regional grid or in other units?"
        )
    return grid
