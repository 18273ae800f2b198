"""What the exporter refuses: coupled entries, kernels that plug-ins lack, arrays other than declared."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.bundle import Field
from subgrid.contracts.errors import InputError

X = np.random.default_rng(5).normal(size=(5, 6))


@pytest.mark.parametrize(
    "coupled",
    [
        lambda p, x: x - x.mean(axis=0, keepdims=True),
        lambda p, x: x * (1 + 1e-9 * x.max()),
        lambda p, x: jnp.cumsum(x, axis=0),
        lambda p, x: x[::-1],
        lambda p, x: jnp.sort(x, axis=0),
    ],
)
def test_entries_that_influence_each_other_are_refused(export_single, tmp_path, coupled):
    with pytest.raises(InputError, match=r"one batch entry changes by .* when another entry changes"):
        export_single(coupled, tmp_path / "b")


@pytest.mark.parametrize(
    "foreign",
    [
        lambda p, x: jnp.linalg.solve(jnp.eye(6)[None] + x[:, :, None] * x[:, None, :], x[..., None])[..., 0],
        lambda p, x: jnp.linalg.eigvalsh(x[:, :, None] * x[:, None, :]),
    ],
)
@pytest.mark.parametrize("platform", ["cpu", "cuda"])
def test_kernels_of_jaxlib_are_refused(export_single, tmp_path, foreign, platform):
    with pytest.raises(InputError, match="which a plug-in without jaxlib lacks"):
        export_single(foreign, tmp_path / "b", platforms=(platform,), batch_sizes=(4,))


@pytest.mark.parametrize("platform", ["cpu", "cuda"])
def test_callbacks_into_python_are_refused(export_single, tmp_path, platform):
    def callback(_, x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    with pytest.raises(InputError, match="may not call back into Python"):
        export_single(callback, tmp_path / "b", platforms=(platform,))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"outputs": [Field("y", "float32", (6,))]}, r"output y is float64 \(5, 6\), expected float32"),
        ({"outputs": [Field("y", "float64", (5,))]}, r"expected float64 \('batch', 5\)"),
        (
            {"outputs": [Field("y", "float64", (6,)), Field("z", "float64", ())]},
            "Found 1 arrays, expected 2: y, z",
        ),
        ({"check_inputs": [X.astype(np.float32)]}, "check input x is float32"),
        ({"check_inputs": [X[:1]]}, "fewer than two different entries"),
        ({"check_inputs": [np.ones((4, 6))]}, "fewer than two different entries"),
        ({"check_inputs": [np.full((4, 6), np.nan)]}, "check input x is not finite"),
        ({"check_inputs": []}, "Found 0 arrays, expected 1: x"),
        ({"batch_sizes": (0, 4)}, "expected one or more sizes of at least 1"),
        ({"platforms": ("abacus",)}, "expected some of cpu"),
        ({"programs": ("backward",)}, "expected forward"),
    ],
)
def test_what_is_not_as_declared_is_refused(export_single, tmp_path, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        export_single(lambda p, x: x * 2.0, tmp_path / "b", **changes)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_not_finite_is_refused(export_single, tmp_path):
    with pytest.raises(InputError, match="output y is not finite"):
        export_single(lambda p, x: jnp.log(x), tmp_path / "b")
