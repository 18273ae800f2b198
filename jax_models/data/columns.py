"""A set of columns in memory, and its flattening into the input and target matrices of a feature set."""

from dataclasses import dataclass, replace

import numpy as np

from ...contracts.errors import InputError
from ...contracts.feature_sets import FeatureSet
from ...contracts.variables import variable
from .derived import liquid_fraction, relative_humidity
from .grid import Grid
from .sun import coszrs_end


@dataclass(frozen=True)
class ColumnSet:
    """Columns of some time steps.

    fields: name → (time, ncol) or (time, ncol, nlev), raw units of contracts/variables.py.
    ymd, tod: (time,) date YYYYMMDD and second of the day. grid: see Grid.
    """

    fields: dict[str, np.ndarray]
    ymd: np.ndarray
    tod: np.ndarray
    grid: Grid

    @property
    def steps(self) -> int:
        return self.ymd.size

    def at(self, times: np.ndarray) -> "ColumnSet":
        """The same columns at the chosen time indices."""
        fields = {name: field[times] for name, field in self.fields.items()}
        return replace(self, fields=fields, ymd=self.ymd[times], tod=self.tod[times])

    def has(self, name: str) -> bool:
        """Whether `field` gives this one."""
        return all(part in self.fields for part in parts_of(name))

    def field(self, name: str) -> np.ndarray:
        """A stored field, or one that follows from stored ones. Raises InputError where neither holds."""
        if name in self.fields:
            return self.fields[name]
        if name not in _DERIVED:
            have = ", ".join(sorted(self.fields))
            raise InputError(
                f"The columns hold no {name!r} ({variable(name).source}) and it does not follow from "
                f"what they hold ({have}); history features need consecutive steps."
            )
        return _DERIVED[name](self).astype(np.float32)


def _pressure(columns: ColumnSet) -> np.ndarray:
    return columns.grid.midpoint_pressure(columns.field("state_ps"))


def _humidity(columns: ColumnSet) -> np.ndarray:
    temperature = columns.field("state_t").astype(np.float64)
    return relative_humidity(temperature, columns.field("state_q0001"), _pressure(columns))


def _per_column(values: np.ndarray, columns: ColumnSet) -> np.ndarray:
    return np.broadcast_to(values, (columns.steps, columns.grid.ncol))


_DERIVED = {
    "state_rh": _humidity,
    "state_qn": lambda c: c.field("state_q0002") + c.field("state_q0003"),
    "liq_partition": lambda c: liquid_fraction(c.field("state_t")),
    "ptend_qn": lambda c: c.field("ptend_q0002") + c.field("ptend_q0003"),
    "coszrs_end": lambda c: coszrs_end(c.ymd, c.tod, c.grid.lat, c.grid.lon),
    "clat": lambda c: _per_column(np.cos(np.deg2rad(c.grid.lat)), c),
    "slat": lambda c: _per_column(np.sin(np.deg2rad(c.grid.lat)), c),
    "icol": lambda c: _per_column(np.arange(1.0, c.grid.ncol + 1), c),
}


# What the derived fields are made of; coszrs_end, clat, slat and icol follow from dates and grid.
_MADE_OF = {
    "state_rh": ("state_t", "state_q0001", "state_ps"),
    "state_qn": ("state_q0002", "state_q0003"),
    "liq_partition": ("state_t",),
    "ptend_qn": ("ptend_q0002", "ptend_q0003"),
}


def parts_of(name: str) -> tuple[str, ...]:
    """What is stored of it: itself, or what it is derived from."""
    return _MADE_OF.get(name, () if name in _DERIVED else (name,))


def stored_names(features: FeatureSet) -> tuple[str, ...]:
    """What a source has to give for a feature set, its derived fields and layer masses, each name once.

    History features are among them, see `history.HistorySource`.
    """
    wanted = (*features.inputs, *features.outputs, "state_ps")
    return tuple(dict.fromkeys(part for name in wanted for part in parts_of(name)))


def inputs_of(columns: ColumnSet, features: FeatureSet) -> np.ndarray:
    """Input matrix (time · ncol, n_in) float32, raw units, rows time-major."""
    return _flatten(columns, features, features.inputs)


def targets_of(columns: ColumnSet, features: FeatureSet) -> np.ndarray:
    """Target matrix (time · ncol, n_out) float32, raw units, rows time-major."""
    return _flatten(columns, features, features.outputs)


def _flatten(columns: ColumnSet, features: FeatureSet, names: tuple[str, ...]) -> np.ndarray:
    parts = []
    for name in names:
        start, stop = features.span(name)
        field = columns.field(name)
        parts.append(field[..., start:stop] if variable(name).is_profile else field[..., None])
    matrix = np.concatenate(parts, axis=-1, dtype=np.float32)
    return matrix.reshape(-1, matrix.shape[-1])


def fields_of(matrix: np.ndarray, features: FeatureSet, ncol: int) -> dict[str, np.ndarray]:
    """Undo `targets_of`: (time · ncol, n_out) to name → (time, ncol[, nlev])."""
    shaped = matrix.reshape(-1, ncol, matrix.shape[-1])
    return {
        name: shaped[..., span] if variable(name).is_profile else shaped[..., span.start]
        for name, span in features.output_slices.items()
    }
