"""What the exporter promises: the same numbers, honest kinds, portable programs."""

import hashlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.bundle import Bundle, Field
from subgrid.contracts.errors import BridgeError, FileError, InputError, SetupError
from subgrid.jax_models.bundle_model import load
from subgrid.jax_models.export import export_bundle

GENERATOR = np.random.default_rng(5)
X = GENERATOR.normal(size=(5, 6))
MONTH = np.array([1, 4, 7, 10, 12], np.int32)
PARAMETERS = {"layer": [{"kernel": GENERATOR.normal(size=(6, 3))}], "unused": np.zeros(2)}
FIELDS = [Field("x", "float64", (6,)), Field("month", "int32", ())]


def scheme(parameters, x, month):
    """Two outputs, an integer input, an unused parameter."""
    hidden = jnp.tanh(x @ parameters["layer"][0]["kernel"])
    return hidden * month[:, None], (x**2).sum(axis=1)


def export(path, apply=scheme, **changes):
    """A bundle of `scheme` in float64 for the CPU."""
    arguments = {
        "inputs": FIELDS,
        "outputs": [Field("y", "float64", (3,)), Field("energy", "float64", ())],
        "check_inputs": [X, MONTH],
        "name": "scheme",
        "description": "a scheme",
        "batch_sizes": (1, 4, 16),
        "platforms": ("cpu",),
        "programs": ("forward", "vjp"),
    }
    parameters = changes.pop("parameters", PARAMETERS)
    return export_bundle(path, apply, parameters, **{**arguments, **changes})


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "scheme.bundle"
    export(path)
    return path


@pytest.fixture(scope="module")
def model(path):
    return load(path)


def entries(n):
    generator = np.random.default_rng(n)
    return generator.normal(size=(n, 6)), generator.integers(1, 13, n).astype(np.int32)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 15, 16, 17, 49])
