"""Figures of closures show every curve that they are given, and leave out what is not there."""

import numpy as np
import pytest

from subgrid.validation import closure_figures
from subgrid.validation.page import Page, Section, Table, render
from subgrid.validation.turbulence_figures import plt

K, SHELLS, BINS = 7, 12, 40
CENTRES = np.linspace(-5, 5, BINS)


def statistics(directions):
    density = np.exp(-0.5 * CENTRES**2)
    return {
        "spectrum_directions": np.ones((directions, K)),
        "pdf": density,
        "pdf_lower": 0.9 * density,
        "pdf_upper": 1.1 * density,
        "enstrophy_transfer": np.linspace(1, -1, SHELLS),
        "energy_transfer": np.linspace(1, -1, SHELLS),
    }


@pytest.fixture(autouse=True)
def closing():
    yield
    plt.close("all")


@pytest.mark.parametrize("directions", [1, 2])
def test_spectra_have_an_axis_for_each_direction(directions):
    runs = {"one": statistics(directions), "two": statistics(directions)}
    band = np.array([0.9, 1.1])[:, None] * np.ones(K)
    figure = closure_figures.spectrum_ratios(runs, statistics(directions), band)
    assert len(figure.axes) == directions
    assert {"one", "two"} < {line.get_label() for line in figure.axes[0].lines}


def test_the_exact_transfer_is_shown_where_it_is_known():
    runs, target = {"one": statistics(1)}, statistics(1)
    known = closure_figures.transfers(runs, target, K)
    unknown = closure_figures.transfers(runs, {"pdf": target["pdf"]}, K)
    assert "DNS, exact" in {line.get_label() for line in known.axes[0].lines}
    assert "DNS, exact" not in {line.get_label() for line in unknown.axes[0].lines}


def test_densities_show_the_dns_beside_the_runs():
    figure = closure_figures.density_comparison({"one": statistics(1)}, statistics(1), CENTRES)
    assert [line.get_label() for line in figure.axes[0].lines] == ["DNS, cut", "one"]


def test_action_curves_are_means_in_bins_and_skip_constant_invariants():
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(600, 3))
    seen[:, 0] = 1.0
    actions = np.stack([np.sign(seen[:, 1]), seen[:, 2]], axis=1)
    figure = closure_figures.action_curves(seen, actions, ("a", "b", "c"), ("first", "second"))
    assert len(figure.axes) == 4
    first = figure.axes[0].lines[0].get_ydata()
    assert (first[0], first[-1]) == (-1.0, 1.0)


def test_bins_hold_equally_many():
    centres, groups = closure_figures.equal_bins(np.arange(100.0)[::-1], 10)
    assert [len(group) for group in groups] == [10] * 10
    np.testing.assert_allclose(centres, np.arange(4.5, 100, 10))
    centres, groups = closure_figures.equal_bins(np.array([1.0, -1.0, 1.0]), 10)
    assert centres.tolist() == [-1.0, 1.0]
    assert [group.tolist() for group in groups] == [[1], [0, 2]]


def test_action_maps_leave_rare_bins_empty():
    rng = np.random.default_rng(0)
    vorticity, invariant = rng.normal(size=(2, 3000))
    figure = closure_figures.action_maps(vorticity, invariant, vorticity[:, None], "|S|²", ("c",))
    shown = figure.axes[0].collections[0].get_array()
    assert np.ma.count_masked(shown) + np.isnan(np.ma.getdata(shown)).sum() > 0
    assert np.nanmax(shown) > 1.0


def test_the_second_line_of_a_cell_is_a_note_and_text_stays_text():
    table = Table(["closure", "error"], [["a<b", "0.1\n0.05 … 0.2"]])
    html = render(Page("t", "s", [Section("h", (), [table])]))
    assert "<td>0.1<small>0.05 … 0.2</small></td>" in html
    assert "<td>a&lt;b</td>" in html
