"""WRF's own numbers: 311 columns and 6 sequences, in both precisions."""

import numpy as np
import pytest

from subgrid.contracts.columns_file import open_columns, read_columns
from subgrid.sims.convection.mskf import convect
from subgrid.sims.convection.sequence import march
from subgrid.workflows.physics import read_sequences

HEAT_AND_WATER = ("rthcuten", "rqvcuten", "rqccuten", "rqrcuten", "rqicuten", "rqscuten")


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
    result = []
    for i in np.flatnonzero(keep):
        n = stored["nlev"][i]
        ours, theirs = answer[name][i, :n], stored[name + suffix][i, :n]
        scale = np.abs(theirs).max()
        result.append(np.abs(ours - theirs).max() / scale if scale > 0 else np.abs(ours).max())
    return np.array(result)


def test_outcome_of_every_well_conditioned_column(reference, double):
    stored, _ = reference
    good = stored["well_conditioned"] == 1
    for name in ("exit_code", "cutop", "cubot", "nca"):
        assert np.array_equal(double[name][good], stored[f"{name}_r8"][good]), name
    assert np.all(double["status"] == 0)


@pytest.mark.parametrize("name", [*HEAT_AND_WATER, "cldfra_dp", "cldfra_sh", "w0avg"])
def test_double_precision_profiles(reference, double, name):
    stored, _ = reference
    stored = stored | {"w0avg_r8": stored["w0avg_out_r8"]}
    assert errors(double, stored, name, "_r8", stored["well_conditioned"] == 1).max() < 1e-6


def test_double_precision_rain_and_time_scale(reference, double):
    stored, _ = reference
    good = stored["well_conditioned"] == 1
    for name, of in (("pratec", "pratec_r8"), ("timec_kf", "timec_kf_r8"), ("raincv", "raincv_r8")):
        np.testing.assert_allclose(double[name][good], stored[of][good], rtol=1e-7, atol=1e-15, err_msg=name)


def test_condensate_in_the_cloud_also_of_rejected_plumes(reference, double):
    stored, _ = reference
    for name in ("qc_kf", "qi_kf"):  # stored in single precision
        assert errors(double, stored, name, "_r8", stored["well_conditioned"] == 1).max() < 2e-7
    assert double["qc_kf"][stored["exit_code_r8"] == -4].max() > 0


def test_momentum(reference, double):
    stored, _ = reference
    good = (stored["exit_code_r8"] > 0) & (stored["well_conditioned"] == 1)
    used = np.arange(stored["t"].shape[1]) < stored["nlev"][:, None]
    downdraft = np.any((stored["ddr_kf"] != 0) & used, axis=1)
    for name in ("rucuten", "rvcuten"):
        alone = errors(double, stored, name, "_r8", good & ~downdraft)
        assert alone.size > 100
        assert alone.max() < 1e-8
        beside = errors(double, stored, name, "_r8", good & downdraft)
        assert beside.size > 90
        assert np.median(beside) < 2e-6
        assert beside.max() < 1e-4  # the worst are components that are small beside the other one


def test_single_precision_spreads_as_wrf_does(reference):
    stored, columns = reference
    answer = convect(columns, mode="match", precision="single")
    good = stored["well_conditioned"] == 1
    for name in ("exit_code", "cutop", "cubot", "nca"):
        assert np.mean(answer[name][good] == stored[name][good]) > 0.99, name
    # WRF's single against WRF's double: 95th percentile 2.3e-4 (θ), 1.8e-4 (vapour).
    assert np.quantile(errors(answer, stored, "rthcuten", "", good), 0.95) < 3e-4
    assert np.quantile(errors(answer, stored, "rqvcuten", "", good), 0.95) < 3e-4


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
    assert np.mean(clean["exit_code"][good] == stored["exit_code_r8"][good]) > 0.98
    error = errors(clean, stored, "rthcuten", "_r8", good & (stored["exit_code_r8"] > 0))
    assert 1e-6 < np.median(error) < 5e-3


def test_sequences_are_replayed(reference_path):
    from netCDF4 import Dataset

    with Dataset(reference_path) as dataset:
        group = dataset["sequences"]
        rain, called, nca = group["rainc_r8_end"][:], group["called"][:], group["nca_end"][:]
    answer = march(*read_sequences(reference_path), mode="match", precision="double", threads=1)
    assert np.array_equal(answer["called"], called)
    np.testing.assert_allclose(answer["rainc"][:, -1], rain, rtol=1e-4, atol=1e-6)
    assert np.mean(answer["nca_end"] == nca) > 0.9  # the reference marched in single precision
