"""The normalisation of the online baselines, from the shipped statistics."""

import netCDF4
import numpy as np
import pytest

from subgrid.contracts.errors import FileError
from subgrid.contracts.feature_sets import feature_set
from subgrid.contracts.variables import variable
from subgrid.jax_models.normalization import CLOUD_FREE_LEVELS, OnlineEncoder


def shipped(folder, what, features):
    with netCDF4.Dataset(str(folder / f"input_{what}_v5_pervar.nc")) as dataset:
        return np.concatenate(
            [
                np.atleast_1d(dataset[name][...].filled(np.nan))[slice(*features.span(name))]
                for name in features.inputs
            ]
        )


def test_online_encoder_centres_and_scales_by_the_shipped_files(real_data):
    folder, features = real_data / "normalizations", feature_set("V5")
    encode = OnlineEncoder(features, folder)
    mean, high, low = (shipped(folder, what, features) for what in ("mean", "max", "min"))
    found = np.asarray(encode(np.stack([mean, high]).astype(np.float32)))
    assert np.isfinite(found).all()
    for name, span in features.input_slices.items():
        width = high[span] - low[span]
        varies = width > 1e-6 * np.abs(high[span])
        # The shipped mean of SNOWHICE counts its fill values, which the encoder reads as no snow.
        if variable(name).rule != "cloud" and name not in ("state_rh", "cam_in_SNOWHICE"):
            expected = (high - mean)[span][varies] / width[varies]
            np.testing.assert_allclose(found[0, span][varies], 0, atol=2e-4, err_msg=name)
            np.testing.assert_allclose(found[1, span][varies], expected, rtol=2e-3, atol=2e-4, err_msg=name)


def test_online_encoder_squeezes_cloud_and_leaves_the_stratosphere_without(real_data):
    folder, features = real_data / "normalizations", feature_set("V5")
    name = next(name for name in features.inputs if variable(name).rule == "cloud")
    span = features.input_slices[name]
    row = np.zeros((1, max(part.stop for part in features.input_slices.values())), np.float32)
    row[0, span] = 1e-5
    found = np.asarray(OnlineEncoder(features, folder)(row))[0, span]
    file = {"state_q0002": "qc", "state_q0003": "qi", "state_qn": "qn"}[name]
    rate = np.loadtxt(folder / f"{file}_exp_lambda_large.txt", delimiter=",")
    assert (found[:CLOUD_FREE_LEVELS] == 0).all()
    expected = -np.expm1(-rate * 1e-5)[CLOUD_FREE_LEVELS:]
    np.testing.assert_allclose(found[CLOUD_FREE_LEVELS:], expected, rtol=1e-3, atol=1e-6)


def test_missing_statistics_are_named(tmp_path):
    with pytest.raises(FileError, match=r"input_mean_v5_pervar\.nc does not exist"):
        OnlineEncoder(feature_set("V5"), tmp_path)
