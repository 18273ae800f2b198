"""Learned closures from files run where they fit, in ensembles too, and are refused elsewhere."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from subgrid.contracts.bundle import Field
from subgrid.contracts.errors import FileError, InputError
from subgrid.contracts.reference import read_reference
from subgrid.envs.closure_env import KIND, ClosureEnv
from subgrid.jax_models.export import export_bundle
from subgrid.sims.closures.flow import Flow
from subgrid.sims.turbulence2d.cases import get_case
from subgrid.sims.turbulence2d.jax_solver import make_operators
from subgrid.workflows.closure_evaluation.learned import read_closure

pytestmark = pytest.mark.usefixtures("quick_compilation")


def flow_of(environment, hat):
    return Flow.of(hat, make_operators(environment.grid, KIND))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Π = −w ω on 16² points."""
    path = tmp_path_factory.mktemp("bundles") / "linear.bundle"
    fields = np.random.default_rng(0).normal(size=(2, 16, 16)).astype(np.float32)
    export_bundle(
        path,
        lambda weights, vorticity: -weights["w"] * vorticity,
        {"w": jnp.float32(0.25)},
        inputs=[Field("vorticity", "float32", (16, 16), "1", "resolved vorticity", -100.0, 100.0)],
        outputs=[Field("tendency", "float32", (16, 16), "1", "subgrid tendency")],
        batch_sizes=(1,),
        check_inputs=[fields],
        name="linear",
        description="a test",
        config=json.dumps({"dealiasing": "none"}),
    )
    return path


def test_a_bundle_runs_in_an_ensemble(bundle, environment, params, reference):
    closure = read_closure("linear", bundle, environment, reference)
    many = jnp.stack([params.starts[0], 2.0 * params.starts[1], params.starts[1]])
    found = jax.jit(jax.vmap(lambda hat: closure(flow_of(environment, hat))))(many)
    expected = -0.25 * many * make_operators(environment.grid, KIND).mask[None]
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(jnp.abs(many).max()))


def test_a_bundle_that_does_not_fit_is_refused(bundle, environment, reference, reference_file):
    with pytest.raises(InputError, match=r"\(16, 16\).*--grid"):
        read_closure("linear", bundle, replace(environment, n=32), reference)
    dealiased = replace(environment, numerics=replace(environment.numerics, dealiasing="two_thirds"))
    emulator = reference_file.parent / "climsim" / "column_mlp.bundle"
    with pytest.raises(InputError, match=r"outputs, expected a turbulence closure.*subgrid train closure"):
        read_closure("emulator", emulator, environment, reference)
    with pytest.raises(InputError, match="dealiasing none, this one has two_thirds"):
        read_closure("linear", bundle, dealiased, reference)


def test_a_policy_runs_on_another_grid_and_case(make_policy_file, environment, reference, reference_file):
    path = make_policy_file("relative")
    finer = replace(environment, n=32)
    other = read_reference(reference_file.with_name("k25b0.reference.nc"))
    elsewhere = ClosureEnv(get_case("k25b0"), 64)
    for here, stored in ((finer, reference), (elsewhere, other)):
        closure = read_closure("policy", path, here, stored)
        hat = here.params(stored, count=1).starts[0]
        actions = jax.jit(lambda hat, closure=closure, here=here: closure.actions(flow_of(here, hat)))(hat)
        assert actions.shape == closure.environment.action_shape
        assert bool(jnp.isfinite(actions).all())


def test_a_policy_that_sees_every_wavenumber_is_tied_to_its_grid(make_policy_file, environment, reference):
    path = make_policy_file("paper")
    assert read_closure("policy", path, environment, reference).environment.n == 16
    with pytest.raises(InputError, match="trained on 16 points"):
        read_closure("policy", path, replace(environment, n=32), reference)


def test_other_files_are_refused(tmp_path, environment, reference):
    (tmp_path / "weights.h5").write_text("no")
    with pytest.raises(FileError, match="neither a bundle"):
        read_closure("x", tmp_path / "weights.h5", environment, reference)
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(FileError, match="no policy file"):
        read_closure("x", tmp_path / "broken.npz", environment, reference)
    (tmp_path / "empty.bundle").mkdir()
    with pytest.raises(FileError):
        read_closure("x", tmp_path / "empty.bundle", environment, reference)
