from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset

from subgrid.contracts.errors import SetupError
from subgrid.sims.convection.library import LIBRARY
from subgrid.sims.soundings.generator import draw_batch

REFERENCE = Path(__file__).resolve().parents[3] / "../shared/data/mskf/wrf_mskf_reference_columns.nc"


@pytest.fixture(autouse=True, scope="session")
def built_library():
    try:
        return LIBRARY.find()
    except SetupError as missing:
        pytest.skip(f"the convection library is not built: {missing}")


@pytest.fixture(scope="session")
def reference_path():
    """WRF's columns. A file of that name without WRF's own results (`*_r8`) is a failure."""
    if not REFERENCE.is_file():
        pytest.skip(f"reference columns are missing: {REFERENCE}")
    with Dataset(REFERENCE) as dataset:
        if "rthcuten_r8" not in dataset.variables:
            pytest.fail(f"{REFERENCE} is not WRF's reference: it lacks rthcuten_r8; restore the file")
    return REFERENCE


@pytest.fixture(scope="session")
def columns():
    """2,000 generated columns of all families."""
    return draw_batch(np.random.default_rng(7), 2000)
