"""Residuals see exactly the violation that is put in."""

import numpy as np
import pytest

from subgrid.contracts.variables import STEP_S
from subgrid.validation.climsim.invariants import BANDS, residuals


@pytest.fixture
def column():
    rng = np.random.default_rng(0)
    shape = (2, 3)
    outputs = {flux: rng.uniform(0, 100, shape) for flux, _ in BANDS}
    inputs = {albedo: rng.uniform(0, 1, shape) for _, albedo in BANDS}
    outputs["cam_out_NETSW"] = sum(outputs[f] * (1 - inputs[a]) for f, a in BANDS)
    inputs["coszrs_end"] = np.ones(shape)
    outputs |= {"cam_out_PRECC": np.full(shape, 2e-8), "cam_out_PRECSC": np.full(shape, 1e-8)}
    mass = np.full((*shape, 4), 50.0)
    for species in ("q0001", "q0002", "q0003"):
        inputs[f"state_{species}"] = np.full((*shape, 4), 1e-3)
        outputs[f"ptend_{species}"] = np.zeros((*shape, 4))
    # 2e-8 m/s of precipitation = 2e-5 kg m-2 s-1 out of 200 kg m-2 of air.
    outputs["ptend_q0001"] -= 2e-5 / 200
    return outputs, inputs, mass


def test_a_lawful_column_has_no_residual(column):
    found = residuals(*column, np.ones(3))
    assert len(found) == 8
    assert max(map(abs, found.values())) < 1e-9


def test_each_violation_is_found(column):
    outputs, inputs, mass = column
    outputs["cam_out_NETSW"] = outputs["cam_out_NETSW"] + 3.0
    inputs["coszrs_end"][0, 0] = 0.0
    outputs["cam_out_PRECSC"][1, 2] = 3e-8
    outputs["ptend_q0002"][0, 0, 0] = -2e-3 / STEP_S
    found = residuals(outputs, inputs, mass, np.ones(3))
    assert found["NETSW identity, rms [W/m2]"] == pytest.approx(3.0)
    assert found["shortwave at night, max [W/m2]"] > 0
    assert found["columns with more snow than precipitation [%]"] == pytest.approx(100 / 6)
    assert found["cells with negative liquid after the step [%]"] == pytest.approx(100 / 24)
    assert found["column water, global mean [mm/day]"] == pytest.approx(-2e-3 / 1200 * 50 / 6 * 86400)
