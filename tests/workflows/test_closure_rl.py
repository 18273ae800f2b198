"""Train, write, read, export and validate a tiny closure, end to end; bad files are refused."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.reference import read_reference
from subgrid.envs.ensemble import RunPlan
from subgrid.envs.policy_closure import tendency
from subgrid.jax_models.bundle_model import load
from subgrid.jax_models.rl.ppo import PpoConfig
from subgrid.workflows import closure_baselines
from subgrid.workflows.closure_report import validate_closure
from subgrid.workflows.closure_rl import (
    ClosureRl,
    export_policy,
    make_environment,
    read_policy,
    train_policy,
)
from subgrid.workflows.validate_closure import ValidationPlan

pytestmark = pytest.mark.usefixtures("quick_compilation")

REFERENCE = Path(__file__).parents[2] / "docs" / "results" / "k4b0.reference.nc"
LEARNER = PpoConfig(iterations=2, environments=4, rollout=4, minibatches=2, epochs=1)
CONFIG = ClosureRl(grid=16, hold=1, horizon=3, learner=LEARNER)
PLAN = ValidationPlan(
    seeds=2,
    plan=RunPlan(spin_up=0.2, blocks=2, block_time=0.2),
    copies=1,
    tuning_time=0.2,
    kalman_iterations=1,
)


@pytest.fixture(scope="module")
def policy_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rl") / "policy.npz"
    train_policy(REFERENCE, path, CONFIG)
    return path


@pytest.fixture(scope="module")
def params():
    environment = make_environment(CONFIG)
    return environment.params(read_reference(REFERENCE, environment.case), held_out=True, count=2)


def test_a_policy_file_gives_the_trained_policy_and_its_record(policy_file, params):
    policy = read_policy(policy_file, params)
    assert policy.config == CONFIG
    assert len(policy.record["history"]) == LEARNER.iterations
    assert policy.record["actions"] == 2 * 4 * 4
    seen, _ = policy.environment.reset(jax.random.PRNGKey(0), params)
    actions = policy.act(seen)
    assert actions.shape == policy.environment.action_shape
    assert float(jnp.abs(actions).max()) < 1.0


def test_the_bundle_is_the_whole_closure(policy_file, params, tmp_path, monkeypatch):
    bundle = tmp_path / "learned.bundle"
    with monkeypatch.context() as accelerator:
        accelerator.setattr(jax, "default_backend", lambda: "gpu")  # whose own transforms are products
        export_policy(policy_file, REFERENCE, bundle)
    assert b"fft" in (bundle / "programs" / "forward.cpu.b1.mlir").read_bytes()
    policy = read_policy(policy_file, params)
    field = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    (found,) = load(bundle)(field[None])
    expected = tendency(policy.environment, params.target, policy.act, jnp.asarray(field))
    np.testing.assert_allclose(found[0], expected, atol=1e-4 * float(jnp.abs(expected).max()))


@pytest.mark.slow
def test_validation_writes_scores_of_all_closures(policy_file, tmp_path, monkeypatch):
    few = {name: members[::12] for name, members in closure_baselines.FAMILIES.items()}
    monkeypatch.setattr(closure_baselines, "FAMILIES", few)
    sparing = {name: members[::20] for name, members in closure_baselines.SPARING_FAMILIES.items()}
    monkeypatch.setattr(closure_baselines, "SPARING_FAMILIES", sparing)
    validate_closure({"learned": policy_file}, REFERENCE, tmp_path, PLAN)
    report = json.loads((tmp_path / "report.json").read_text())
    scores = report["grids"]["16"]["scores"]
    assert {"learned", "none", "leith tuned by ensemble Kalman", "random policy"} <= set(scores)
    assert all(score["survived"] == 1.0 for score in scores.values())
    assert "learned" in (tmp_path / "report.html").read_text()
    with pytest.raises(FileError, match="exists"):
        validate_closure({"learned": policy_file}, REFERENCE, tmp_path, PLAN)


def test_bad_input_is_refused_and_nothing_is_lost(policy_file, params, tmp_path):
    with pytest.raises(InputError, match="--method"):
        ClosureRl(method="guessing")
    with pytest.raises(FileError, match="There is no reference file"):
        train_policy(tmp_path / "missing.nc", tmp_path / "p.npz", CONFIG)
    before = policy_file.read_bytes()
    with pytest.raises(FileError):
        train_policy(REFERENCE, policy_file, CONFIG)
    assert policy_file.read_bytes() == before
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(before[: len(before) // 2])
    with pytest.raises(FileError, match="no policy file"):
        read_policy(damaged, params)
    with pytest.raises(FileError, match="k4b20"):
        train_policy(REFERENCE, tmp_path / "p.npz", ClosureRl(case="k4b20", grid=16, learner=LEARNER))
