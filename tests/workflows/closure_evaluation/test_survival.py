"""Survival: who blows up is counted with its time, the others go on, and an interrupted run continues."""

from types import SimpleNamespace

import numpy as np
import pytest

from subgrid.contracts.errors import FileError
from subgrid.envs.uniform_closure import constants, stack
from subgrid.workflows.closure_evaluation.rows import Rows
from subgrid.workflows.closure_evaluation.sections import survival_sections
from subgrid.workflows.closure_evaluation.store import PartStore
from subgrid.workflows.closure_evaluation.survival import run_survival
from subgrid.workflows.closure_forms import UNIFORM

SETTINGS = {"time": 0.6, "chunk": 0.2, "sample_interval": 0.05}
pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def rows():
    """Smagorinsky, and a negative viscosity that no simulation survives; two simulations each."""
    sound, doomed = constants(smagorinsky=0.15), (-0.5, 0.0, 0.0, 0.0)
    return Rows(("sound", "doomed"), UNIFORM.make_closure, stack([sound, sound, doomed, doomed]))


@pytest.fixture(scope="module")
def whole(environment, params, rows):
    return run_survival(environment, params, rows, **SETTINGS)


def test_blow_ups_are_timed_and_do_not_touch_the_others(whole):
    assert whole["sound"].fraction == 1.0
    assert np.isinf(whole["sound"].ended).all()
    assert whole["sound"].moments.shape == (2, 2, 4)
    assert (whole["sound"].moments[..., 1] > 0.0).all()
    assert whole["doomed"].fraction == 0.0
    assert 0.0 <= whole["doomed"].first_end < SETTINGS["time"]
    assert np.isnan(whole["doomed"].moments[1]).all()
    assert whole["doomed"].time == pytest.approx(SETTINGS["time"])


def test_the_page_says_whether_the_flow_stayed_as_it_was(whole, environment):
    target = {"moments": np.array([6.0, 0.0, 3.0])}
    found = SimpleNamespace(survival=whole, target=target, environment=environment)
    (section,) = survival_sections(found, "")
    sound, doomed = section.tables[0].rows
    assert (sound[1], sound[3].count("→")) == ("2 of 2", 1)
    assert (doomed[1], doomed[3:]) == ("0 of 2", ["–", "–"])


def test_an_interrupted_run_continues_with_the_same_numbers(environment, params, rows, whole, tmp_path):
    store, chunks = PartStore(tmp_path / "parts", "mine"), []

    def count(done, total, **numbers):
        chunks.append(done)

    def interrupt(done, total, **numbers):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_survival(environment, params, rows, **SETTINGS, store=store, progress=interrupt)
    found = run_survival(
        environment,
        params,
        rows,
        **SETTINGS,
        store=store,
        progress=lambda done, *_, **__: chunks.append(done),
    )
    assert len(chunks) == 2  # of three
    for name, expected in whole.items():
        np.testing.assert_array_equal(found[name].ended, expected.ended)
        np.testing.assert_allclose(found[name].moments, expected.moments, rtol=1e-6)


def test_parts_of_another_evaluation_or_damaged_ones_are_refused(tmp_path):
    store = PartStore(tmp_path / "parts", "mine")
    store.put("row a/b", {"x": np.arange(3.0)})
    np.testing.assert_array_equal(store.get("row a/b")["x"], np.arange(3.0))
    assert store.get("row c") is None
    with pytest.raises(FileError, match="other closures, reference or settings"):
        PartStore(tmp_path / "parts", "another").get("row a/b")
    (file,) = (tmp_path / "parts").iterdir()
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(FileError, match="cannot be read"):
        store.get("row a/b")
    store.clear()
    assert store.get("row a/b") is None


def test_without_a_directory_nothing_is_kept():
    store = PartStore(None, "")
    store.put("x", {"x": np.zeros(1)})
    assert store.get("x") is None
