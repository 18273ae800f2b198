"""Example 2: emulators of several kinds give Fortran the numbers that they give Python."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from subgrid.contracts.bundle import Bundle
from subgrid.contracts.feature_sets import feature_set
from subgrid.contracts.variables import variable
from subgrid.fortran_bridge.bundle_runner import BundleModel
from subgrid.fortran_bridge.plugins import find_plugin
from subgrid.jax_models.data.mock import mock_columns
from subgrid.jax_models.data.source import read_columns
from subgrid.jax_models.emulator_bundle import load_ensemble
from subgrid.jax_models.normalization import split
from subgrid.jax_models.recipes import RECIPES, training_data

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "02_column_emulator"
REAL = ROOT / "../shared/data/climsim/climsim_lowres_real_60steps.nc"


def export(folder: Path, emulator: str, columns, **options) -> Path:
    """The example's own function, in this process: JAX starts once."""
    spec = importlib.util.spec_from_file_location("example_02_export", EXAMPLE / "export.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.export(folder, emulator, columns, **options)
    return folder


def run(*command) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    environment["SUBGRID_PJRT_PLUGIN_CPU"] = str(find_plugin("cpu"))
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)


def program() -> Path:
    """The example as it was built last."""
    programs = sorted(ROOT.glob("_build/*/bin/example_02_run_columns"), key=lambda path: path.stat().st_mtime)
    if not programs:
        pytest.skip("example_02_run_columns is not built: run make build")
    return programs[-1]


def fortran(folder: Path) -> str:
    """Run the Fortran program on a folder of the example; returns what it prints."""
    done = run(program(), folder / "emulator.bundle", folder / "columns.bin", folder / f"{os.getpid()}.bin")
    assert done.returncode == 0, done.stderr
    (folder / f"{os.getpid()}.bin").rename(folder / "outputs.bin")
    return done.stdout


def outputs(path: Path, bundle: Bundle, columns: int) -> dict[str, np.ndarray]:
    """Arrays (ncol, nlev) or (ncol) of outputs.bin or expected.bin, which must hold nothing else."""
    flat = np.fromfile(path, np.float32)
    sizes = [columns * int(np.prod(field.shape)) for field in bundle.outputs]
    assert flat.size == sum(sizes)
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return {f.name: p.reshape(columns, *f.shape) for f, p in zip(bundle.outputs, parts, strict=True)}


def compare(folder: Path, columns: int) -> Bundle:
    """Each output to 1e-4 of its largest value: sums of a thousand terms in single precision."""
    bundle = Bundle.open(folder / "emulator.bundle")
    fortran(folder)
    found = outputs(folder / "outputs.bin", bundle, columns)
    for name, expected in outputs(folder / "expected.bin", bundle, columns).items():
        assert np.isfinite(expected).all()
        largest = np.abs(expected).max()
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-4 * largest, err_msg=name)
    return bundle


def numbers(text: str) -> dict[str, list[float]]:
    """Name → mean, smallest, largest of the lines of a table."""
    rows = re.findall(
        r"^ +(\w+) +(-?\d\S+e\S+?) *(-?\d\.\S+e\S\d\d) *(-?\d\.\S+)  ", text.lower(), flags=re.M
    )
    return {name: [float(n) for n in row] for name, *row in rows}


@pytest.fixture(scope="module")
def linear(tmp_path_factory) -> Path:
    return export(tmp_path_factory.mktemp("linear"), "linear", mock_columns(9, ncol=96))


def test_linear(linear):
    bundle = compare(linear, 96)
    assert len(bundle.inputs) == 6


def test_both_programs_print_the_table_of_the_readme(linear):
    promised = numbers((EXAMPLE / "README.md").read_text())
    assert len(promised) == 10
    assert promised["cam_out_netsw"][0] == 257.8
    twin = run(sys.executable, EXAMPLE / "run_columns.py", linear / "emulator.bundle", linear / "columns.bin")
    assert twin.returncode == 0, twin.stderr
    for printed in (numbers(fortran(linear)), numbers(twin.stdout)):
        assert printed.keys() == promised.keys()
        for name, expected in promised.items():
            scale = max(map(abs, expected))
            np.testing.assert_allclose(printed[name], expected, rtol=0, atol=2e-3 * scale, err_msg=name)


QUICK = ("mlp512", "column_mlp")


@pytest.mark.parametrize(
    "emulator",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in RECIPES],
)
def test_every_recipe_untrained(emulator, tmp_path):
    """Weights of the start are as good as any for the question whether both compute the same."""
    bundle = compare(export(tmp_path, emulator, mock_columns(2, ncol=96), epochs=0), 96)
    assert tuple(field.name for field in bundle.outputs) == feature_set(RECIPES[emulator].features).outputs


def test_a_missing_bundle_is_a_sentence(linear):
    done = run(program(), linear / "no.bundle", linear / "columns.bin", linear / "unwritten.bin")
    assert done.returncode != 0
    assert "no.bundle" in done.stderr
    assert not (linear / "unwritten.bin").exists()


def test_columns_of_another_size_are_a_sentence(linear, tmp_path):
    cut = tmp_path / "cut.bin"
    cut.write_bytes((linear / "columns.bin").read_bytes()[:-4])
    twin = run(sys.executable, EXAMPLE / "run_columns.py", linear / "emulator.bundle", cut)
    assert (twin.returncode, twin.stderr.count("\n")) == (3, 1)
    assert "holds 11904 numbers, expected 11905" in twin.stderr
    done = run(program(), linear / "emulator.bundle", cut, tmp_path / "unwritten.bin")
    assert done.returncode != 0
    assert "of other size than the inputs of the bundle" in done.stderr
    assert not (tmp_path / "unwritten.bin").exists()


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["hsr", "cvae", "rpn"])
def test_the_bridge_runs_ensembles(emulator, tmp_path):
    """The nested bundle is a bundle with one more input, the seed of each column."""
    columns = mock_columns(2, ncol=96)
    inner = export(tmp_path, emulator, columns, epochs=0) / "emulator.bundle" / "ensemble"
    features, seeds = feature_set("V1"), np.arange(5, 101, dtype=np.int32)
    rows = training_data(columns.at(np.array([1])), emulator).inputs
    fields = split(rows, features.input_slices)
    with BundleModel(inner, device="cpu") as model:
        given = [fields[n] if variable(n).is_profile else fields[n][:, 0] for n in features.inputs]
        found = model(*given, seeds)
    members = load_ensemble(inner.parent)(rows, seeds)
    for values, (name, span) in zip(found, features.output_slices.items(), strict=True):
        expected = members[..., span].reshape(values.shape)
        largest = np.abs(expected).max()
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-4 * largest, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["linear", "mlp512", "column_mlp"])
def test_real_columns(emulator, tmp_path):
    if not REAL.is_file():
        pytest.skip(f"{REAL.name} is not beside the repository")
    compare(export(tmp_path, emulator, read_columns(REAL).at(np.arange(4))), 384)
