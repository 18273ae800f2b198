"""A NumPy host runs bundles through the library of Fortran hosts: same numbers, statuses as exceptions."""

import hashlib
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.errors import BridgeError, FileError, InputError, SetupError
from subgrid.fortran_bridge.bundle_runner import BundleModel, aligned_empty
from subgrid.fortran_bridge.library import LIBRARY
from subgrid.fortran_bridge.plugins import find_plugin

GOLDEN = Path(__file__).parents[1] / "jax_models" / "golden" / "column"
KERNEL = np.cos(np.arange(16.0)).reshape(4, 4)


@pytest.fixture(scope="module", autouse=True)
def _built():
    try:
        LIBRARY.find()
        find_plugin("cpu")
    except SetupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def model(_built):
    with BundleModel(GOLDEN) as model:
        yield model


def columns(n):
    generator = np.random.default_rng(n)
    return generator.uniform(200, 300, (n, 4)), generator.uniform(0, 1000, n)


def heating(temperature, insolation):
    """The golden scheme (tests/jax_models/golden/make.py) in NumPy."""
    rate = np.arctan((temperature - 250) / 40 @ KERNEL) * insolation[:, None] / 1000
    return rate / 86400, rate.sum(axis=1)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 16, 25, 300])
def test_any_number_of_entries_gives_the_numbers_of_numpy(model, n):
    arguments = columns(n)
    for found, expected in zip(model(*arguments), heating(*arguments), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_the_jax_host_gives_the_same_numbers(model):
    from subgrid.jax_models.bundle_model import load

    arguments = columns(21)
    for found, expected in zip(model(*arguments), load(GOLDEN)(*arguments), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_the_pullback_agrees_with_finite_differences(model):
    temperature, insolation = columns(11)
    seeds = np.full((11, 4), 86400.0), np.ones(11)
    gradient, _ = model(temperature, insolation, *seeds, program="vjp")
    direction, step = np.random.default_rng(0).normal(size=temperature.shape), 1e-4

    def loss(t):
        rate, column = heating(t, insolation)
        return (rate * seeds[0]).sum() + column.sum()

    expected = (loss(temperature + step * direction) - loss(temperature - step * direction)) / (2 * step)
    np.testing.assert_allclose((gradient * direction).sum(), expected, rtol=1e-7)


def test_unaligned_and_strided_inputs_are_read_right(model):
    temperature, insolation = columns(8)
    expected = heating(temperature, insolation)[0]
    wide = np.zeros((8, 9))
    wide[:, 1::2] = temperature
    shifted = aligned_empty((33,), "float64")[1:].reshape(8, 4)
    shifted[:] = temperature
    for view in (wide[:, 1::2], np.asfortranarray(temperature), shifted):
        np.testing.assert_allclose(model(view, insolation)[0], expected, rtol=1e-12, atol=1e-18)


def test_threads_share_a_model(model):
    arguments = columns(40)
    expected, found = model(*arguments)[0], {}

    def work(index):
        for _ in range(20):
            found[index] = model(*arguments)[0]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(result, expected) for result in found.values())


def test_the_model_tells_what_it_is(model):
    assert model.query("name") == "golden-column"
    assert model.query("session.platform") == "cpu"
    with pytest.raises(InputError):
        model.query("no.such.key")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda t, s: (t,), "got 1 arrays, expected 2: temperature, insolation"),
        (lambda t, s: (t.astype(np.float32), s), r"temperature is float32 \(3, 4\), expected float64"),
        (lambda t, s: (t[:, :3], s), r"temperature is float64 \(3, 3\), expected float64 \('n', 4\)"),
        (lambda t, s: (t, s[:2]), r"\[2, 3\] entries"),
        (lambda t, s: (t[:0], s[:0]), "entries, expected one number of at least 1"),
    ],
)
def test_wrong_arguments_are_named(model, spoil, sentence):
    with pytest.raises(InputError, match=sentence):
        model(*spoil(*columns(3)))


def test_a_program_that_is_not_there_is_named(model):
    with pytest.raises(InputError, match="has no program backward; it has forward, vjp"):
        model(*columns(3), program="backward")


def test_a_closed_model_is_refused():
    model = BundleModel(GOLDEN)
    model.close()
    model.close()
    with pytest.raises(InputError, match="was closed"):
        model(*columns(3))


def test_a_damaged_bundle_is_refused(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(GOLDEN, copy)
    (copy / "weights.bin").write_bytes(b"short")
    with pytest.raises(FileError, match=r"weights\.bin has 5 bytes"):
        BundleModel(copy)
    with pytest.raises(FileError, match="does not exist"):
        BundleModel(tmp_path / "nowhere")


def test_a_device_that_computes_other_numbers_is_refused(tmp_path):
    """Weights are changed and sealed again: to the reader that is a device that computes something else."""
    copy = tmp_path / "copy"
    shutil.copytree(GOLDEN, copy)
    weights, manifest = copy / "weights.bin", copy / "manifest.txt"
    content = weights.read_bytes()
    changed = np.frombuffer(content, "<f8") * 1.001
    weights.write_bytes(changed.tobytes())
    old, new = (hashlib.sha256(b).hexdigest() for b in (content, changed.tobytes()))
    manifest.write_text(manifest.read_text().replace(old, new))
    with pytest.raises(BridgeError, match="self-test of program") as failure:
        BundleModel(copy)
    assert failure.value.status == -10


def test_a_library_that_is_no_plugin_is_refused(tmp_path):
    wrong = tmp_path / "wrong.so"
    wrong.write_bytes(b"no library")
    with pytest.raises(SetupError):
        BundleModel(GOLDEN, device=str(wrong))
    with pytest.raises(SetupError):
        BundleModel(GOLDEN, device="cpu", index=99)
