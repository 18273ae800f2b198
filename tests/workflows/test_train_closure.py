"""`subgrid train closure` by agents: its options, its outputs, its refusals."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.errors import FileError, InputError
from subgrid.jax_models.rl.ppo import PpoConfig
from subgrid.jax_models.rl.vracer import VracerConfig
from subgrid.workflows.cli import main
from subgrid.workflows.closure_rl import ClosureRl, PolicyConfig, read_config
from subgrid.workflows.commands.train import configure
from subgrid.workflows.learning_curve import learning_curve

REFERENCE = Path(__file__).parents[2] / "docs" / "results" / "k4b0.reference.nc"
HISTORY = [{"reward": 0.1 * i, "blow_ups": 0.0, "value_error": 1.0 / (i + 1), "trust": 0.3} for i in range(5)]


def command(monkeypatch, *arguments: object) -> int:
    """Exit code of the program."""
    monkeypatch.setattr(sys, "argv", ["subgrid", "train", "closure", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def test_every_method_has_a_learner_of_its_own():
    assert ClosureRl().learner == PpoConfig()
    assert ClosureRl(method="vracer").learner == VracerConfig()
    with pytest.raises(InputError, match="Method vracer learns by a VracerConfig, found a PpoConfig"):
        ClosureRl(method="vracer", learner=PpoConfig())


def test_settings_of_the_learner_are_named_and_typed():
    learner = configure("--learner", VracerConfig, {"capacity": 64, "decay": 0.01})
    assert learner == VracerConfig(capacity=64, decay=0.01)
    with pytest.raises(InputError, match="--learner: PpoConfig has no 'capacity', it has iterations, env"):
        configure("--learner", PpoConfig, {"capacity": 64})
    with pytest.raises(
        InputError, match="PolicyConfig has no 'hidden', it has initial_spread, largest_spread"
    ):
        configure("--network", PolicyConfig, {"hidden": 64})
    with pytest.raises(InputError, match=r"rollout is a whole number, found 0\.5"):
        configure("--learner", PpoConfig, {"rollout": 0.5})


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--learner", "rollout"), "expected NAME=NUMBER"),
        (("--learner", "rollout=many"), "expected NAME=NUMBER"),
        (("--learner", "clip=0.1"), "VracerConfig has no 'clip'"),
        (("--network", "width=3"), "PolicyConfig has no 'width'"),
        (("--devices", "99"), "--devices: found 99"),
        (("--reward", "praise"), "Unknown reward 'praise'"),
        (("--action", "magic"), "Unknown action 'magic'"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(options, complaint, monkeypatch, capsys, tmp_path):
    out = tmp_path / "closure.bundle"
    code = command(
        monkeypatch, "--method", "vracer", "--reference", REFERENCE, "--out", out, "--grid", 16, *options
    )
    assert code == 2
    assert complaint in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_learning_curve_is_a_figure_and_overwrites_nothing(tmp_path):
    output = tmp_path / "curve.png"
    learning_curve(HISTORY, output, "a run")
    before = output.read_bytes()
    assert before.startswith(b"\x89PNG")
    with pytest.raises(FileError, match="already exists"):
        learning_curve(HISTORY, output, "a run")
    assert output.read_bytes() == before
    with pytest.raises(InputError, match="no learning curve"):
        learning_curve([], tmp_path / "other.png", "no run")


@pytest.mark.slow
def test_vracer_trains_resumes_and_exports_by_one_command(monkeypatch, capsys, tmp_path):
    out, options = tmp_path / "closure.bundle", ("--grid", 16, "--hold", 1, "--environments", 4)
    options += ("--learner", "rollout=4", "--learner", "capacity=8", "--learner", "updates=2")
    options += (
        "--network",
        "largest_spread=0.5",
        "--method",
        "vracer",
        "--reference",
        REFERENCE,
        "--out",
        out,
        "--iterations",
        2,
    )
    assert command(monkeypatch, *options, "--checkpoint", tmp_path / "run") == 0
    record = json.loads(str(np.load(out.with_suffix(".npz"))["record"]))
    assert record["config"]["method"] == "vracer"
    assert record["devices"] == 1
    assert len(record["history"]) == 2
    assert read_config(out.with_suffix(".npz")).learner.capacity == 8
    assert out.is_dir()
    assert out.with_suffix(".png").is_file()
    assert command(monkeypatch, *options, "--checkpoint", tmp_path / "run", "--overwrite") == 0
    again = json.loads(str(np.load(out.with_suffix(".npz"))["record"]))
    assert again["history"] == record["history"]
