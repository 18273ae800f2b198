"""Options that do nothing in the mode that was chosen, and impossible numbers, are refused at once."""

import sys

import pytest

from subgrid.contracts.errors import InputError
from subgrid.workflows.cli import main

SUPERVISED = ("train", "closure", "--reference", "gone.nc")
PPO = (*SUPERVISED, "--method", "ppo")
LES = ("run", "les")
JUDGE = ("validate", "closure", "--reference", "gone.nc")
PACK = ("data", "climsim", "--out", "out.zarr")
EMULATOR = ("train", "climsim", "column_mlp", "--out", "out.bundle", "--data")
SCORE = ("validate", "climsim", "--model", "a.bundle", "--data", "a.nc", "--out", "out")


@pytest.fixture
def complaint(monkeypatch, capsys, tmp_path):
    """`complaint(*arguments)`: the one sentence with which the command refuses them, nothing being left."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "packed.nc").touch()

    def refuse(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["subgrid", *arguments])
        with pytest.raises(SystemExit) as ending:
            main()
        stderr = capsys.readouterr().err
        assert ending.value.code == InputError.exit_code, stderr
        assert stderr.startswith("subgrid: ")
        assert len(stderr.strip().splitlines()) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["packed.nc"]
        return stderr

    return refuse


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((*SUPERVISED, "--action", "sparing"), "--action has no effect with --method supervised"),
        ((*SUPERVISED, "--action", "backscatter"), "--action has no effect"),  # its default, but given
        ((*SUPERVISED, "--learner", "rollout=4", "--seconds", "9"), "--learner, --seconds have no effect"),
        ((*SUPERVISED, "--distributed"), "--distributed has no effect"),
        ((*PPO, "--dealiasing", "none"), "--dealiasing has no effect with --method ppo"),
        ((*PPO, "--learning-rate", "1e-3"), "--learner learning_rate="),
        ((*PPO, "--environments", "4", "--learner", "environments=8"), "--environments: given by --learner"),
        ((*LES, "--constant", "0.2"), "--constant has no effect without a closure"),
        ((*LES, "--closure", "a.bundle", "--constant", "0.2"), "--constant has no effect on a bundle"),
        ((*LES, "--closure", "leith", "--device", "cuda"), "--device has no effect without a bundle"),
        ((*LES, "--closure", "a.bundle", "--host", "jax", "--device", "cpu"), "no effect in the jax host"),
        ((*LES, "--restart", "a.nc", "--initial", "b.nc", "--seed", "3"), "--seed, --initial have no effect"),
        ((*JUDGE, "--survival-of", "all"), "--survival-of has no effect without --survival-time"),
        ((*PACK, "packed.nc", "--grid", "grid.nc"), "--grid has no effect on packed data"),
        ((*PACK, "packed.nc", "--normalization", "."), "--normalization has no effect on packed data"),
        ((*EMULATOR, "packed.nc", "--grid", "grid.nc"), "--grid has no effect on packed data"),
        ((*EMULATOR, "packed.nc", "--memory", "1"), "--memory has no effect on packed data"),
        ((*EMULATOR, "packed.nc", "--rare-unweighted"), "--rare-unweighted has no effect without --rare"),
        ((*EMULATOR, "packed.nc", "--part", "all", "--held-out", "6"), "--held-out has no effect"),
        ((*SCORE, "--held-out", "6"), "--held-out has no effect with --part unseen"),
    ],
)
def test_what_would_do_nothing_is_refused(complaint, arguments, named):
    assert named in complaint(*arguments)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((*SUPERVISED, "--seed", "-1"), "--seed: found -1, expected a number of at least 0"),
        ((*SUPERVISED, "--grid", "0"), "--grid: found 0, expected a positive number"),
        ((*SUPERVISED, "--learning-rate", "nan"), "--learning-rate: found nan, expected a positive"),
        ((*PPO, "--seconds", "-1"), "--seconds: found -1.0, expected a positive"),
        ((*JUDGE, "--time", "nan"), "--time: found nan, expected a positive"),
        ((*PACK, "packed.nc", "--stride", "0"), "--stride: found 0, expected a positive"),
        ((*EMULATOR, "packed.nc", "--epochs", "0"), "--epochs: found 0, expected a positive"),
        ((*EMULATOR, "packed.nc", "--memory", "inf"), "--memory: found inf, expected a number of at least 0"),
        ((*EMULATOR, "packed.nc", "--part", "unseen"), "--part: found 'unseen', expected one of train, all"),
        (("physics", "columns", "new.nc", "--workers", "0"), "--workers: found 0, expected a positive"),
    ],
)
def test_impossible_numbers_are_refused(complaint, arguments, named):
    assert named in complaint(*arguments)
