"""A small export that several files of tests vary."""

from collections.abc import Callable

import numpy as np
import pytest

from subgrid.contracts.bundle import Bundle, Field
from subgrid.jax_models.export import export_bundle


@pytest.fixture(scope="session")
def export_single() -> Callable[..., Bundle]:
    """`export_single(apply, path, **changes)`: x (5, 6) to one output of that shape, float64, for the CPU."""

    def export(apply, path, *, parameters=None, **changes):
        arguments = {
            "inputs": [Field("x", "float64", (6,))],
            "outputs": [Field("y", "float64", (6,))],
            "check_inputs": [np.random.default_rng(5).normal(size=(5, 6))],
            "name": "single",
            "description": "one array to one array",
            "batch_sizes": (1, 4, 16),
            "platforms": ("cpu",),
        }
        return export_bundle(path, apply, parameters or {}, **{**arguments, **changes})

    return export
