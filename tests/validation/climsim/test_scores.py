"""The whole table of scores on synthetic columns: perfect is perfect, worse is worse, JSON is valid."""

import json
from dataclasses import replace

import numpy as np
import pytest

from subgrid.contracts.errors import InputError
from subgrid.contracts.variables import LEVELS, RAW_TARGETS, V1_TARGETS, variable
from subgrid.validation.climsim import figures, metrics
from subgrid.validation.climsim.calibration import Calibration
from subgrid.validation.climsim.report import verdict_sentence, write_report
from subgrid.validation.climsim.scores import Case, Emulation, score
from subgrid.validation.climsim.tables import sections

STEPS, COLUMNS = 6, 24


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    shape = (STEPS, COLUMNS)
    inputs = {n: rng.uniform(0, 1, shape) for n in (
        "cam_in_LANDFRAC", "cam_in_OCNFRAC", "cam_in_ICEFRAC", "pbuf_COSZRS", "coszrs_end",
        "cam_in_ASDIR", "cam_in_ASDIF", "cam_in_ALDIR", "cam_in_ALDIF")}  # fmt: skip
    inputs |= {f"state_q000{i}": rng.uniform(0, 1e-3, (*shape, LEVELS)) for i in (1, 2, 3)}
    targets = {
        n: variable(n).peak * rng.uniform(0, 1, (*shape, LEVELS) if variable(n).is_profile else shape)
        for n in RAW_TARGETS
    }
    lat = np.linspace(-85, 85, COLUMNS)
    mass = np.full((*shape, LEVELS), 170.0)
    return Case(
        inputs, targets, mass, np.cos(np.deg2rad(lat)), lat, np.linspace(0, 359, COLUMNS), np.arange(STEPS)
    )


@pytest.fixture(scope="module")
def emulations(case):
    rng = np.random.default_rng(1)

    def noisy(amount):
        return {n: t + amount * variable(n).peak * rng.normal(size=t.shape) for n, t in case.targets.items()}

    return [
        Emulation("bad", noisy(0.2), 1000),
        Emulation("good", noisy(0.1), 2000, 1e6),
        Emulation("perfect", case.targets),
    ]


def test_order_of_models_and_perfect_scores(case, emulations):
    scores = score(case, emulations)
    for name in V1_TARGETS:
        mae = {m: scores["models"][m]["variables"][name]["mae"] for m in ("bad", "good", "perfect")}
        assert mae["perfect"] == 0 < mae["good"] < mae["bad"]
        assert scores["models"]["perfect"]["variables"][name]["r2"] == pytest.approx(1.0)
        assert scores["models"]["good"]["versus_reference"][name]["verdict"] == "lower"
    assert scores["models"]["good"]["versus_reference"]["mean of V1"]["value"] == pytest.approx(0.5, abs=0.03)
    assert scores["pairs"]["good"]["bad"]["verdict"] == "lower"
    assert scores["pairs"]["bad"]["good"]["verdict"] == "higher"
    assert scores["models"]["good"]["economy"]["skill_per_megaflop"] > 0


@pytest.fixture(scope="module")
def ensemble(case):
    """(members, calibration by variable) of eight members around the truth."""
    rng = np.random.default_rng(2)
    members = {
        n: t[None] + 0.1 * variable(n).peak * rng.normal(size=(8, *t.shape)) for n, t in case.targets.items()
    }
    found = {n: Calibration() for n in case.targets}
    for name, calibration in found.items():
        for step in range(STEPS):
            times = slice(step, step + 1)
            truth = case.energy(name, case.targets[name][times], times)
            calibration.add(case.energy(name, members[name][:, times], times), truth)
    return members, found


def test_report_is_written_and_json_has_no_nan(case, emulations, ensemble, tmp_path):
    shown = [emulations[0], replace(emulations[1], calibration=ensemble[1])]
    scores = score(case, shown)
    sentence = write_report(
        tmp_path, case, shown, scores, data="synthetic", pressure=np.linspace(1, 990, LEVELS)
    )
    assert "good has" in sentence
    assert "lower in 10 of 10; over 6 time steps" in sentence
    assert json.loads((tmp_path / "scores.json").read_text())["reference"] == "bad"
    page = (tmp_path / "index.html").read_text()
    for picture in ("ratios.png", "zonal_good.png", "maps_bad.png", "calibration.png"):
        assert picture in page
        assert (tmp_path / picture).stat().st_size > 5000
    for heading in (
        "CRPS",
        "Spread over error",
        "HSR (published)",
        "MAE by regime",
        "Extremes",
        "Each against",
    ):
        assert heading in page, heading


def test_one_day_and_one_step_are_scored_without_intervals(case, emulations, monkeypatch):
    one = replace(
        case,
        inputs={n: x[:1] for n, x in case.inputs.items()},
        targets={n: x[:1] for n, x in case.targets.items()},
        mass=case.mass[:1],
        ymd=case.ymd[:1],
    )
    shown = [replace(e, outputs={n: x[:1] for n, x in e.outputs.items()}) for e in emulations[:2]]
    scores = score(one, shown)
    assert scores["models"]["good"]["versus_reference"]["ptend_t"]["verdict"] == "unknown"
    json.dumps(scores, allow_nan=False)
    assert verdict_sentence(scores).endswith("over 1 time step; no interval, since these are of one day.")
    against = next(s for s in sections(scores) if s.heading == "Against bad")
    assert all("no interval" in cell for cell in against.tables[0].rows[1][1:])
    monkeypatch.setattr(figures, "_save", lambda figure, path, title: None)
    figures.ratios("not written", scores)

    alone = score(one, shown[:1])
    assert "bad was scored alone over 1 time step: skill" in verdict_sentence(alone)


def test_unknown_reference_and_twin_names_are_refused(case, emulations):
    with pytest.raises(InputError, match="reference 'ugly'"):
        score(case, emulations, reference="ugly")
    with pytest.raises(InputError, match="one name"):
        score(case, [emulations[0], emulations[0]])


def test_an_ensemble_is_scored(case, ensemble):
    members, found = ensemble
    outputs = {n: m.mean(axis=0) for n, m in members.items()}
    emulations = [Emulation("constant", {n: t * 0 for n, t in case.targets.items()}),
                  Emulation("cloud", outputs, calibration=found)]  # fmt: skip
    scores = score(case, emulations)
    rain = scores["models"]["cloud"]["ensemble"]["cam_out_PRECC"]
    direct = metrics.crps(case.energy("cam_out_PRECC", members["cam_out_PRECC"]),
                          case.energy("cam_out_PRECC", case.targets["cam_out_PRECC"]))  # fmt: skip
    assert rain["crps"] == pytest.approx(direct)
    assert rain["crps_interval"]["low"] < rain["crps"] < rain["crps_interval"]["high"]
    assert len(scores["models"]["cloud"]["ensemble"]["ptend_t"]["crps_levels"]) == LEVELS
    assert scores["models"]["constant"]["ensemble"] == {}


def test_what_the_data_do_not_hold_is_left_out(case, emulations):
    few = Case({"coszrs_end": case.inputs["coszrs_end"]}, {n: case.targets[n] for n in V1_TARGETS},
               case.mass, case.area, case.lat, case.lon, case.ymd)  # fmt: skip
    scores = score(few, emulations[:2])
    regimes = scores["models"]["good"]["variables"]["ptend_t"]["mae_by_regime"]
    assert "land" not in regimes
    assert "day" in regimes
    assert "NETSW identity, rms [W/m2]" not in scores["truth"]["invariants"]
