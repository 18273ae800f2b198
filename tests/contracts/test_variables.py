"""The table against the published widths, orders and constants."""

import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.feature_sets import FEATURE_SETS, feature_set
from subgrid.contracts.variables import LEVELS, RAW_INPUTS, RAW_TARGETS, VARIABLES, variable

# Name → (n_in, n_out, index of surface pressure) as the papers state them.
PUBLISHED = {
    "V1": (124, 128, 120), "V2": (557, 368, 360), "V2_mlp": (425, 368, 360), "V2_rh": (557, 368, 540),
    "v2_rh_mc": (557, 308, 540), "V4": (1525, 368, 1500), "V5": (1405, 308, 1380), "v6": (1399, 308, 1380),
    "v7": (797, 308, 780), "kaggle": (556, 368, 360),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_widths(name):
    features = feature_set(name)
    found = (features.n_in, features.n_out, features.input_slices["state_ps"].start)
    assert found == PUBLISHED[name]


@pytest.mark.parametrize("features", FEATURE_SETS.values(), ids=lambda f: f.name)
def test_slices_tile_the_vector_without_gaps(features):
    for slices, width in ((features.input_slices, features.n_in), (features.output_slices, features.n_out)):
        edges = [0]
        for name, span in slices.items():
            assert span.start == edges[-1], name
            edges.append(span.stop)
        assert edges[-1] == width


def test_order_of_the_eight_scalar_outputs():
    names = [n.removeprefix("cam_out_") for n in feature_set("V1").outputs[2:]]
    assert names == ["NETSW", "FLWDS", "PRECSC", "PRECC", "SOLS", "SOLL", "SOLSD", "SOLLD"]


def test_every_row_is_complete():
    for name, row in VARIABLES.items():
        assert row.name == name
        assert row.levels in (1, LEVELS)
        assert row.minimum < row.maximum
        assert row.units
        assert row.rule in ("centred", "range", "deviation", "identity", "cloud")
    assert len(RAW_INPUTS) == 26
    assert len(RAW_TARGETS) == 14


def test_unknown_names_are_answered_with_near_ones():
    with pytest.raises(InputError, match="state_q0001"):
        variable("state_q001")
    with pytest.raises(InputError, match="V2_rh"):
        feature_set("V3")
