"""Bundles for the Fortran tests: two sound ones, and copies that are damaged in one place each.

python make_test_bundles.py FOLDER
"""

import hashlib
import shutil
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from subgrid.contracts.bundle import Field
from subgrid.jax_models.export import export_bundle

BATCH_SIZES = (1, 16)


def main(folder: Path) -> None:
    """Write all bundles below `folder`, replacing those of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.bundle"):
        shutil.rmtree(old)
    export_perceptron(folder / "perceptron.bundle")
    export_mixed(folder / "mixed.bundle")
    damage(folder)


def export_perceptron(path: Path) -> None:
    """A multilayer perceptron 32-64-32 in float32 with its pullback: the workhorse."""
    keys = jax.random.split(jax.random.key(0), 2)
    parameters = {
        "first": jax.random.normal(keys[0], (32, 64), jnp.float32) / 32**0.5,
        "second": jax.random.normal(keys[1], (64, 32), jnp.float32) / 64**0.5,
    }

    def apply(parameters, x):
        return jnp.tanh(x @ parameters["first"]) @ parameters["second"]

    export_bundle(
        path,
        apply,
        parameters,
        inputs=[Field("x", "float32", (32,), units="1")],
        outputs=[Field("y", "float32", (32,), units="1")],
        check_inputs=[np.random.default_rng(0).normal(size=(4, 32)).astype(np.float32)],
        name="perceptron",
        description="a multilayer perceptron 32-64-32 for tests",
        programs=("forward", "vjp"),
        batch_sizes=BATCH_SIZES,
        platforms=("cpu",),
    )


def export_mixed(path: Path) -> None:
    """Several kinds and ranks, an unused input, and arctan, which XLA:CPU gets wrong without its option.

    angle[j, i] = arctan(slope[j, i]),  total[j] = times · Σ_i angle[j, i] + offset[j],  twice = 2 · times
    """

    def apply(parameters, slope, times, unused):
        angle = jnp.arctan(slope)
        total = times[:, None] * angle.sum(axis=2) + parameters["offset"]
        return angle, total, 2 * times

    rng = np.random.default_rng(1)
    with jax.enable_x64(True):
        export_bundle(
            path,
            apply,
            {"offset": np.array([0.5, -0.25, 4.0])},
            inputs=[
                Field("slope", "float64", (3, 40), units="1"),
                Field("times", "int32", (), units="1"),
                Field("unused", "float32", (2,), units="K"),
            ],
            outputs=[
                Field("angle", "float64", (3, 40), units="radian"),
                Field("total", "float64", (3,), units="radian"),
                Field("twice", "int32", (), units="1"),
            ],
            check_inputs=[
                rng.normal(size=(4, 3, 40)),
                np.arange(1, 5, dtype=np.int32),
                np.zeros((4, 2), np.float32),
            ],
            name="mixed",
            description="kinds, ranks and index orders for tests",
            batch_sizes=BATCH_SIZES,
            platforms=("cpu",),
        )


def damage(folder: Path) -> None:
    """Copies of perceptron.bundle, each with one defect that a reader has to name."""
    sound = folder / "perceptron.bundle"

    def copy(name: str) -> Path:
        return Path(shutil.copytree(sound, folder / f"{name}.bundle"))

    def edit(path: Path, old: str, new: str) -> None:
        text = (path / "manifest.txt").read_text()
        if old not in text:
            raise ValueError(f"{path}/manifest.txt does not hold '{old}'")
        (path / "manifest.txt").write_text(text.replace(old, new, 1))

    weights = copy("truncated") / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-64])
    weights = copy("changed") / "weights.bin"
    content = bytearray(weights.read_bytes())
    content[100] ^= 1
    weights.write_bytes(content)
    (copy("no_weights") / "weights.bin").unlink()
    program = next((copy("changed_program") / "programs").glob("forward.cpu.b1.mlir"))
    program.write_bytes(program.read_bytes() + b"x")
    edit(copy("no_end"), "end = manifest", "")
    edit(copy("other_format"), "format = subgrid-bundle 1", "format = subgrid-bundle 99")
    edit(copy("other_kind"), "input.1.kind = float32", "input.1.kind = bfloat16")
    edit(copy("lost_key"), "weights.sha256", "weights.md5")
    edit(copy("other_result"), "output.1.shape_fortran = 32", "output.1.shape_fortran = 31")
    wrong_expectation(copy("other_numbers"))
    disguised = copy("disguised") / "manifest.txt"  # CPU programs for a plug-in that says it was a GPU's
    disguised.write_text(disguised.read_text().replace("platform = cpu", "platform = cuda"))


def wrong_expectation(path: Path) -> None:
    """Check vectors that no plug-in reproduces, under a checksum that is right."""
    vectors = path / "check.bin"
    content = np.frombuffer(vectors.read_bytes(), "<f4") + np.float32(0.01)
    old, new = (hashlib.sha256(data).hexdigest() for data in (vectors.read_bytes(), content.tobytes()))
    vectors.write_bytes(content.tobytes())
    manifest = path / "manifest.txt"
    manifest.write_text(manifest.read_text().replace(old, new))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
