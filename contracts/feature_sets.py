"""What emulators of column physics take and give: ordered sets of rows of the table of variables, by name."""

from dataclasses import dataclass
from functools import cached_property

from .errors import InputError
from .variables import GASES, RAW_INPUTS, RAW_TARGETS, SCALARS, STATE, SURFACE_OUT, V1_TARGETS, variable


@dataclass(frozen=True)
class FeatureSet:
    """Inputs and outputs of an emulator in the order of concatenation; each profile runs from top to surface.

    `levels` narrows an input to the level indices start..stop−1 (name → (start, stop)).
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    levels: tuple[tuple[str, tuple[int, int]], ...] = ()

    def span(self, name: str) -> tuple[int, int]:
        """First and past-the-last level index of one variable in this set; scalars have (0, 1)."""
        return dict(self.levels).get(name, (0, variable(name).levels))

    @cached_property
    def input_slices(self) -> dict[str, slice]:
        return self._slices(self.inputs)

    @cached_property
    def output_slices(self) -> dict[str, slice]:
        return self._slices(self.outputs)

    @property
    def n_in(self) -> int:
        return sum(s.stop - s.start for s in self.input_slices.values())

    @property
    def n_out(self) -> int:
        return sum(s.stop - s.start for s in self.output_slices.values())

    def _slices(self, names: tuple[str, ...]) -> dict[str, slice]:
        slices, start = {}, 0
        for name in names:
            low, high = self.span(name)
            slices[name] = slice(start, start + high - low)
            start += high - low
        return slices


def _history(*names: str) -> tuple[str, ...]:
    return (*names, *(f"tm_{name}" for name in names))


_DYN = _history("state_t_dyn", "state_q0_dyn", "state_u_dyn")
_PRVPHY = tuple(f"{n}_prvphy" for n in ("state_t", "state_q0001", "state_q0002", "state_q0003", "state_u"))
_PRVPHY_QN = ("state_t_prvphy", "state_q0001_prvphy", "state_qn_prvphy", "state_u_prvphy")
_TM_SCALARS = tuple(f"tm_{n}" for n in ("state_ps", "pbuf_SOLIN", "pbuf_LHFLX", "pbuf_SHFLX", "pbuf_COSZRS"))
_RH = ("state_t", "state_rh", "state_q0002", "state_q0003", "state_u", "state_v")
_QN = ("state_t", "state_rh", "state_qn", "liq_partition", "state_u", "state_v")
_OUT_QN = ("ptend_t", "ptend_q0001", "ptend_qn", "ptend_u", "ptend_v", *SURFACE_OUT)
_V1_IN = ("state_t", "state_q0001", "state_ps", "pbuf_SOLIN", "pbuf_LHFLX", "pbuf_SHFLX")
_MID = tuple((name, (5, 21)) for name in GASES)

# In V1 and V2 the gases follow the scalars (quick start); from V2_rh on they precede them (online code).
FEATURE_SETS: dict[str, FeatureSet] = {
    s.name: s
    for s in (
        FeatureSet("V1", _V1_IN, V1_TARGETS),
        FeatureSet("V2", (*STATE, *SCALARS, *GASES), RAW_TARGETS),
        FeatureSet("V2_mlp", (*STATE, *SCALARS, *GASES), RAW_TARGETS, _MID),
        FeatureSet("kaggle", tuple(n for n in RAW_INPUTS if n != "cam_in_SNOWHICE"), RAW_TARGETS),
        FeatureSet("V2_rh", (*_RH, *GASES, *SCALARS), RAW_TARGETS),
        FeatureSet("V2_sun", (*STATE, *GASES, *SCALARS, "coszrs_end", "clat", "slat"), RAW_TARGETS),
        FeatureSet("v2_rh_mc", (*_QN, *GASES, *SCALARS), _OUT_QN),
        FeatureSet(
            "V4",
            (*_RH, *_DYN, *_history(*_PRVPHY), *GASES, *SCALARS, *_TM_SCALARS, "clat", "slat", "icol"),
            RAW_TARGETS,
        ),
        FeatureSet(
            "V5",
            (*_QN, *_DYN, *_history(*_PRVPHY_QN), *GASES, *SCALARS, *_TM_SCALARS, "clat", "slat", "icol"),
            _OUT_QN,
        ),
        FeatureSet("v6", (*_QN, *_DYN, *_history(*_PRVPHY_QN), *GASES, *SCALARS, "clat", "slat"), _OUT_QN),
        FeatureSet("v7", (*_QN, *_PRVPHY_QN, *GASES, *SCALARS), _OUT_QN),
    )
}


def feature_set(name: str) -> FeatureSet:
    """The set of that name. Raises InputError listing the known ones."""
    if name not in FEATURE_SETS:
        raise InputError(f"Unknown feature set {name!r}; known are {', '.join(FEATURE_SETS)}.")
    return FEATURE_SETS[name]
