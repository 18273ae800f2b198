"""WRF's own numbers: 311 columns and 6 sequences, in both precisions."""

import numpy as np
import pytest

from subgrid.contracts.columns_file import open_columns, read_columns
from subgrid.sims.convection.mskf import convect
from subgrid.sims.convection.sequence import march
from subgrid.validation.column_errors import profile_errors
from subgrid.workflows.physics import read_sequences

# Some three times the errors of docs/physics/mskf.md; in-cloud condensate is stored in single precision.
DOUBLE_PROFILES = {
    "rthcuten": 3e-8,
    "rqvcuten": 3e-8,
    "rqccuten": 8e-8,
    "rqrcuten": 3e-8,
    "rqicuten": 2e-7,
    "rqscuten": 6e-8,
    "cldfra_dp": 2e-8,
    "cldfra_sh": 3e-8,
    "qc_kf": 2e-7,
    "qi_kf": 3e-7,
    "w0avg": 1e-12,
}
HEAT_AND_WATER = tuple(DOUBLE_PROFILES)[:6]
OUTCOME = ("exit_code", "cutop", "cubot", "nca")


@pytest.fixture(scope="module")
def reference(reference_path):
    with open_columns(reference_path) as dataset:
        stored = {name: variable[:] for name, variable in dataset.variables.items() if name != "note"}
        return stored, read_columns(dataset, slice(None))


@pytest.fixture(scope="module")
def double(reference):
    return convect(reference[1], mode="match", precision="double")


def errors(answer, stored, name, suffix, keep):
    """Largest difference in each kept column over the largest value of the reference profile."""
    return profile_errors(answer[name][keep], stored[name + suffix][keep], stored["nlev"][keep])


def test_outcome_of_every_well_conditioned_column(reference, double):
    stored, _ = reference
    good = stored["well_conditioned"] == 1
    for name in OUTCOME:
        assert np.array_equal(double[name][good], stored[f"{name}_r8"][good]), name
    assert np.all(double["status"] == 0)


@pytest.mark.parametrize("name", DOUBLE_PROFILES)
def test_double_precision_profiles(reference, double, name):
    stored, _ = reference
    stored = stored | {"w0avg_r8": stored["w0avg_out_r8"]}
    assert errors(double, stored, name, "_r8", stored["well_conditioned"] == 1).max() < DOUBLE_PROFILES[name]


def test_double_precision_rain_and_time_scale(reference, double):
    stored, _ = reference
    good = stored["well_conditioned"] == 1
    for name in ("pratec", "raincv"):  # WRF's -1e-20 in two columns is rounding
        rain, expected = double[name][good], stored[f"{name}_r8"][good]
        np.testing.assert_allclose(rain, expected, rtol=2e-8, atol=1e-17, err_msg=name)
    assert np.array_equal(double["timec_kf"][good], stored["timec_kf_r8"][good])


def test_rejected_plumes_leave_their_condensate(reference, double):
    stored, _ = reference
    assert double["qc_kf"][stored["exit_code_r8"] == -4].max() > 0


def test_momentum(reference, double):
    stored, _ = reference
    good = (stored["exit_code_r8"] > 0) & (stored["well_conditioned"] == 1)
    used = np.arange(stored["t"].shape[1]) < stored["nlev"][:, None]
    downdraft = np.any((stored["ddr_kf"] != 0) & used, axis=1)
    for name in ("rucuten", "rvcuten"):
        alone = errors(double, stored, name, "_r8", good & ~downdraft)
        assert alone.size > 100
        assert alone.max() < 5e-9
        beside = errors(double, stored, name, "_r8", good & downdraft)
        assert beside.size > 90
        assert np.median(beside) < 2e-6
        assert beside.max() < 1e-4  # the worst are components that are small beside the other one


def test_single_precision_spreads_as_wrf_does(reference, double):
    """At most 1.6 times as wide about WRF's single as WRF's own spread, 1.3 times about our double."""
    stored, columns = reference
    stored = stored | {f"{name}_ours": values for name, values in double.items()}
    single = convect(columns, mode="match", precision="single")
    good = stored["well_conditioned"] == 1
    for name in (*OUTCOME, "timec_kf"):
        assert np.array_equal(single[name][good], stored[name][good]), name
    for name in (*HEAT_AND_WATER, "cldfra_dp", "cldfra_sh", "qc_kf", "qi_kf", "rucuten", "rvcuten", "pratec"):
        there = good & np.any(double[name].reshape(good.size, -1) != 0, axis=1)
        spread = np.quantile(errors(stored, stored, name, "_r8", there), 0.95)
        assert 1e-5 < spread < 3e-3, name
        assert np.quantile(errors(single, stored, name, "", there), 0.95) < 1.6 * spread, name
        assert np.quantile(errors(single, stored, name, "_ours", there), 0.95) < 1.3 * spread, name
    shallow = good & (stored["exit_code"] == 2) & np.any(double["rucuten"] != 0, axis=1)
    for name in ("rucuten", "rvcuten"):  # small differences of large winds
        spread = np.median(errors(stored, stored, name, "_r8", shallow))
        assert np.median(errors(single, stored, name, "", shallow)) < 3 * spread, name


def test_held_column_keeps_what_it_brought(reference, double):
    stored, columns = reference
    held = np.flatnonzero(stored["exit_code"] == 0)
    assert held.size > 0
    for i in held:
        n = stored["nlev"][i]
        for name in HEAT_AND_WATER:
            assert np.array_equal(double[name][i, :n], columns[name][i, :n])
        assert double["nca"][i] == stored["nca_in"][i]
        np.testing.assert_allclose(double["w0avg"][i, :n], stored["w0avg_out_r8"][i, :n], rtol=1e-12)


def test_clean_mode_decides_as_match_does(reference):
    stored, columns = reference
    good = stored["well_conditioned"] == 1
    clean = convect(columns, mode="clean")
    assert np.array_equal(clean["exit_code"][good], stored["exit_code_r8"][good])
    error = errors(clean, stored, "rthcuten", "_r8", good & (stored["exit_code_r8"] > 0))
    assert 3e-4 < np.median(error) < 4e-3
    assert np.quantile(error, 0.9) < 0.15


def test_sequences_are_replayed(reference_path):
    from netCDF4 import Dataset

    with Dataset(reference_path) as dataset:
        stored = {name: variable[:] for name, variable in dataset["sequences"].variables.items()}
    sequences = read_sequences(reference_path)
    double = march(*sequences, mode="match", precision="double", threads=1)
    np.testing.assert_allclose(double["rainc"][:, -1], stored["rainc_r8_end"], rtol=0, atol=1e-5)
    single = march(*sequences, mode="match", precision="single", threads=1)
    for name in ("called", "nca_end", *OUTCOME):
        assert np.array_equal(single[name], stored[name]), name
    np.testing.assert_allclose(single["rainc"], stored["rainc"], rtol=0, atol=1.5e-3)
