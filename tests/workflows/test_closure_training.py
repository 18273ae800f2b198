"""Supervised closure: labels, training, export, the same numbers in every host, and the report about it."""

import json
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.bundle import Bundle
from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.les_file import read_output
from subgrid.contracts.reference import read_reference
from subgrid.workflows.closure_pairs import load_pairs
from subgrid.workflows.closure_training import ClosureTraining, score_lines, train_closure
from subgrid.workflows.les.report import report_runs
from subgrid.workflows.les.runner import run_les
from subgrid.workflows.les.setup import LesSetup

REFERENCE = Path(__file__).parents[2] / "docs" / "results" / "k4b0.reference.nc"


@pytest.fixture(scope="module")
def short_training(tmp_path_factory):
    """A bundle after 100 steps of training, and its a-priori scores."""
    bundle = tmp_path_factory.mktemp("training") / "short.bundle"
    return bundle, train_closure(REFERENCE, bundle, ClosureTraining(steps=100))


def les(bundle, host, **changes):
    return LesSetup(
        **{"grid": 96, "time": 0.05, "dt": 0.005, "save_interval": 0.025, "initial": REFERENCE}
        | {"closure": str(bundle), "host": host}
        | changes
    )


def test_training_starts_at_the_gradient_model_and_improves_on_it(short_training):
    _, scores = short_training
    assert 0.8 < scores["gm2"] < 0.95
    assert scores["network"] > scores["gm2"]
    assert 0.7 < scores["transfer_closure"] < 1.4
    assert len(score_lines(scores)) == 5


def test_bundle_says_how_it_was_made(short_training):
    bundle, scores = short_training
    opened = Bundle.open(bundle)
    record = json.loads(opened.config)
    assert record["a_priori"] == scores
    assert (record["reference"], record["steps"], record["grid"]) == (REFERENCE.name, 100, 96)
    assert [field.shape for field in opened.inputs + opened.outputs] == [(96, 96), (96, 96)]


def test_restricted_labels_carry_only_the_modes_of_the_les():
    pairs = load_pairs(read_reference(REFERENCE), grid=64, dealiasing="two_thirds")
    assert pairs.carried == 21
    for field in (pairs.vorticity, pairs.tendency):
        spectrum = np.abs(np.fft.rfft2(field.astype(np.float64)))
        assert spectrum[..., 22:].max() < 1e-5 * spectrum.max()
        assert spectrum[..., 22:43, :].max() < 1e-5 * spectrum.max()


@pytest.fixture(scope="module")
def outputs(short_training, tmp_path_factory, subgrid_les):
    """The closure in both hosts, and a formula."""
    bundle, _ = short_training
    folder, found = tmp_path_factory.mktemp("runs"), []
    for host, closure in (("jax", bundle), ("fortran", bundle), ("fortran", "smagorinsky")):
        found.append(folder / f"{host}_{Path(closure).stem}.nc")
        run_les(les(closure, host), found[-1])
    return found


def test_fortran_and_jax_hosts_agree_to_float32(outputs):
    jax, fortran = (read_output(output).vorticity for output in outputs[:2])
    np.testing.assert_allclose(fortran[-1], jax[-1], atol=1e-6 * np.abs(jax).max())
    assert not np.array_equal(fortran[-1], fortran[0])


def test_report_compares_closures_and_hosts(short_training, outputs, tmp_path):
    _, scores = short_training
    page, verdict = report_runs(outputs, REFERENCE, tmp_path / "report", spinup=0.02)
    assert verdict.startswith("Of the formulas, smagorinsky (fortran) is nearest to the spectrum")
    text, numbers = page.read_text(), json.loads((page.parent / "report.json").read_text())
    assert text.count("data:image/png;base64") == 4
    assert set(numbers["runs"]) == {"short (jax)", "short (fortran)", "smagorinsky (fortran)"}
    assert numbers["a_priori"] == scores
    (agreement,) = numbers["hosts"].values()
    assert 0 < max(agreement["relative_difference"]) < 1e-6
    direct = numbers["runs"]["smagorinsky (fortran)"]["against_dns"]["sigma_ratio"]
    kept = read_output(outputs[-1]).vorticity[1:]
    assert direct == pytest.approx(kept.std() / numbers["reference"]["dns"]["moments"][0], rel=1e-3)
    with pytest.raises(FileError, match="already exists"):
        report_runs(outputs, REFERENCE, tmp_path / "report", spinup=0.02)


def test_only_closures_of_filtered_dns_are_judged_by_it(short_training):
    bundle, _ = short_training
    width = 2 * 2 * np.pi / 64
    assert les(bundle, "jax").attributes()["closure_filter_width"] == pytest.approx(width)
    by_agents = Path(__file__).parents[2] / "docs" / "results" / "rl" / "k4b0.bundle"
    assert "closure_filter_width" not in les(by_agents, "jax", grid=32, dealiasing="none").attributes()


def test_runs_of_different_flows_are_not_compared(tmp_path):
    for grid in (32, 48):
        run_les(les("none", "numpy", grid=grid), tmp_path / f"{grid}.nc")
    with pytest.raises(InputError, match="compare runs of one flow"):
        report_runs([tmp_path / "32.nc", tmp_path / "48.nc"], REFERENCE, tmp_path / "report", spinup=0.0)


def test_bundle_of_another_grid_is_refused(short_training, tmp_path):
    bundle, _ = short_training
    with pytest.raises(FileError, match="use --grid 96"):
        run_les(les(bundle, "jax", grid=64), tmp_path / "run.nc")


def test_a_bundle_that_is_no_closure_is_refused(tmp_path):
    emulator = REFERENCE.parent / "climsim" / "column_mlp.bundle"
    with pytest.raises(FileError, match=r"maps \d+ inputs to 14 outputs, expected a turbulence closure"):
        run_les(les(emulator, "numpy"), tmp_path / "run.nc")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": 128}, "take a smaller grid"),
        ({"grid": 8}, "Case k4b0 is forced at wavenumber 4, but N = 8"),
        ({"backscatter_share": 7.0}, "--backscatter: found 7.0, expected a share from 0 to 1"),
        ({"filter_width": 1.0}, "expected at least that"),
    ],
)
def test_labels_that_the_pairs_cannot_give_are_refused(changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        train_closure(REFERENCE, tmp_path / "c.bundle", ClosureTraining(**changes))


def test_existing_bundle_is_not_replaced(short_training):
    bundle, _ = short_training
    with pytest.raises(FileError, match="already exists"):
        train_closure(REFERENCE, bundle, ClosureTraining(steps=1))