def test_any_number_of_entries_gives_the_same_numbers(model, n):
    x, month = entries(n)
    for found, expected in zip(model(x, month), scheme(PARAMETERS, x, month), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_it_runs_inside_jit_and_scan(model):
    x, month = entries(4)

    @jax.jit
    def march(x):
        return jax.lax.scan(
            lambda state, _: (state * 0.5 + model(state, month)[1][:, None], None), x, length=3
        )[0]

    state = x
    for _ in range(3):
        state = state * 0.5 + (state**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(march(x), state, rtol=1e-12)


def test_the_pullback_agrees_with_finite_differences(path):
    pull = load(path, "vjp")
    x, month = entries(6)
    cotangents = np.random.default_rng(1).normal(size=(6, 3)), np.random.default_rng(2).normal(size=6)
    (gradient,) = pull(x, month, *cotangents)
    direction, step = np.random.default_rng(3).normal(size=x.shape), 1e-5

    def loss(x):
        outputs = scheme(PARAMETERS, x, month)
        return sum(float((c * y).sum()) for c, y in zip(cotangents, outputs, strict=True))

    expected = (loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
    np.testing.assert_allclose((np.asarray(gradient) * direction).sum(), expected, rtol=1e-8)


def test_a_loaded_model_is_differentiable(model):
    x, month = entries(20)
    found = jax.grad(lambda x: model(x, month)[0].sum())(x)
    expected = jax.grad(lambda x: scheme(PARAMETERS, x, month)[0].sum())(x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_unused_arguments_are_recorded(tmp_path):
    bundle = export(
        tmp_path / "b", lambda p, x, month: (x * p["scale"],),
        outputs=[Field("y", "float64", (6,))], parameters={"bias": np.ones(3), "scale": np.float64(2)},
        programs=("forward",),
    )  # fmt: skip
    program = bundle.program("forward", "cpu", 4)
    assert [bundle.parameters[i].name for i in program.parameters_kept] == ["scale"]
    assert [program.inputs[i] for i in program.inputs_kept] == ["x"]
    np.testing.assert_array_equal(load(tmp_path / "b")(X, MONTH)[0], 2 * X)


def test_programs_are_portable_reproducible_and_tell_no_paths(path, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    bundle, again = export(tmp_path / "a"), export(tmp_path / "b")
    for program in bundle.programs:
        content = (bundle.path / program.artifact.path).read_bytes()
        assert b"StableHLO_v1.9" in content[:32]
        for twin in (content, (bundle.path / program.jax_artifact.path).read_bytes()):
            assert Path(__file__).name.encode() not in twin
    assert again.programs == bundle.programs
    assert (again.path / "manifest.txt").read_bytes() == (bundle.path / "manifest.txt").read_bytes()


def test_each_platform_has_its_own_program(tmp_path):
    bundle = export(tmp_path / "b", platforms=("cpu", "cuda"), batch_sizes=(2,), programs=("forward",))
    assert bundle.platforms() == ("cpu", "cuda")
    assert load(tmp_path / "b")(X, MONTH)[0].shape == (5, 3)


def test_a_bundle_for_another_platform_is_refused(tmp_path):
    export(tmp_path / "b", platforms=("cuda",), batch_sizes=(2,), programs=("forward",))
    with pytest.raises(SetupError, match="has programs for cuda, this JAX runs on cpu"):
        load(tmp_path / "b")


def test_float32_stays_float32(export_single, tmp_path):
    kernel = GENERATOR.normal(size=(6, 6))
    single = {
        "inputs": [Field("x", "float32", (6,))], "outputs": [Field("y", "float32", (6,))],
        "check_inputs": [X.astype(np.float32)],
    }  # fmt: skip

    def apply(p, x):
        return jnp.tanh(x @ p["kernel"])

    with pytest.raises(
        InputError, match=r"Parameter kernel \(1 of 1\) is float64 while .* float32, expected"
    ):
        export_single(apply, tmp_path / "b", parameters={"kernel": kernel}, **single)
    bundle = export_single(apply, tmp_path / "b", parameters={"kernel": kernel.astype(np.float32)}, **single)
    assert bundle.precision == "float32"
    assert load(tmp_path / "b")(X.astype(np.float32))[0].dtype == np.float32
    with pytest.raises(InputError, match=r"argument x of .* is float64 \(5, 6\), expected float32"):
        load(tmp_path / "b")(X)


def test_float64_without_x64_is_refused(tmp_path, path):
    with jax.enable_x64(False):
        with pytest.raises(InputError, match="declares float64 while jax_enable_x64 is off"):
            export(tmp_path / "b")
        with pytest.raises(SetupError, match="computes in float64 while jax_enable_x64 is off"):
            load(path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bundle_is_kept(path):
    with pytest.raises(FileError, match="already exists"):
        export(path)


@pytest.mark.parametrize(
    "arguments", [(X,), (X, MONTH[:3]), (X[:, :5], MONTH), (X[:0], MONTH[:0]), (X[0], MONTH)]
)
def test_wrong_arguments_are_refused(model, arguments):
    with pytest.raises(InputError):
        model(*arguments)


def test_a_device_that_computes_other_numbers_is_refused(export_single, tmp_path):
    """Expected values are changed and sealed again, as if this device were wrong."""
    bundle = export_single(lambda p, x: x * 2.0, tmp_path / "b", batch_sizes=(8,))
    check = bundle.path / "check.bin"
    content = bytearray(check.read_bytes())
    content[-1] ^= 0x40
    check.write_bytes(content)
    manifest = bundle.path / "manifest.txt"
    seal = hashlib.sha256(content).hexdigest()
    manifest.write_text(manifest.read_text().replace(bundle.check_vectors.sha256, seal))
    with pytest.raises(BridgeError, match="self-test of program forward"):
        load(bundle.path)


def test_the_golden_bundle_is_still_read():
    """Made with jax 0.10.1 by golden/make.py; every later version must reproduce it."""
    path = Path(__file__).parent / "golden" / "column"
    bundle = Bundle.open(path)
    assert "jax 0.10.1" in bundle.versions
    temperature, insolation = bundle.read_check(bundle.program("forward", "cpu", 8))[0]
    heating, column = load(path)(temperature, insolation)
    kernel = np.cos(np.arange(16.0)).reshape(4, 4)
    rate = np.arctan((temperature - 250) / 40 @ kernel) * insolation[:, None] / 1000
    np.testing.assert_allclose(heating, rate / 86400, rtol=1e-12)
    np.testing.assert_allclose(column, rate.sum(axis=1), rtol=1e-12, atol=1e-14)
