"""A small DNS from the random start to the reference file: whole, interrupted, limited, refused."""

import os
import signal

import numpy as np
import pytest

from subgrid.contracts.errors import BlowUpError, FileError, InputError
from subgrid.contracts.reference import read_reference
from subgrid.contracts.reference_variables import VARIABLES
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.statistics.sample import reference_pair
from subgrid.validation.turbulence import score
from subgrid.workflows.dns import run_dns
from subgrid.workflows.dns_plan import make_plan

pytestmark = pytest.mark.usefixtures("quick_compilation")

SMALL = {"grid": 32, "time": 2.0, "spin_up": 0.4, "dt": 0.02, "seed": 3}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: (outcome, calls of the progress callback)."""
    calls = []
    output = tmp_path_factory.mktemp("dns") / "k4b0.reference.nc"
    outcome = run_dns(
        "k4b0", **SMALL, output=output, progress=lambda done, total, **numbers: calls.append((done, total))
    )
    return outcome, calls


def test_small_run_yields_a_valid_reference(whole):
    outcome, calls = whole
    assert outcome.ending == "complete"
    assert not outcome.checkpoint.exists()
    reference = read_reference(outcome.output, get_case("k4b0"))
    assert reference.attributes["samples"] == len(reference["sample_time"]) == 10
    assert reference.attributes["time_span"] == pytest.approx(2.0)
    assert "--grid 32 --time 2 --spinup 0.4 --dt 0.02 --seed 3" in reference.attributes["command"]
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1][0] == calls[-1][1]


def test_reference_is_consistent_with_itself(whole):
    reference = whole[0].reference
    half_square = 0.5 * reference.sigma**2
    spectra = [reference[name] for name in ("enstrophy_x", "enstrophy_y", "enstrophy_mean")]
    for spectrum in spectra:
        assert spectrum[0] + 2.0 * spectrum[1:].sum() == pytest.approx(half_square, rel=1e-12)
    assert reference["enstrophy_shell"].sum() == pytest.approx(half_square, rel=1e-12)
    assert reference["advection_energy_transfer"].sum() == pytest.approx(0.0, abs=1e-12)
    assert reference["pdf"][0].sum() * np.diff(reference["bin_edge"])[0] == pytest.approx(1.0)
    series = np.exp(reference["log_enstrophy"]).mean(axis=0)
    np.testing.assert_allclose(series, reference["enstrophy_mean"][: len(series)], rtol=1e-2)
    assert np.all(reference["pdf_lower"] <= reference["pdf_upper"])


def test_enstrophy_budget_closes(tmp_path):
    """d/dt of the enstrophy between two states is the sum of the budget terms in between."""
    outcome = run_dns("k4b0", **{**SMALL, "grid": 32, "time": 4.0}, output=tmp_path / "a.nc")
    reference = outcome.reference
    series = np.exp(reference["log_enstrophy"])
    total = series[:, 0] + 2.0 * series[:, 1:].sum(axis=1)
    span = reference["sample_time"][-1] - reference["sample_time"][0]
    assert (total[-1] - total[0]) / span == pytest.approx(reference["enstrophy_budget"].sum(), rel=0.1)


def test_states_and_pairs_split_in_time(whole):
    reference = whole[0].reference
    for group in ("states", "pairs"):
        held_out, time = reference[f"{group}/held_out"].astype(bool), reference[f"{group}/time"]
        assert time[held_out].min(initial=np.inf) > time[~held_out].max()
    assert reference["states/vorticity"].shape[1:] == (32, 32)
    assert reference["pairs/tendency"].shape == reference["pairs/vorticity"].shape
    width = 2.0 * 2.0 * np.pi / reference["pairs/vorticity"].shape[-1]
    assert reference.attributes["pair_filter_width"] == pytest.approx(width)


def test_pairs_are_those_of_the_states(whole):
    """State and pair of one moment: the state is the DNS field on this grid, so the pair follows from it."""
    reference = whole[0].reference
    plan = make_plan(get_case("k4b0"), 32, time=2.0, spin_up=0.4, dt=0.02, seed=3)
    filtered, tendency = reference_pair(
        np.fft.rfft2(reference["states/vorticity"][0].astype(float)), plan.measures
    )
    for name, spectrum in (("vorticity", filtered), ("tendency", tendency)):
        found = reference[f"pairs/{name}"][0]
        expected = np.fft.irfft2(spectrum, s=found.shape, axes=(-2, -1))
        np.testing.assert_allclose(found, expected, atol=5e-3 * np.abs(expected).max())


def test_spectrum_of_the_reference_scores_perfectly(whole):
    reference = whole[0].reference
    level = reference.level(16)
    run = {
        "spectrum": reference["level_enstrophy"][level, :8],
        "pdf": reference["pdf"][level],
        "exceedance": reference["exceedance"][level],
        "moments": reference["moments"][level],
    }
    scores = score(run, run, highest=7, bin_width=0.1)
    assert scores["spectrum_log_error"] == scores["pdf_total_variation"] == scores["pdf_log_error"] == 0.0
    assert scores["sigma_ratio"] == 1.0


def same(one, other):
    for name in VARIABLES:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("when", [1, 4, 9])
def test_interrupted_run_resumes_to_the_same_bits(whole, tmp_path, when):
    calls = []

    def interrupt(done, total, **numbers):
        calls.append(done)
        if len(calls) == when:
            os.kill(os.getpid(), signal.SIGINT)

    output = tmp_path / "k4b0.reference.nc"
    handler = signal.getsignal(signal.SIGINT)
    first = run_dns("k4b0", **SMALL, output=output, progress=interrupt)
    assert first.ending == "interrupted"
    assert first.checkpoint.exists()
    assert not output.exists()
    assert len(calls) == when
    assert signal.getsignal(signal.SIGINT) is handler
    second = run_dns("k4b0", **SMALL, output=output)
    assert second.ending == "complete"
    same(second.reference, whole[0].reference)


def test_time_limit_writes_what_there_is_and_can_be_continued(whole, tmp_path):
    output = tmp_path / "k4b0.reference.nc"
    with pytest.raises(InputError, match="needs 2"):
        run_dns("k4b0", **SMALL, output=output, max_seconds=0.0)
    for _ in range(2):  # each call does one chunk, and the spin-up takes two
        with pytest.raises(InputError, match="needs 2"):
            run_dns("k4b0", **SMALL, output=output, max_seconds=0.0)
    limited = run_dns("k4b0", **SMALL, output=output, max_seconds=0.0)
    assert limited.ending == "time_limit"
    assert read_reference(output).attributes["samples"] == len(limited.reference["sample_time"]) >= 2
    done = run_dns("k4b0", **SMALL, output=output, overwrite=True)
    same(done.reference, whole[0].reference)


def test_checkpoint_of_another_run_is_refused(tmp_path):
    output = tmp_path / "a.nc"
    with pytest.raises(InputError):
        run_dns("k4b0", **SMALL, output=output, max_seconds=0.0)
    with pytest.raises(FileError, match="is of a run with another case"):
        run_dns("k4b0", **{**SMALL, "seed": 4}, output=output)
    checkpoint = output.with_suffix(".checkpoint.npz")
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    with pytest.raises(FileError, match="cannot be read"):
        run_dns("k4b0", **SMALL, output=output)


def test_blow_up_says_when_and_leaves_no_output(tmp_path):
    with pytest.raises(BlowUpError, match="smaller --dt") as raised:
        run_dns("k4b20", grid=32, time=20.0, spin_up=20.0, dt=0.2, output=tmp_path / "a.nc")
    assert 0.0 <= raised.value.time < 40.0
    assert not (tmp_path / "a.nc").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"case": "k5"}, "k4b0, k4b20, k25b0"),
        ({"case": "k25b0", "grid": 50}, "forced at wavenumber 25"),
        ({"time": 0.0}, "time must be"),
        ({"time": np.nan}, "time must be"),
        ({"spin_up": -1.0}, "spin-up must be"),
        ({"dt": -0.1}, "dt"),
        ({"dt": 1.0}, "sampling interval"),
        ({"grid": 33}, "even"),
    ],
)
def test_bad_input_is_refused_before_any_work(tmp_path, change, complaint):
    arguments = {"case": "k4b0", **SMALL, **change}
    with pytest.raises(InputError, match=complaint):
        run_dns(**arguments, output=tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())


def test_existing_output_is_refused_before_any_work(tmp_path):
    output = tmp_path / "a.nc"
    output.write_text("precious")
    with pytest.raises(FileError, match="already exists"):
        run_dns("k4b0", **SMALL, output=output)
    assert output.read_text() == "precious"


def test_spin_up_goes_from_coarse_to_fine():
    plan = make_plan(get_case("k4b0"), 1024, time=50.0, spin_up=100.0, dt=None, seed=0)
    assert [stage.grid for stage in plan.stages] == [256, 512, 1024, 1024]
    assert plan.spin_up_time == pytest.approx(100.0)
    assert plan.measures.pair_grid == 64
    assert (
        make_plan(get_case("k25b0"), 1024, time=50.0, spin_up=1.0, dt=None, seed=0).measures.pair_grid == 128
    )
    coarse = make_plan(get_case("k25b0"), 128, time=5.0, spin_up=10.0, dt=None, seed=0)
    assert [stage.grid for stage in coarse.spin_up] == [128]  # 64 and 32 points cannot carry k_f = 25
    assert coarse.spin_up_time == pytest.approx(10.0)
