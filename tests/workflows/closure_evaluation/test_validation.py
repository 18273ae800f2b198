"""The whole evaluation around stubbed simulations: what is asked is checked first, what is done is kept."""

import json

import jax
import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.envs.ensemble import RunPlan
from subgrid.workflows.closure_baselines import Tuned
from subgrid.workflows.closure_evaluation import grid, scores
from subgrid.workflows.closure_evaluation.scores import target_statistics
from subgrid.workflows.closure_kalman import KalmanTuned
from subgrid.workflows.closure_report import validate_closure
from subgrid.workflows.commands.closure import named_paths
from subgrid.workflows.validate_closure import ValidationPlan, validate_closures

PLAN = ValidationPlan(seeds=2, plan=RunPlan(blocks=2))
TUNING = ["tune", "tune_by_kalman", "tune_by_kalman"]


@pytest.fixture
def policy(make_policy_file):
    return make_policy_file("relative")


@pytest.fixture
def simulations(monkeypatch, reference):
    """Stands for everything that marches: runs that are as the DNS, but GM2 blows up. A list of what ran."""
    ran = []
    history = [{"misfit": 1.0, "failed": 1}]

    def tune(*args, **options):
        ran.append("tune")
        return {"leith": Tuned({"leith": 0.2}, {"leith": 0.22}, [{"leith": 0.2}])}

    def tune_by_kalman(*args, **options):
        ran.append("tune_by_kalman")
        family, constants = (
            ("vortex_sparing", {"drain": 0.3}) if "form" in options else ("leith", {"leith": 0.2})
        )
        return {family: KalmanTuned(constants, history, 3)}

    def run_rows(environment, params, rows, plan, progress):
        ran.extend(rows.names)
        target, seeds = target_statistics(reference, environment), PLAN.seeds
        sigma, _, kurtosis = target["moments"]
        means = {
            "spectrum": target["spectrum_directions"],
            "histogram": np.pad(target["pdf"] * 0.1, 1),
            "raw_moments": np.array([0.0, sigma**2, 0.0, kurtosis * sigma**4]),
            "exceedance": target["exceedance"],
            "reward": np.array(0.5),
            "enstrophy_transfer": target["enstrophy_transfer"],
            "energy_transfer": target["energy_transfer"],
            "cost": np.array(1e-3),
            "alive": np.array(1.0),
        }
        assert len(jax.tree.leaves(rows.members)[0]) == seeds * len(rows.names)
        found = {name: np.broadcast_to(m, (seeds, plan.blocks, *np.shape(m))) for name, m in means.items()}
        dead = {name: np.full_like(m, 0.0 if name == "alive" else np.nan) for name, m in found.items()}
        return {name: dead if "GM2" in name else found for name in rows.names}

    monkeypatch.setattr(scores, "REPLICAS", 10)
    monkeypatch.setattr(grid, "tune", tune)
    monkeypatch.setattr(grid, "tune_by_kalman", tune_by_kalman)
    monkeypatch.setattr(grid, "run_rows", run_rows)
    monkeypatch.setattr(grid, "sample_policy", lambda *args, **options: None)
    return ran


def test_every_closure_gets_a_row_on_every_grid(simulations, policy, reference_file, tmp_path):
    validate_closure({"learned": policy}, reference_file, tmp_path / "report", PLAN, grids=(16, 32))
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert {"git_revision", "jax", "device"} <= report["origin"].keys()
    assert set(report["grids"]) == {"16", "32"}
    for found in report["grids"].values():
        rows = found["scores"]
        assert {"learned", "none", "gradient model GM4", "random policy"} <= set(rows)
        assert rows["leith tuned by ensemble Kalman"]["spectrum_log_error"] < 1e-6
        assert rows["gradient model GM2"]["survived"] == 0.0
    page = (tmp_path / "report" / "report.html").read_text()
    assert "N = 16: Scores" in page
    assert "another DNS, sampled for as long" in page
    assert not (tmp_path / "report" / "parts").exists()


def test_an_interrupted_evaluation_continues(simulations, policy, reference_file, tmp_path):
    calls = iter(range(100))

    def interrupt_late(done, total, **numbers):
        if next(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        validate_closure({"learned": policy}, reference_file, tmp_path, PLAN, progress=interrupt_late)
    before = list(simulations)
    assert before[:4] == [*TUNING, "learned"]
    assert (tmp_path / "parts").is_dir()
    simulations.clear()
    validate_closure({"learned": policy}, reference_file, tmp_path, PLAN)
    assert not set(simulations) & set(before)
    assert (tmp_path / "report.html").is_file()


def test_parts_of_another_plan_are_refused_and_kept(simulations, policy, reference_file, tmp_path):
    validate_closures({"learned": policy}, reference_file, PLAN, parts=tmp_path)
    with pytest.raises(FileError, match="other closures, reference or settings"):
        validate_closures({}, reference_file, PLAN, grids=(16,), parts=tmp_path)
    assert list(tmp_path.rglob("*.npz"))


def test_everything_is_checked_before_anything_runs(simulations, policy, reference_file, tmp_path):
    with pytest.raises(FileError, match="There is no reference file"):
        validate_closures({}, tmp_path / "none.nc", PLAN)
    with pytest.raises(FileError, match="there is no file"):
        validate_closures({"learned": tmp_path / "none.npz"}, reference_file, PLAN)
    with pytest.raises(InputError, match="forced at wavenumber 25"):
        validate_closures({}, reference_file.with_name("k25b0.reference.nc"), PLAN, grids=(64, 32))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(policy.read_bytes()[:100])
    with pytest.raises(FileError, match="no policy file"):
        validate_closures({"learned": policy, "broken": broken}, reference_file, PLAN, grids=(16,))
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(FileError, match="exists"):
        validate_closure({"learned": policy}, reference_file, tmp_path, PLAN)
    assert (tmp_path / "report.json").read_text() == "{}"
    assert simulations == []


def test_names_of_closures():
    found = named_paths(["a/b.npz", "mine=c/d.bundle"])
    assert {name: str(path) for name, path in found.items()} == {"b": "a/b.npz", "mine": "c/d.bundle"}
    with pytest.raises(InputError, match="given twice"):
        named_paths(["a/b.npz", "c/b.npz"])


def test_plans_that_cannot_be_judged_are_refused():
    with pytest.raises(InputError, match="learned, all"):
        ValidationPlan(survival_of="some")
    with pytest.raises(InputError, match="1 seeds"):
        ValidationPlan(seeds=1)
