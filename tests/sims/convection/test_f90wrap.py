"""The f90wrap module gives the numbers of the ctypes path; it exists where CMake was asked for it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.columns import INTEGERS, PROFILES, SCALARS, STATE_PROFILES, STATE_SCALARS
from subgrid.sims.convection.library import LIBRARY
from subgrid.sims.convection.mskf import convect, gather_inputs


def built_at(path: Path) -> float:
    return path.stat().st_mtime


@pytest.fixture(scope="module")
def wrapped():
    """The module of the build whose library ctypes loads."""
    folder = LIBRARY.find().parents[1] / "sims/convection/fortran"
    built = next(folder.glob("f90wrap/_subgrid_mskf_wrapped.*.so"), None)
    if built is None:
        pytest.skip(f"no f90wrap module in {folder} (cmake -DSUBGRID_BUILD_F90WRAP=ON)")
    objects = folder.glob("CMakeFiles/subgrid_mskf_objects.dir/*.o")
    if built_at(built) < max(map(built_at, objects), default=0):
        pytest.fail(f"{built} is older than the scheme that was compiled beside it; run 'make build'")
    sys.path.insert(0, str(built.parent))
    try:
        import subgrid_mskf_wrapped
    finally:
        sys.path.remove(str(built.parent))
    return subgrid_mskf_wrapped.subgrid_mskf_facade


def stack(arrays, variables):
    """(levels, columns, variables) or (columns, variables) in Fortran order."""
    return np.asfortranarray(np.array([arrays[variable.name] for variable in variables]).T)


def arguments(columns):
    count, levels = columns["t"].shape
    inputs = gather_inputs(columns, count, levels, np.float64)
    state = {variable.name: np.zeros((count, levels)) for variable in STATE_PROFILES}
    state |= {variable.name: np.zeros(count) for variable in STATE_SCALARS}
    state |= {"w0avg": columns["w0avg"], "nca": np.full(count, -100.0)}
    return {
        "profiles": stack(inputs, PROFILES),
        "w": np.asfortranarray(inputs["w"].T),
        "scalars": stack(inputs, SCALARS),
        "integers": stack(inputs, INTEGERS),
        "clean": 1,
        "threads": 1,
        "profile_state": stack(state, STATE_PROFILES),
        "scalar_state": stack(state, STATE_SCALARS),
        "codes": np.zeros((count, 2), np.int32, order="F"),
    }


def test_same_numbers_as_ctypes(wrapped, columns):
    few = {name: values[:200] for name, values in columns.items()}
    given = arguments(few)
    wrapped.convect_columns(**given)
    expected = convect(few, threads=1)
    for i, variable in enumerate(STATE_PROFILES):
        assert np.array_equal(given["profile_state"][:, :, i].T, expected[variable.name]), variable.name
    for i, variable in enumerate(STATE_SCALARS):
        assert np.array_equal(given["scalar_state"][:, i], expected[variable.name]), variable.name
    assert np.array_equal(given["codes"][:, 0], expected["exit_code"])


def test_wrong_shapes_are_refused(wrapped, columns):
    given = arguments({name: values[:5] for name, values in columns.items()})
    given["w"] = given["w"][:-1].copy(order="F")
    wrapped.convect_columns(**given)
    assert np.all(given["codes"] == -100)
